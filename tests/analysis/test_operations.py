"""The number of ops executed in one forward pass."""

from __future__ import annotations

import pytest

from archspec.analysis.operations import operations
from archspec.semantics.compile import load_network
from archspec.source import Source


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        ("relu -> tanh", 2),
        ("f -> f", 6),
        ("iterate(relu, steps=5)", 6),
        ("iterate(iterate(relu -> tanh, steps=5), steps=10**18)", 1 + 11 * 10**18),
        ("{ input v\n _spare = v -> tanh\n output v -> relu }", 1),
    ],
)
def test_operations(layer: str, wanted: int) -> None:
    head = "block f { relu -> tanh -> sigmoid }"
    text = f"{head}\nnetwork net {{\n  input x: f32[B = 1, 4]\n  output x -> {layer}\n}}\n"
    compiled, _ = load_network(Source("net.arch", text))
    assert operations(compiled.inference).evaluate(compiled.sizes) == wanted
