"""`frozen(layer)` stays in inference mode and does not learn, but passes gradients."""

import copy
import re
import warnings

import pytest
import torch
from torch.func import functional_call

from archspec.analysis.machine import to_json
from archspec.diagnostics.failure import CompileFailed
from archspec_torch.module import to_module
from tests.specs.training import trained

UNIT = """
block unit(width: int) {
  input x: [B, C, H, W]
  y = x -> conv: conv(width, 3) -> bn: batch_norm -> relu -> dropout(0.5)
  output if training { y * 2 } else { y }
}
block stage(width: int) {
  body: (unit(width) -> drop_path(0.5)) -> inorm: instance_norm(track=true)
}
"""
LEARNT = {
    "block": "teacher: unit(6)",
    "blocks in a block": "teacher: stage(6)",
    "sequence": "teacher: (conv(6, 3) -> batch_norm -> dropout(0.5) -> conv(6, 1) -> relu)",
    "composition": "a: conv(6, 3) -> b: batch_norm -> channel_dropout(0.5) -> c: unit(6)",
    "op": "teacher: conv(6, 3)",
    "norm": "teacher: batch_norm -> conv(6, 1)",
    "norm of another axis": "transpose(1, 3) -> teacher: batch_norm(axis=3) -> transpose(1, 3)",
    "loop": "for i in 0..3 { unit(6) }",
    "region": "teacher: iterate([unit(3), unit(3)], 2)",
    "own parameters": "teacher: { input x\n param p: f32[3, 1, 1] = ones\n"
    " output x * p -> unit(6) }",
    "recurrent": "flatten(2) -> transpose(1, 2) -> teacher: lstm(6, layers=2, dropout=0.5)",
    "attention": "flatten(2) -> transpose(1, 2) -> [identity, identity, identity]"
    " -> teacher: multihead_attention(heads=1, dropout=0.5)",
    "parametrized": 'teacher: conv(6, 3, parametrization="spectral_norm")',
    "join": "[a: unit(6), b: unit(6)] -> join(drop=0.5)",
    "random draws": "sigmoid -> bernoulli -> teacher: conv(6, 1)",
}


def pair(network, layer):
    """The network with the layer, plain and frozen, followed by a layer that learns."""
    text = "{} network net {{ input x: f32[B = 4, 3, H = 6, W = 5]\n output x -> {} -> {} }}"
    head = "{ input ...y\n output y[0] -> flatten(1) -> mean(axis=1, keepdim=true)"
    head += " -> last: linear(2) }"
    plain, frozen = (network(text.format(UNIT, one, head)) for one in (layer, f"frozen({layer})"))
    return plain, frozen


@pytest.mark.parametrize("layer", LEARNT.values(), ids=LEARNT.keys())
def test_training_steps_do_not_change_frozen_layers(network, layer):
    plain, frozen = pair(network, layer)
    module = frozen.to_torch(seed=0).train()
    reference = plain.to_torch(seed=0).eval()
    assert list(module.state_dict()) == list(reference.state_dict())
    reference.load_state_dict(module.state_dict())
    before = copy.deepcopy(module.state_dict())
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        x = torch.rand(4, 3, 6, 5, requires_grad=True)
        with torch.no_grad():  # equal to the plain network in inference, although it is in training
            state = {n: t for n, t in module.state_dict().items() if n.startswith("last.")}
            wanted = functional_call(reference, state, (x,))
        found = module(x)
        torch.testing.assert_close(found, wanted)
        optimiser.zero_grad()
        found.square().sum().backward()
        optimiser.step()
        assert bool(x.grad.any()) or "bernoulli" in layer
    for name, tensor in module.state_dict().items():
        if name.startswith("last."):
            assert not torch.equal(tensor, before[name]), name
        else:
            assert torch.equal(tensor, before[name]), name


