"""Layers as arguments of ops: their inputs from outside the op."""

import pytest
import torch
from torch import nn

from archspec_torch.source import python_source
from tests.backends.scripts import script

STEP = """
block step {
  input h: [B, D]
  y = h -> [a: linear(D), b: linear(D) -> c: linear(D)] -> join(drop=0.5, draw="column")
  output (y, y)
}
block pair { [a: linear(4), b: linear(4) -> c: linear(4)] -> join(drop=0.5, draw="column") }
"""


def ran_by_seed(model, *inputs):
    """Names of the linear layers that ran, for some seeds; TorchScript gives the same results."""
    scripted, found = script(model), []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda *_, name=name: ran.append(name[-1]))
    with torch.no_grad():
        for seed in range(20):
            ran: list[str] = []
            torch.manual_seed(seed)
            y = model(*inputs)
            found.append("".join(ran))
            torch.manual_seed(seed)
            torch.testing.assert_close(scripted(*inputs), y)
    return set(found)


def test_joins_in_regions_share_the_draw_of_the_network(network):
    net = network(
        STEP
        + """
network net {
  input x: f32[B = 2, 4]
  draw column = global
  outs, h = x -> iterate(step, steps=3)
  output h -> pair
}
""",
        "net",
    )
    assert ran_by_seed(net.to_torch().train(), torch.randn(3, 4)) == {"aaaa", "bcbcbcbc"}


def test_local_joins_in_regions_draw_for_each_step(network):
    net = network(
        STEP
        + """
network net {
  input x: f32[B = 2, T = 4, 4]
  draw column = local
  output (x, zeros([B, 4])) -> scan({
    input t, h
    y, s = h + t -> step
    output (y, s)
  }, axis=1)
}
""",
        "net",
    )
    assert len(ran_by_seed(net.to_torch().train(), torch.randn(3, 4, 4))) > 10


def test_a_join_after_a_gate(network):
    net = network(
        STEP
        + """
network net {
  input g: bool[B = 1], x: f32[B, 4]
  draw column = global
  output (g, x, x) -> gated(pair)
}
""",
        "net",
    )
    model = net.to_torch().train()
    x = torch.randn(2, 4)
    assert ran_by_seed(model, torch.tensor([False, True]), x) == {"a", "bc"}
    torch.testing.assert_close(model(torch.tensor([False, False]), x), x)


@pytest.mark.parametrize("rows", [1, 3])
def test_sizes_known_only_outside_of_the_region(network, rows):
    net = network(
        """
network net {
  input x: f32[B = 2, 4], m: f32[N = 3, 2]
  outs, h = x -> iterate({
    input h
    y = h + (ones([N, 4]) -> sum(axis=0))
    output (y, y)
  }, steps=3)
  output h
}
"""
    )
    model = net.to_torch()
    x, m = torch.randn(2, 4), torch.randn(rows, 2)
    for one in (model, script(model)):
        torch.testing.assert_close(one(x, m), x + 3 * rows)
    text, _ = python_source(net.compiled)
    assert "h = state  # [B, 4]\n" in text


FREE_STEPS = """
network net {
  input x: f32[B = 2, 4], times: f32[T = 5]
  ys, last = x -> iterate({
    input h
    y = h -> l: linear(4) -> tanh
    output (y -> p: linear(3), y)
  }, steps=T + 1)
  output end = last + (times -> sum)
  output all = ys
}
"""


def test_number_of_steps_from_the_length_of_an_input(network):
    net = network(FREE_STEPS)
    assert net.macs(T=7) - net.macs(T=6) == 2 * (4 * 4 + 4 * 3)
    model = net.to_torch()
    layer = model.iterate.layer
    scripted = script(model)
    for length in (1, 4):
        x, times = torch.randn(3, 4), torch.randn(length)
        h, wanted = x, []
        for _ in range(length + 1):
            h = torch.tanh(layer.l(h))
            wanted.append(layer.p(h))
        for one in (model, scripted):
            end, ys = one(x, times)
            torch.testing.assert_close(end, h + times.sum())
            torch.testing.assert_close(ys, torch.stack(wanted, 1))


def test_nested_steps_and_a_size_without_other_readers(network):
    net = network(
        """
network net {
  input x: f32[B = 2, 4], times: f32[T = 5], inner: f32[S = 2]
  h = x -> iterate({
    input h
    output h -> iterate(l: linear(4), steps=S)
  }, steps=T - 1)
  output h
}
"""
    )
    assert net.macs(B=1, T=4, S=3) == 3 * 3 * 16
    model = net.to_torch()
    (layer,) = (module for module in model.modules() if isinstance(module, nn.Linear))
    x, scripted = torch.randn(3, 4), script(model)
    for length, inside in ((1, 2), (4, 3)):
        h = x
        for _ in range((length - 1) * inside):
            h = layer(h)
        for one in (model, scripted):
            torch.testing.assert_close(one(x, torch.ones(length), torch.ones(inside)), h)
