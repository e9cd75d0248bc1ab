"""The `where` of a block, an inline body and a layer argument works like that of a network."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.graph.verify import verify
from archspec.network import Network
from archspec.semantics.compile import check, load_network
from archspec.source import Source
from tests.semantics.specs import errors

CUT = "slice(axis=2, start=-3, stop=5)"

FORMS = {
    "block": ("block b {{\n{taken}\n output t -> {layer} }}", "b"),
    "inline block": ("inline block b {{\n{taken}\n output t -> {layer} }}", "b"),
    "in place": ("", "{{\n{taken}\n output t -> {layer} }}"),
    "region": ("", "iterate({{\n{taken}\n output (t -> {layer}, t) }}, 2)"),
    "callee": ("block c {{ {layer} }}\nblock b {{\n{taken}\n output t -> c }}", "b"),
    "inline callee": ("inline block c {{ {layer} }}\nblock b {{\n{taken}\n output t -> c }}", "b"),
    "rule": ("rule c() => {layer}\nblock b {{\n{taken}\n output t -> c }}", "b"),
    "loop": ("block b {{\n{taken}\n output t -> for i in 0..1 {{ {layer} }} }}", "b"),
    "two inputs": (
        "block b {{\n{taken}\n input u where W >= 1\n output t -> {layer} }}",
        "[identity, identity] -> b",
    ),
    "caller": (
        "block c {{\n input t: [B, C, H, W]\n output t -> {layer} }}\n"
        "block b {{\n{taken}\n output t -> [c, c] -> add }}",
        "b",
    ),
}


def spec(form: str, where: str, layer: str, size: int = 6, outer: str = "") -> str:
    head, body = (
        part.format(taken=f" input t: [B, C, H, W] where {where}", layer=layer)
        for part in FORMS[form]
    )
    clause = f" where {outer}" if outer else ""
    return (
        f"{head}\nnetwork net {{\n  input x: f32[B = 1, 4, H = {size}, W = 6]{clause}\n"
        f"  output y = x -> {body}\n}}\n"
    )


def plain(where: str, layer: str, size: int = 6) -> str:
    return (
        f"network net {{\n  input x: f32[B = 1, 4, H = {size}, W = 6] where {where}\n"
        f"  output y = x -> {layer}\n}}\n"
    )


HALVES = "[identity, max_pool(2) -> upsample(2)] -> add"

CASES = [
    ("H <= 8, H >= 3", CUT, ["E0404"]),
    ("H <= 8, H >= 5", CUT, []),
    ("H <= 8 and H >= 5", CUT, []),
    ("H == 5 or H == 7", CUT, []),
    ("H == 5 or H == 9", CUT, ["E0404"]),
    ("H >= 5", CUT, ["E0402"]),
    ("W >= 5", CUT, ["E0402"]),
    ("H % 2 == 0, W % 2 == 0", HALVES, []),
    ("H % 3 == 0, W % 2 == 0", HALVES, ["E0404"]),
    ("H <= 3, H >= 8", CUT, ["E0402"]),
    ("H > 7", "if H > 5 { relu }", []),
    ("H > 7", "if H > 8 { relu }", ["E0312"]),
    ("H == W", "{ input u: [B, C, W, H]\n output (u -> transpose(2, 3)) + u }", []),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("where", "layer", "codes"), CASES)
def test_where_applies_in_every_position(
    form: str, where: str, layer: str, codes: list[str]
) -> None:
    if "H > " in layer and form in ("callee", "inline callee", "rule"):
        return  # they do not read H
    size = 8 if "H > 7" in where else 5 if "H == 5" in where else 6
    assert errors(plain(where, layer, size)) == codes
    assert errors(spec(form, where, layer, size)) == codes


WHERES = {
    "H <= 8": lambda h: h <= 8,
    "H >= 3": lambda h: h >= 3,
    "H % 2 == 0": lambda h: h % 2 == 0,
    "H >= 4, H <= 9": lambda h: 4 <= h <= 9,
    "H == 4 or H == 6": lambda h: h in (4, 6),
    "H >= 2, H % 3 != 1": lambda h: h >= 2 and h % 3 != 1,
}


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(sorted(WHERES)), st.integers(-6, 4), st.integers(-6, 8), st.sampled_from("bcd")
)
def test_where_of_a_block_affects_only_that_block(
    where: str, start: int, stop: int, used: str
) -> None:
    """The block `c` is called under the `where` of `b`, or without one, or both."""

    def fits(h: int) -> bool:
        first, last = (at + h if at < 0 else at for at in (start, stop))
        return 0 <= first <= last <= h

    def promised(h: int) -> bool:
        return used == "c" or WHERES[where](h)

    uses = {"b": "b", "c": "c", "d": "[b, c] -> add"}[used]
    text = (
        f"block c {{ slice(axis=2, start={start}, stop={stop}) }}\n"
        f"block b {{\n input t: [B, C, H, W] where {where}\n output t -> c }}\n"
        f"network net {{\n  input x: f32[B = 1, 4, H = 6, W = 6]\n  output y = x -> {uses}\n}}\n"
    )
    found = errors(text)
    taken = [h for h in range(1, 60) if promised(h) and fits(h)]
    if not taken:
        assert found
    if used == "b" and all(fits(h) for h in range(1, 60) if promised(h)):
        assert found == []
    if found == []:
        net = Network(load_network(Source("net.arch", text))[0])
        assert [h for h in range(1, 60) if net.accepts(H=h)] == taken
        assert verify(net.compiled.inference) == ()


def test_conditions_implied_by_a_where_are_part_of_the_valid_sizes() -> None:
    text = spec("block", "H <= 8, H >= 5", CUT)
    net = Network(load_network(Source("net.arch", text))[0])
    assert str(net.valid_sizes) == "H >= 5, H <= 8"
    assert codes_of("H <= 8, H >= 5") == ["W0401"]
    assert codes_of("H <= 8, H >= 5", "H >= 6, H <= 7") == []
    assert codes_of("H <= 8, H >= 5", "H >= 6") == ["E0404"]


def codes_of(where: str, outer: str = "") -> list[str]:
    found = check(Source("net.arch", spec("block", where, CUT, 6, outer))).diagnostics
    return [item.code for item in found]