def test_gradients_equal_those_in_inference(network):
    plain, frozen = pair(network, LEARNT["blocks in a block"])
    module, reference = frozen.to_torch(seed=0).train(), plain.to_torch(seed=0).eval()
    reference.load_state_dict(module.state_dict())
    x = torch.rand(4, 3, 6, 5, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    module(x).square().sum().backward()
    reference(y).square().sum().backward()
    torch.testing.assert_close(x.grad, y.grad)


@pytest.mark.parametrize("layer", ["block", "sequence", "loop", "recurrent", "parametrized"])
def test_torchscript_keeps_layers_frozen(network, layer):
    _, frozen = pair(network, LEARNT[layer])
    module = to_module(frozen.compiled)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(module)
    x = torch.rand(4, 3, 6, 5)
    wanted = module.eval()(x)
    torch.testing.assert_close(scripted.train()(x), wanted)
    inputs = [torch.rand(4, 3, 6, 5, requires_grad=True) for _ in range(3)]
    batches = iter(inputs)
    moved, _ = trained(scripted, lambda: scripted(next(batches)).square().sum())
    assert all(bool(x.grad.any()) for x in inputs)
    assert moved == {"last.weight", "last.bias"}
    assert {n for n, p in scripted.named_parameters() if p.requires_grad} == moved


def test_reports_show_frozen_parameters(network):
    net = network(
        UNIT + "network net { input x: f32[B = 1, 3, H = 6, W = 6]\n"
        " output x -> a: unit(4) -> b: frozen(unit(4)) }"
    )
    a, b = (4 * 3 * 9 + 4 + 8), (4 * 4 * 9 + 4 + 8)
    counts = net.report().counts
    assert (net.parameters, counts.fixed) == (a + b, b)


def test_json_and_drawings_show_frozen_layers(network, tmp_path):
    net = network(
        UNIT + "network net { input x: f32[B = 1, 3, H = 6, W = 6]\n"
        " output x -> a: unit(4) -> b: frozen(unit(5)) -> c: frozen(conv(2, 1)) }"
    )
    found = to_json(net.report())
    assert found["fixed_parameters"] == (5 * 4 * 9 + 5 + 10) + (2 * 5 + 2)
    assert found["parameters"] == found["fixed_parameters"] + (4 * 3 * 9 + 4 + 8)
    drawn = net.draw(tmp_path / "net.svg").read_text(encoding="utf-8")
    text = "".join(re.findall(r">([^<]*)<", drawn))
    assert "b: frozen(unit(5))" in text
    assert "frozen(conv(2, 1))" in text
    assert "frozen(unit(4))" not in text


def test_frozen_and_trainable_uses_of_a_block_are_separate(network):
    """One block, frozen in one place and trainable in another."""
    net = network(
        UNIT + "network net { input x: f32[B = 4, 3, H = 6, W = 6]\n"
        " output x -> a: unit(3) -> b: frozen(unit(3)) -> c: unit(3) }"
    )
    module = net.to_torch().train()
    assert {n.split(".")[0] for n, p in module.named_parameters() if p.requires_grad} == {"a", "c"}
    module(torch.rand(4, 3, 6, 6)).sum().backward()
    counted = {n for n, t in module.state_dict().items() if n.endswith("tracked") and t == 1}
    assert counted == {"a.bn.num_batches_tracked", "c.bn.num_batches_tracked"}


def test_shared_layers_are_frozen_in_all_uses(network):
    head = "network net { input x: f32[B = 1, 3, H = 6, W = 6]\n"
    whole = network(
        UNIT + head + " shared f = frozen(t: unit(3))\n output x -> f -> f -> conv(2, 1) }"
    )
    module = whole.to_torch().train()
    assert not any(p.requires_grad for n, p in module.named_parameters() if n.startswith("t."))
    with pytest.raises(CompileFailed, match="frozen in all of its uses or in none"):
        network(UNIT + head + " shared f = t: unit(3)\n output x -> f -> frozen(f) }")


@pytest.mark.parametrize("layer", ["frozen(frozen(teacher: unit(6)))", "frozen(teacher: identity)"])
def test_freezing_layers_without_parameters(network, layer):
    _, frozen = pair(network, layer)
    assert [n for n, p in frozen.to_torch().named_parameters() if p.requires_grad] == [
        "last.weight",
        "last.bias",
    ]
