"""Requirements of attributes on sizes: a limit set by the spec, or an accident."""

from __future__ import annotations

from pathlib import Path

import pytest

import archspec.ops
from tests.semantics.specs import errors, layer, network, printed

FIXED = [
    "slice(axis=2, start=H - 5)",
    "slice(axis=2, stop=10 - H)",
    "select(axis=2, index=10 - H)",
    "crop([(2, 0, 10 - H)])",
    "pad([(2, 10 - H, 0)])",
    "pad([(2, 0, 5 - H)])",
    'pad([(2, 0, 10 - H)], mode="reflect")',
    'pad([(2, H - 4, 0)], mode="circular")',
    "topk(H, axis=2)",
    "topk(10 - H, axis=2)",
    "split([10 - H, H - 3], axis=2)",
]
"""For an axis with 7 positions."""

ALONE = [
    "resize([10 - H, W])",
    "adaptive_avg_pool([10 - H, W])",
    "adaptive_max_pool([10 - H, W])",
    "iterate(conv(4, 3), 10 - H)",
    "unsqueeze(2) -> expand([B, 4, 10 - H, H, W])",
    'repeat("b c h w -> b c h w k", k=10 - H)',
    "{ input t\n z = full([10 - H, 3], 0.0)\n output (t, z) }",
    "{ input t\n z = arange(H, 10)\n output (t, z) }",
]
"""Sizes independent of an axis."""

FREE = [
    "slice(axis=2, stop=10 - H)",
    "slice(axis=2, start=-3, stop=5)",
    "select(axis=2, index=10 - H)",
    "crop([(2, 0, 10 - H)])",
    "topk(10 - H, axis=2)",
    "split([10 - H, 2 * H - 10], axis=2)",
    "pad([(2, 10 - 2 * H, 0)])",
    'pad([(2, 0, 10 - H)], mode="reflect")',
]
"""For the axis H itself."""


@pytest.mark.parametrize("ask", [*(f"resize([7, W]) -> {each}" for each in FIXED), *ALONE])
def test_limit_set_by_the_spec_is_a_warning(ask: str) -> None:
    text = layer(ask, shape="B = 1, 4, H = 6, W = 6")
    assert errors(text) == []
    assert "warning[W0401]: this network is only valid where H" in printed(text)


@pytest.mark.parametrize("ask", FREE)
def test_finitely_many_valid_sizes_are_an_error(ask: str) -> None:
    assert errors(layer(ask, shape="B = 1, 4, H = 6, W = 6")) == ["E0402"]


def test_equal_sizes_are_never_a_limit() -> None:
    for text in (
        network("output x -> resize([7, W]) -> expand([B, 4, H, W])"),
        network("output (x, x -> resize([7, W])) -> add"),
        network("output x -> resize([10 - H, W]) -> squeeze(2)"),
    ):
        assert errors(text) == ["E0402"]


def test_only_base_decides_whether_a_limit_is_intended() -> None:
    """No op decides by itself whether its requirement is a limit set by the spec."""
    for path in Path(archspec.ops.__file__).parent.glob("*.py"):
        assert path.read_text().count("chosen=") == (path.name == "base.py"), path.name


@pytest.mark.parametrize("ask", [*(f"resize([7, W]) -> {each}" for each in FIXED[1:4]), *ALONE])
def test_where_that_exceeds_the_limit_is_an_error(ask: str) -> None:
    text = layer(ask, shape="B = 1, 4, H = 6, W = 6")
    for where, codes in (("H >= 4, H <= 9", []), ("H >= 4", ["E0404"])):
        clause_text = text.replace("W = 6]\n", f"W = 6] where {where}\n", 1)
        assert errors(clause_text) == codes, clause_text
