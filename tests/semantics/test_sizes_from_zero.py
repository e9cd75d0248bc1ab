"""Sizes that may be 0 behave as the page of the language says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from tests.semantics.specs import errors

LAST = 14


def spec(where: str, size: int) -> str:
    clause = f" where {where}" if where else ""
    return (
        f"network net {{\n  input x: f32[B = 1, P = {size}, 4], z: f32[B, H = 2, 4]{clause}\n"
        "  output y = (x, z) -> concat(axis=1) -> linear(3)\n}\n"
    )


def network(where: str, size: int) -> Network:
    return Network(load_network(Source("net.arch", spec(where, size)))[0])


@pytest.mark.parametrize(
    ("where", "size", "code"),
    [
        ("", 0, "E0309"),
        ("P == 0", 0, "E0309"),
        ("P == 0", 1, "E0402"),
        ("P >= -1", 0, "E0309"),
        ("P >= 0 or P == 5", 0, "E0309"),
        ("P >= 0, P < 0", 0, "E0402"),
        ("P >= 0, P <= 0", 1, "E0707"),
        ("P >= 0, P >= 1", 0, "E0707"),
        ("P >= 0, (if P > 0 then H else H + 1) >= 2", 0, "E0312"),
    ],
)
def test_sizes_start_at_1_by_default(where: str, size: int, code: str) -> None:
    assert errors(spec(where, size)) == [code]


@pytest.mark.parametrize(
    ("where", "sizes"),
    [
        ("P >= 0, P <= 0", {0}),
        ("P >= 0, P < 1", {0}),
        ("P == 0, P >= 0", {0}),
        ("P * 2 <= 0, P >= 0", {0}),
        ("P * H <= 0, P >= 0", {0}),
        ("0 <= P, P <= 0", {0}),
        ("P > -1, P <= 0", {0}),
        ("P >= 0 and P <= 0", {0}),
        ("P >= 0, P % 3 == 0, P < 3", {0}),
        ("P >= 0, P % 3 == 0, P < 4", {0, 3}),
        ("P >= 0, max(P, 1) == 1", {0, 1}),
        ("P >= 0, P // 3 == 0", {0, 1, 2}),
        ("0 <= P", set(range(LAST))),
        ("P >= 0, (if P >= 0 then H else H + 1) >= 1", set(range(LAST))),
    ],
)
def test_size_0_is_valid_if_where_allows_it(where: str, sizes: set[int], tmp_path: Path) -> None:
    net = network(where, 0)
    assert {size for size in range(LAST) if net.accepts(P=size)} == sizes
    assert {size for size in range(LAST) if net.valid_sizes.accepts({"P": size, "H": 2})} == sizes
    assert net.macs(P=0) == net.macs() == net.report().macs_at_sizes == 2 * 4 * 3
    assert net.report().sizes["P"] == 0
    assert "concat" in net.draw(tmp_path / "net.svg").read_text()
    for size in set(range(LAST)) - sizes:
        with pytest.raises(ValueError, match="does not accept"):
            net.macs(P=size)


COMPARED = st.builds(
    "{} {} {}".format,
    st.sampled_from(["P", "2 * P", "P * H", "P % 3", "P // 2", "P + H", "max(P, 2)", "P - H"]),
    st.sampled_from(["==", "!=", "<=", ">=", "<", ">"]),
    st.integers(0, 4),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(COMPARED, min_size=1, max_size=3), st.booleans(), st.integers(0, 3))
def test_where_is_evaluated_as_in_python(clauses: list[str], begins: bool, size: int) -> None:
    conditions = [*clauses, "P >= 0"] if begins else clauses
    first = 0 if {"P >= 0", "2 * P >= 0"} & set(conditions) else 1

    def allows(p: int, h: int) -> bool:
        names = {"P": p, "H": h, "max": max}
        return p >= first and all(
            eval(clause, names) for clause in conditions
        )  # with Python's operators

    found = errors(spec(", ".join(conditions), size))
    if size < first:
        assert found == ["E0309"]
    elif not any(allows(p, h) for p in range(LAST) for h in range(1, LAST)):
        assert found == ["E0402"]
    elif not allows(size, 2):
        assert found == ["E0707"]
    else:
        assert found == []
        net = network(", ".join(conditions), size)
        for p, h in [(p, h) for p in range(6) for h in range(1, 6)]:
            assert net.accepts(P=p, H=h) == allows(p, h), (p, h)
            assert net.valid_sizes.accepts({"P": p, "H": h}) == allows(p, h), (p, h)
