"""Edits for comprehensions: brackets, spreads, and loops inside of loops."""

from __future__ import annotations

from archspec.diagnostics.model import Edit
from archspec.syntax.keywords import CLOSERS
from archspec.syntax.mistake_edits import NEAR, between
from archspec.syntax.site import Site


def chain_in_parentheses(s: Site) -> tuple[Edit, ...]:
    """`for t in x -> f)` as `for t in (x -> f))`."""
    depth = s.token.depth
    first = next((at for at in range(-1, s.opener(), -1) if s.near(at).type == "in"), 0)
    last = 1
    while last < NEAR and not (s.near(last).type in CLOSERS and s.near(last).depth == depth):
        if s.near(last).type in ("NL", "$END", "", "if"):
            return ()
        last += 1
    if not first:
        return ()
    start, end = s.near(first + 1).start, s.near(last - 1).end
    return (Edit(between(s, start, start), "("), Edit(between(s, end, end), ")"))


def spread_comprehension(s: Site) -> tuple[Edit, ...]:
    """`[f(r) for r in rates, g]` as `[...[f(r) for r in rates], g]`."""
    opener, depth = s.opener(), s.token.depth
    commas = [at for at in range(opener, 0) if s.near(at).type == "," and s.near(at).depth == depth]
    first = commas[-1] + 1 if s.type == "for" and commas else opener + 1
    last, ended = 0, s.type != "for"
    while last < NEAR and not (s.near(last).depth == depth and s.near(last).type in CLOSERS):
        if s.near(last).type in ("$END", ""):
            return ()
        ended = ended or s.near(last).type == "in"
        if ended and s.near(last).depth == depth and s.near(last).type == ",":
            break
        last += 1
    start, end = s.near(first).start, s.near(last - 1).end
    if s.near(opener).type != "[" or last >= NEAR:
        return ()
    return (Edit(between(s, start, start), "...["), Edit(between(s, end, end), "]"))


def comprehension_inside(s: Site) -> tuple[Edit, ...]:
    """`[f(i, j) for i in a for j in b]` as `[...[f(i, j) for j in b] for i in a]`."""
    opener, depth, last = s.opener(), s.token.depth, 1
    first = next(at for at in range(opener, 0) if s.near(at).type == "for")
    while s.near(last).depth != depth or s.near(last).type not in CLOSERS:
        if last >= NEAR or s.near(last).type in ("$END", "for"):
            return ()
        last += 1
    start, end = s.near(opener + 1).start, s.near(last - 1).end
    element = between(s, start, s.near(first - 1).end).text
    outer = between(s, s.near(first).start, s.near(-1).end).text
    inner = f"{element} {between(s, s.token.start, end).text}"
    return (Edit(between(s, start, end), f"...{s.word(opener)}{inner}{s.word(last)} {outer}"),)


def comprehension_in_brackets(s: Site) -> tuple[Edit, ...]:
    """`sum(f(x) for x in xs)` as `sum([f(x) for x in xs])`."""
    opener, depth, last = s.opener(), s.token.depth, 1
    while s.near(last).depth != depth or s.near(last).type not in CLOSERS:
        if last >= NEAR or s.near(last).type in (",", "$END"):
            return ()
        last += 1
    inside = [s.near(at) for at in range(opener + 1, 0)]
    if any(token.type == "," and token.depth == depth for token in inside):
        return ()
    start, end = s.near(opener).end, s.near(last).start
    return (Edit(between(s, start, start), "["), Edit(between(s, end, end), "]"))
