"""Random rules of two integers, with the shape of their results, next to them as text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hypothesis import strategies as st

NAME = r"\bn\b"
NUMBERS = ("n", "w", "2 * w", "n + w", "n * w", "3", "w + 1", "4 * n")
WITHOUT_N = ("w", "2 * w", "w + 1", "3")
OTHERWISE = ("{} + 1", "{} + n - 1", "if n > 2 then {} else {} + 1", "n * {}", "w", "4")
"""Possible replacements for a number, different for at least some n and w."""


@dataclass(frozen=True)
class Step:
    """Layers in the language, and the sizes after them, as Python expressions."""

    text: str
    sizes: tuple[str, ...]


@dataclass(frozen=True)
class RandomRule:
    """Clauses of a rule f(n, w), and its signature: the number of tensors, their sizes without
    B."""

    clauses: tuple[str, ...]
    promise: tuple[str, ...]
    count: str = "1"
    least: int = 1

    @property
    def recursive(self) -> bool:
        """Whether the rule is recursive."""
        return any("f(n - 1, w)" in clause for clause in self.clauses)

    @property
    def signed(self) -> str:
        """The rule with its signature."""
        sizes = ", ".join(("B", *self.promise))
        right = f"[{sizes}]" if self.count == "1" else f"({self.count}) * [{sizes}]"
        head = f"rule f(n: int in {self.least}.., w: int in 1..): [B, C, H, W] -> {right}"
        return "\n".join((head, *self.clauses)) + "\n"

    @property
    def unsigned(self) -> str:
        """The rule without it."""
        return "\n".join(self.clauses) + "\n"


def _channels(draw: st.DrawFn, sizes: tuple[str, ...]) -> Step:
    _, high, wide = sizes
    e = draw(st.sampled_from(NUMBERS))
    text, channels = draw(
        st.sampled_from(
            (
                (f"conv({e}, 3)", e),
                (f"conv({e}, 1, bias=false) -> batch_norm -> relu", e),
                (f"conv(2 * ({e}), 1) -> conv({e}, 3, groups={e})", e),
                (f"conv({e}, 1) -> conv(same, 3, groups=each)", e),
                (f"conv(2 * ({e}), 1) -> glu(axis=1)", e),
                (f"conv(6 * ({e}), 1) -> group_norm({e})", f"6 * ({e})"),
                (f"conv({e}, 1) -> prelu({e})", e),
                (f"conv({e}, 1) -> prelu(w)", e),
                (f"conv(3 * ({e}), 1) -> slice(axis=1, stop={e})", e),
                (f"[conv({e}, 1), conv(w, 1)] -> concat", f"({e}) + w"),
                (f"[conv({e}, 1), conv({e}, 3)] -> add", e),
                (f"conv({e}, 1) -> mul(n)", e),
            )
        )
    )
    return Step(text, (channels, high, wide))


def _spaces(draw: st.DrawFn, sizes: tuple[str, ...]) -> Step:
    c, h, w = sizes
    e = draw(st.sampled_from(("n", "w", "2", "w + 1")))
    text, found = draw(
        st.sampled_from(
            (
                ("max_pool(2)", (c, f"({h}) // 2", f"({w}) // 2")),
                ("conv(same, 3, stride=2)", (c, f"(({h}) - 1) // 2 + 1", f"(({w}) - 1) // 2 + 1")),
                (f"pad([(2, 1, {e})])", (c, f"({h}) + 1 + ({e})", w)),
                (f"conv_transpose({e}, 2, stride=2)", (e, f"({h}) * 2", f"({w}) * 2")),
                (f"conv(w * {e}, 1) -> relu", (f"w * {e}", h, w)),
                (
                    f"conv(w * ({e}) * ({e}), 1) -> pixel_shuffle({e})",
                    ("w", f"({h}) * ({e})", f"({w}) * ({e})"),
                ),
                (f"adaptive_avg_pool({e})", (c, e, e)),
                (f"adaptive_avg_pool(3 * ({e})) -> pixel_unshuffle(3)", (f"9 * ({c})", e, e)),
                (f"roll({e}, 2)", sizes),
                (f"tril({e}) -> local_response_norm({e})", sizes),
                (f"conv({e}, n)", (e, h, w)),
                (f"max_pool({e})", (c, f"({h}) // ({e})", f"({w}) // ({e})")),
                (f"dropout(0.1) -> leaky_relu({e})", sizes),
                ("upsample(2)", (c, f"({h}) * 2", f"({w}) * 2")),
                ('rearrange("b c h w -> b c w h")', (c, w, h)),
            )
        )
    )
    return Step(text, found)


def _last(draw: st.DrawFn, sizes: tuple[str, ...]) -> Step:
    _, h, w = sizes
    rows = 'rearrange("b c h w -> b (h w) c")'
    e = draw(st.sampled_from(NUMBERS))
    return draw(
        st.sampled_from(
            (
                Step("identity", sizes),
                Step("identity", sizes),
                Step(f"global_avg_pool -> flatten -> linear({e})", (e,)),
                Step(f"{rows} -> linear({e})", (f"({h}) * ({w})", e)),
                Step(
                    f"conv(3 * ({e}), 1) -> {rows} -> multihead_attention({e})",
                    (f"({h}) * ({w})", f"3 * ({e})"),
                ),
                Step(f"{rows} -> linear(2 * n) -> slice(axis=2, stop=n)", (f"({h}) * ({w})", "n")),
                Step(f"cast(i64) -> embedding(9, {e}) -> select(axis=1, index=0)", (h, w, e)),
                Step(f"std(axis=1, keepdim=true, correction={e})", ("1", h, w)),
            )
        )
    )


@st.composite
def _chains(draw: st.DrawFn) -> Step:
    texts, sizes = [], ("C", "H", "W")
    for kind in draw(st.lists(st.sampled_from((_channels, _channels, _spaces)), max_size=3)):
        step = kind(draw, sizes)
        texts.append(step.text)
        sizes = step.sizes
    step = _last(draw, sizes)
    return Step(" -> ".join((*texts, step.text)), step.sizes)


@st.composite
def _plain(draw: st.DrawFn) -> RandomRule:
    chain = draw(_chains())
    clause = f"rule f(n, w) => {chain.text}"
    special = (f"rule f(2, w) => {re.sub(NAME, '2', chain.text)}",)
    guarded = (f"rule f(n, w) if n > 3 => {chain.text}",)
    first = draw(st.sampled_from(((), (), special, guarded)))
    return RandomRule((*first, clause), chain.sizes)


@st.composite
def _growing(draw: st.DrawFn) -> RandomRule:
    e = draw(st.sampled_from(WITHOUT_N))
    step = f"[identity, conv({e}, 3)] -> concat -> f(n - 1, w)"
    clauses = ("rule f(0, w) => identity", f"rule f(n, w) => {step}")
    return RandomRule(clauses, (f"C + n * ({e})", "H", "W"), least=0)


@st.composite
def _narrowing(draw: st.DrawFn) -> RandomRule:
    e = draw(st.sampled_from(WITHOUT_N))
    last = f"rule f(1, w) => conv({e}, 3)"
    return RandomRule((last, f"rule f(n, w) => conv({e}, 1) -> f(n - 1, w)"), (e, "H", "W"))


@st.composite
def _columns(draw: st.DrawFn) -> RandomRule:
    """As many tensors as FractalNet has columns, or twice as many."""
    unit = draw(st.sampled_from(("conv(w, 3)", "conv(w, 1) -> relu", "conv(n, 1)")))
    units, count = draw(st.sampled_from(((unit, "n"), (f"{unit}, {unit}", "2 * n - 1"))))
    step = f"[{units}, ...(f(n - 1, w) -> join -> f(n - 1, w))]"
    clauses = (f"rule f(1, w) => [{re.sub(NAME, 'w', unit)}]", f"rule f(n, w) => {step}")
    count = draw(st.sampled_from((count, count, "n + 1", "w")))
    return RandomRule(clauses, ("w", "H", "W"), count)


@st.composite
def rules(draw: st.DrawFn) -> RandomRule:
    """A rule and its signature, which may be wrong in one size."""
    rule = draw(st.one_of(_plain(), _plain(), _plain(), _growing(), _narrowing(), _columns()))
    if draw(st.booleans()):
        return rule
    at = draw(st.integers(0, len(rule.promise) - 1))
    other = draw(st.sampled_from(OTHERWISE)).format(*[f"({rule.promise[at]})"] * 2)
    promise = (*rule.promise[:at], other, *rule.promise[at + 1 :])
    return replace(rule, promise=promise)
