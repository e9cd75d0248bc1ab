"""Values that the spec chooses by `if c then a else b` or computes by a function, in source."""

from __future__ import annotations

import math

import pytest
import torch

from archspec.graph.expression import Name, Number, Operation, choices_in, evaluated, substituted
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec_torch.code.expressions import expression_code
from archspec_torch.code.pieces import code
from archspec_torch.code.text import flat
from archspec_torch.source import python_source
from tests.backends.scripts import script

A, B, C = Name("a"), Name("b"), Name("c")
CHOICE = Operation("if", (Operation("not", (C,)), A, Operation("if", (C, B, Number(7)))))


def network(value: str, calls: str) -> Network:
    text = f"""
block unit(deep: bool, steps: int, rate: float) {{
  input x: [B, D]
  output (x * ({value})) -> fc: linear(D)
}}
network net {{
  input x: f32[B = 2, 4]
  output y = x {calls}
}}
"""
    return Network(load_network(Source("net.arch", text))[0])


BOTH = "-> a: unit(true, 3, 0.5) -> b: unit(false, 5, 0.25)"


@pytest.mark.parametrize(
    ("value", "expected", "factors"),
    [
        (
            "if deep then steps * 2 else steps",
            "(self.steps * 2 if self.deep else self.steps)",
            (6, 5),
        ),
        ("if not deep then steps else 1", "(1 if self.deep else self.steps)", (1, 5)),
        (
            "if deep and steps > 2 then rate else 0.0",
            "(self.rate if self.deep and self.steps > 2 else 0.0)",
            (0.5, 0.0),
        ),
        (
            "log(steps) / exp(rate)",
            "(math.log(self.steps) / math.exp(self.rate))",
            (math.log(3) / math.exp(0.5), math.log(5) / math.exp(0.25)),
        ),
        ("float(ceil(steps / 2))", "float(math.ceil(self.steps / 2))", (2.0, 3.0)),
        ("int(rate * 10)", "int(self.rate * 10)", (5, 2)),
    ],
)
def test_values_in_forward(value: str, expected: str, factors: tuple[float, float]) -> None:
    net = network(value, BOTH)
    assert expected in python_source(net.compiled)[0]
    module, x = net.to_torch(), torch.randn(2, 4)
    wanted = module.b.fc(module.a.fc(x * factors[0]) * factors[1])
    torch.testing.assert_close(module(x), wanted)
    torch.testing.assert_close(script(module)(x), wanted)


def test_alternatives_of_two_types_are_not_scriptable() -> None:
    net = network("if deep then steps else rate", BOTH)
    assert "if self.deep else" not in python_source(net.compiled)[0]
    module, x = net.to_torch(), torch.randn(2, 4)
    wanted = module.b.fc(module.a.fc(x * 3) * 0.25)
    torch.testing.assert_close(module(x), wanted)
    torch.testing.assert_close(script(module)(x), wanted)


def test_choices_with_one_outcome_become_numbers() -> None:
    net = network("if deep then 3 else 2", "-> a: unit(true, 3, 0.5) -> b: unit(true, 5, 0.25)")
    text = python_source(net.compiled)[0]
    assert "x * 3" in text
    assert "deep" not in text
    value = "if deep and steps > 2 then log(steps) else rate"
    layers = "-> a: unit(true, 3, 0.5) -> b: unit(true, 5, 0.25)"
    text = python_source(network(value, layers).compiled)[0]
    assert "x * math.log(self.steps)" in text


def test_choices() -> None:
    assert [evaluated(CHOICE, {"a": 1, "b": 2, "c": c}) for c in (True, False)] == [2, 1]
    assert evaluated(CHOICE, {"a": 1, "c": False}) == 1  # the other one is not evaluated
    assert evaluated(CHOICE, {"a": 1, "b": 2}) is None
    assert substituted(CHOICE, {"c": Number(True)}) == B
    assert len([*choices_in(Operation("+", (CHOICE, A)))]) == 2
    text = flat(expression_code(Operation("*", (CHOICE, A)), lambda name: code(name)))
    assert text == "(a if not c else b if c else 7) * a"
