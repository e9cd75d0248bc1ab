"""Combinators: their results, and that they open no scope."""

import pytest
import torch

IMAGE = "[B = 2, 3, H = 8, W = 8]"


def shapes(network):
    return [str(kind) for output in network.outputs for kind in output.types]


def run(network, x):
    module = network.to_torch().eval()
    with torch.inference_mode():
        return module, module(x)


def test_residual(network, weights):
    net = network(IMAGE, "residual(f: conv(3, 3) -> relu)")
    assert list(weights(net)) == ["f.weight", "f.bias"]
    x = torch.randn(2, 3, 8, 8)
    module, y = run(net, x)
    torch.testing.assert_close(y, x + module.f(x).relu())


def test_residual_with_a_shortcut(network, weights):
    net = network(IMAGE, "residual(f: conv(4, 3, stride=2), s: conv(4, 1, stride=2))")
    assert shapes(net) == ["f32[B, 4, (H + 1)//2, (W + 1)//2]"]
    assert [*weights(net)] == ["s.weight", "s.bias", "f.weight", "f.bias"]


def test_dense_layers_read_all_earlier_outputs(network, weights):
    net = network(IMAGE, "dense(3, conv(4, 3, bias=false))")
    assert shapes(net) == ["f32[B, 15, H, W]"]
    assert list(weights(net).values()) == [(4, 3, 3, 3), (4, 7, 3, 3), (4, 11, 3, 3)]
    x = torch.randn(2, 3, 8, 8)
    module, y = run(net, x)
    for name in weights(net):
        x = torch.cat([x, module.get_submodule(name.removesuffix(".weight"))(x)], 1)
    torch.testing.assert_close(y, x)


def test_dense_without_layers_is_the_identity(network, weights):
    net = network(IMAGE, "dense(0, conv(4, 3)) -> relu")
    assert shapes(net) == ["f32[B, 3, H, W]"]
    assert weights(net) == {}


def test_each_has_separate_weights_for_every_element(network, weights):
    net = network(IMAGE, "[identity, conv(4, 1)] -> each(conv(2, 1, bias=false)) -> concat")
    assert list(weights(net).values()) == [(4, 3, 1, 1), (4,), (2, 3, 1, 1), (2, 4, 1, 1)]


def test_repeated(network, weights):
    net = network(IMAGE, "body: repeated(3, conv(3, 3, bias=false) -> relu)")
    assert list(weights(net)) == ["body.0.weight", "body.2.weight", "body.4.weight"]


def test_stochastic_depth_grows_from_block_to_block(network):
    branch = '"branch{i}": conv(3, 3) -> stochastic_depth(0.5, i + 1, 4)'
    net = network(IMAGE, f"for i in 0..4 {{ residual({branch}) }}")
    x = torch.randn(2, 3, 8, 8)
    module, y = run(net, x)
    for i in range(4):
        x = x + (1 - 0.5 * (i + 1) / 4) * module.get_submodule(f"branch{i}")(x)
    torch.testing.assert_close(y, x)


@pytest.mark.parametrize(
    ("depths", "rates"),
    [("[2, 3]", [0.0, 0.1, 0.2, 0.3, 0.4]), ("[1]", [0.0]), ("[1, 0, 1]", [0.0, 0.4])],
)
def test_rates_of_drop_path_grow_over_all_stages(network, depths, rates):
    branch = f"relu -> drop_path(drop_path_rate(0.4, {depths}, i, j))"
    stages = f"for i, n in enumerate({depths}) {{ for j in 0..n {{ residual({branch}) }} }}"
    nodes = network(IMAGE, stages).compiled.training.nodes
    found = [node.op.p for node in nodes if node.op is not None and node.op.name == "drop_path"]
    assert found == pytest.approx(rates)
