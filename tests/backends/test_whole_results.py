"""All results of a block that another block reads have one variable."""

from __future__ import annotations

import pytest
import torch

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec_torch.source import python_source
from tests.backends.scripts import script

TEXT = """
block three {{
  input x: [B, D]
  output (x -> linear(D), x -> linear(D) -> relu, x -> linear(D) -> tanh)
}}
block fused {{
  input ...maps
  output maps -> add -> linear(4)
}}
block weighed(scale: float) {{
  input x, first, second, third
  output x * scale + first * second - third
}}
network net {{
  input x: f32[B = 2, 4]
{body}
}}
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "  output x -> three -> fused",
            ["maps = self.three(x)", "x = self.fused(*maps)"],
        ),
        (
            "  ys = x -> three\n  output (x, ...ys) -> weighed(2.0)",
            ["ys = self.three(x)", "x = self.weighed(x, *ys)"],
        ),
        (
            "  output x -> three -> fused -> dropout(0.5) -> three -> fused\n"
            "  output x -> tanh when training",
            ["maps = self.three(x)", "maps_2 = self.three_1(x)"],
        ),
        (
            "  ys = x -> three\n  output (ys -> fused) * ys[1]",
            ["ys_0, ys_1, ys_2 = self.three(x)", "x = self.fused(ys_0, ys_1, ys_2)"],
        ),
        (
            "  ys = x -> three\n  output (ys[0], ys[2], ys[1]) -> fused",
            ["ys_0, ys_1, ys_2 = self.three(x)", "x = self.fused(ys_0, ys_2, ys_1)"],
        ),
    ],
    ids=["pipeline", "after another", "with modes", "one is read again", "another order"],
)
def test_results_that_one_call_reads_together_have_one_variable(
    body: str, expected: list[str]
) -> None:
    net = Network(load_network(Source("net.arch", TEXT.format(body=body)))[0])
    lines = python_source(net.compiled)[0].split("class Net(")[1].splitlines()
    found = [line.partition("  #")[0].strip() for line in lines]
    assert [line for line in found if line in expected] == expected, found
    module, x = net.to_torch().eval(), torch.randn(2, 4)
    torch.testing.assert_close(script(module)(x), module(x))
    traced = torch.fx.symbolic_trace(module)
    torch.testing.assert_close(traced(x), module(x))
    if "weighed" in body:
        first, second, third = module.three(x)
        torch.testing.assert_close(module(x), 2 * x + first * second - third)
