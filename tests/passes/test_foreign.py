"""Ops of other packages are folded according to the properties that they declare."""

import sys
from importlib.metadata import EntryPoint

import pytest
import torch

import archspec
import archspec_torch.lowering
from archspec.ops import registry
from archspec.passes.folding.steps import After, Before, Chain, Channelwise, Layer, SetNorm
from archspec_torch.lowering import base, lowerings
from tests.backends.values import unsettled

POINTS = {
    "archspec.ops": "tests.passes.foreign.ops",
    "archspec_torch.lowerings": "tests.passes.foreign.lowerings",
}


@pytest.fixture
def network(monkeypatch, tmp_path):
    """A network over x: [B, 4, H, W], or an input of another type, in which these ops are found."""

    def entry_points(group):
        return [EntryPoint("foreign", POINTS[group], group)]

    def forget():
        for module in POINTS.values():
            sys.modules.pop(module, None)
        for known in (registry._foreign_modules, registry.all_ops, lowerings):
            known.cache_clear()

    def made(statements, type_="[B = 2, 4, H = 5, W = 6]"):
        path = tmp_path / "net.arch"
        path.write_text(f"network net {{\n  input x: f32{type_}\n  output x -> {statements}\n}}\n")
        return archspec.load(path)

    lowerings()  # our ops are registered before theirs
    forget()
    monkeypatch.setattr(base, "LOWERINGS", dict(base.LOWERINGS))
    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.setattr(archspec_torch.lowering, "entry_points", entry_points)
    yield made
    forget()


def folded(net, *shape):
    """The folded network, after checking that it computes the same."""
    module, found = unsettled(net.to_torch()), net.fold()
    made = found.to_torch(dtype=torch.float64, weights=module.state_dict()).eval()
    x = torch.randn(*shape, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(made(x), module(x), rtol=1e-12, atol=1e-12)
    return found


def ops(net):
    return [node.op.name for node in net.compiled.inference.nodes if node.op is not None]


def test_norm_is_folded_into_the_convolution_before_or_after_it(network):
    net = folded(network("conv(6, 3, bias=false) -> act_norm -> relu"), 2, 4, 5, 6)
    assert ops(net) == ["conv", "relu"]
    ((step,),) = [net.folding.steps]
    assert isinstance(step, After)
    assert isinstance(step.change, Channelwise)
    assert ops(folded(network("relu -> act_norm -> conv(6, 1)"), 2, 4, 5, 6)) == ["relu", "conv"]


def test_norm_with_a_shift_is_not_folded_across_padding(network):
    assert ops(folded(network("act_norm -> conv(6, 3)"), 2, 4, 5, 6)) == ["act_norm", "conv"]


def test_linear_layer_absorbs_norms_on_both_sides(network):
    net = folded(
        network("gain -> projection(7) -> batch_norm(axis=-1) -> relu", "[B = 3, 5]"), 3, 5
    )
    assert ops(net) == ["projection", "relu"]
    assert [type(step) for step in net.folding.steps] == [Before, After]
    layer = Layer("projection", transposed=True, weight="kernel", bias="shift")
    assert {step.layer for step in net.folding.steps} == {layer}
    assert [*net.to_torch().state_dict()] == ["projection.kernel", "projection.shift"]


def test_layer_that_cannot_have_a_bias_absorbs_no_norm(network):
    net = folded(network("gain -> rounded(7) -> batch_norm(axis=-1)", "[B = 3, 5]"), 3, 5)
    assert ops(net) == ["gain", "rounded", "batch_norm"]


def test_consecutive_norms_are_merged(network):
    kind = "[B = 3, 2, 5]"
    net = folded(network("gain -> batch_norm(axis=-1, affine=false) -> relu", kind), 3, 2, 5)
    assert ops(net) == ["gain", "relu"]
    (step,) = net.folding.steps
    assert isinstance(step, SetNorm)
    assert isinstance(step.change, Chain)


def test_norms_that_cannot_be_merged_are_kept(network):
    net = folded(network("act_norm -> batch_norm(affine=false) -> relu"), 2, 4, 5, 6)
    assert ops(net) == ["act_norm", "batch_norm", "relu"]


def test_an_identity_shortcut_is_merged_into_the_parallel_layer(network):
    text = "[projection(5), identity] -> add -> gain"
    assert ops(folded(network(text, "[B = 3, 5]"), 3, 5)) == ["projection"]
