"""Random programs with layers that are shared, arguments of ops, tapped, joined or inline."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.property.programs import HEAD, WHERE, layers, plain

SIZED = (
    "crop([(2, 0, (P + 1) // 2)])",
    "reshape([B_, C_, P * Q, 1])",
    "pad([(2, 0, P)])",
    "pad([(3, P, Q)])",
    "resize((Q, P))",
    "expand([B_, C_, P, Q])",
    'rearrange("b c h w -> b c w h")',
    'rearrange("b c (h p) w -> b (c p) h w", p=2)',
    'repeat("b c h w -> b c (h k) w", k=2)',
    'reduce("b c h w -> b c h 1", "mean")',
    "flatten(2) -> unsqueeze(3)",
    "flatten(2) -> unflatten(2, [P, Q])",
    "slice(axis=2, start=0, stop=P // 2 + 1)",
    "v + (zeros([P, Q]) -> reshape([1, 1, P, Q]))",
    "{ input u: [B2, C2, P2, Q2]\n a, b = u -> split([P2 // 2, P2 - P2 // 2], axis=2)\n output b }",
    "unused",
)
"""Layers that preserve one size of `v`, [B_, C_, P, Q]."""

KEEPING = ("conv(C_, 3)", "batch_norm", "residual(conv(C_, 3))", "relu", "roll(1, 2)")
"""Layers that preserve the type of [B_, C_, P, Q]."""


@st.composite
def _body(draw: st.DrawFn, inner: str) -> str:
    """Statements of a body with input `v`."""
    sized = draw(st.sampled_from(SIZED))
    first = draw(st.booleans())
    if sized.startswith("v +"):
        text = f"({sized}) -> {inner}"
    elif sized == "unused":
        text = f"v -> {inner}"
    elif first or sized.startswith(("expand", "flatten(2) -> unflatten")):
        text = f"v -> {sized} -> {inner}"
    else:
        text = f"v -> conv(C_, 1) -> {sized} -> {inner}"
    again = draw(st.booleans())
    if again:
        once = f"shared s = {draw(st.sampled_from(KEEPING))}"
        kept = inner in KEEPING and "(c p)" not in sized
        text = text.replace("v ->", "v -> s ->", 1) + (" -> s" if kept else "")
        return f"input v: [B_, C_, P, Q]\n {once}\n output {text}"
    return f"input v: [B_, C_, P, Q]\n output {text}"


@st.composite
def _held(draw: st.DrawFn) -> str:
    """A layer on [B_, C_, P, Q] for the body of an op, which preserves the channels."""
    kept = draw(st.sampled_from(KEEPING))
    more = draw(
        st.sampled_from(("identity", "crop([(2, 0, P // 2)]) -> pad([(2, 0, P - P // 2)])"))
    )
    layer = f"{{ input u: [B_, C_, P, Q]\n output u -> {more} -> {kept} }}"
    kind = draw(st.sampled_from(("iterate", "scan", "gated")))
    if kind == "iterate":
        return f"iterate({layer}, {draw(st.integers(1, 3))})"
    if kind == "scan":
        step = "{ input t, u: [B_, C_, P, Q]\n output (t -> mean)\n output u -> %s -> %s }"
        step %= (more, kept)
        return f"{{ input w\n y, z = (w, w) -> scan({step}, axis=1)\n output z }}"
    gate = "(w -> abs -> mean) >= 0"
    return f"{{ input w\n output ({gate}, w, w) -> gated({layer}) }}"


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a network `net` whose layer `f` is used several times."""
    where = draw(st.sampled_from(WHERE))
    inner = draw(st.one_of(plain, layers, _held(), st.sampled_from(KEEPING)))
    inner = inner.replace("C_)", "3)").replace("C_, 3)", "3, 3)")
    fixed = draw(st.booleans())
    height, width = ("25", "24") if "H % 3" in where else ("24", "24")
    height = "30" if "H > W" in where else height
    square = not where and draw(st.booleans())
    kind = draw(st.sampled_from(("bare", "group", "inline", "block", "anonymous", "tap", "open")))
    definitions, shared = "", inner
    body = draw(_body(inner))
    if kind == "group":
        shared = f"f: ({inner} -> relu)"
    elif kind in ("inline", "block", "tap"):
        word = "inline block" if kind == "inline" else "block"
        definitions = f"{word} mine {{\n {body}\n}}\n"
        if kind == "tap":
            definitions = f"block mine {{\n {body} -> c1: conv(4, 1) -> relu -> c2: conv(2, 1) }}\n"
        shared = {"tap": 'f: tap(mine, "c1")'}.get(kind, draw(st.sampled_from(("mine", "f: mine"))))
    elif kind == "anonymous":
        shared = draw(st.sampled_from(("", "f: "))) + f"{{\n {body}\n}}"
    uses = draw(
        st.lists(
            st.sampled_from(
                (
                    "x -> f",
                    "x -> max_pool(2) -> f",
                    "x -> transpose(2, 3) -> f",
                    "x -> pad([(2, 1, 2)]) -> f",
                    "x -> if training { max_pool(2) } -> f",
                    "x -> if training { f -> again@: conv(3, 1) } -> f",
                    "x -> f -> conv(3, 1) -> f",
                    "x -> iterations@: for i in 0..2 { f -> conv(3, 1) }",
                    "(x -> f -> conv(3, 1), x -> conv(3, 1) -> f -> conv(3, 1)) -> join",
                    "x -> [iterate(conv(3, 3), 2), f -> conv(3, 1)] -> join",
                    "x -> [f -> conv(3, 1), conv(3, 1) -> f -> conv(3, 1)] -> join",
                    "x -> g",
                    "x -> max_pool(2) -> g",
                )
            ),
            min_size=1,
            max_size=4,
        )
    )
    statements = [f"input x: f32[B = 2, 3, {_axes(fixed, square, height, width)}]"]
    if not fixed:
        statements[0] += where
    statements.append(f"shared f = {shared}")
    statements.append("shared g = g: (f -> conv(2, 1))")
    statements += [f"output y{at} = {use}".replace("@", str(at)) for at, use in enumerate(uses)]
    return f"{HEAD}\n{definitions}\nnetwork net {{\n  " + "\n  ".join(statements) + "\n}\n"


def _axes(fixed: bool, square: bool, height: str, width: str) -> str:
    if fixed:
        return "24, 24" if square else f"{height}, {width}"
    return "H = 24, H" if square else f"H = {height}, W = {width}"
