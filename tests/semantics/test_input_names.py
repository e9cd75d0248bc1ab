"""The names of the inputs of a block in messages."""

import pytest

from archspec.semantics.compile import load_network
from archspec.source import Source


def names(inputs: str, data: str, last: str = "x") -> list[str]:
    text = f"""
block unit {{
  input {inputs}
  output {last} -> fc: linear(4)
}}
network net {{
  input a: f32[B = 1, 4], b: f32[B, 4], c: f32[B, 4]
  output y = {data} -> unit
}}
"""
    compiled, _ = load_network(Source("net.arch", text))
    (unit,) = compiled.inference.callees
    return [node.name for node in unit.nodes if node.is_input]


@pytest.mark.parametrize(
    ("inputs", "data", "expected"),
    [
        ("x", "a", ["x"]),
        ("x, y, z", "(a, b, c)", ["x", "y", "z"]),
        ("x, ...memory", "(a,)", ["x"]),
        ("x, ...memory", "(a, b)", ["x", "memory"]),
        ("x, ...memory", "(a, b, c)", ["x", "memory_0", "memory_1"]),
        ("x, ...memory", "(a, (b, c))", ["x", "memory_0", "memory_1"]),
        ("...memory, x", "(a, b, c)", ["memory_0", "memory_1", "x"]),
        ("x, pair", "(a, (b, c))", ["x", "pair_0", "pair_1"]),
        ("x, memory_0, ...memory", "(a, b, (c, c))", ["x0", "x1", "x2", "x3"]),
    ],
)
def test_names_of_inputs(inputs: str, data: str, expected: list[str]) -> None:
    assert names(inputs, data) == expected


def test_single_name_for_several_inputs() -> None:
    assert names("all", "(a, b, c)", "all[1]") == ["all_0", "all_1", "all_2"]
