"""Layers inside of ops: what they get besides the op's own inputs."""

import warnings

import pytest
import torch
from torch import nn

from archspec_torch.source import python_source

STEP = """
block step {
  input h: [B, D]
  y = h -> [a: linear(D), b: linear(D) -> c: linear(D)] -> join(drop=0.5, draw="column")
  output (y, y)
}
block pair { [a: linear(4), b: linear(4) -> c: linear(4)] -> join(drop=0.5, draw="column") }
"""


def script(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(module)


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


def test_joins_inside_share_the_draw_of_the_network(network):
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


def test_joins_inside_draw_for_each_step_where_they_are_local(network):
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


def test_a_join_behind_a_gate(network):
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
def test_sizes_that_only_the_surroundings_know(network, rows):
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
    assert "x = state  # [B, 4]\n" in text
