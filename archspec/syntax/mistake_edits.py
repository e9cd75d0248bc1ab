"""Edits for mistakes that a single token does not repair. Each returns none if it is uncertain."""

from __future__ import annotations

import re
from collections.abc import Callable

from archspec.diagnostics.model import Edit
from archspec.source import Span
from archspec.syntax.keywords import CLOSERS, OPENERS
from archspec.syntax.range_steps import stepped
from archspec.syntax.site import Site

NEAR = 60
"""Number of tokens examined on either side."""

_ENDS = frozenset(
    {"NL", ",", "->", "=", "=>", "$END", "then", "else", "", "where", "when", "output"}
)


def between(s: Site, start: int, end: int) -> Span:
    """The span from one offset of the text to another."""
    return Span(s.reader.k.source, start, end)


def write_before(text: str) -> Callable[[Site], tuple[Edit, ...]]:
    """Write `text` in place of the previous token; several values behind it are a tuple."""

    def edits(s: Site) -> tuple[Edit, ...]:
        last, depth = 0, s.token.depth - (s.type in OPENERS)
        several = False
        while last < NEAR and s.near(last).type not in ("NL", "$END", ""):
            if s.near(last).type == "}" and s.near(last).depth <= depth:
                break
            inner = s.near(last).depth - (s.near(last).type in OPENERS)
            several = several or (s.near(last).type == "," and inner == depth)
            last += 1
        if not several or last >= NEAR:
            return (Edit(s.span(-1), text),)
        start, end = s.token.start, s.near(last - 1).end
        opened, closed = Edit(between(s, start, start), "("), Edit(between(s, end, end), ")")
        return (Edit(s.span(-1), text), opened, closed)

    return edits


def label_before(s: Site) -> tuple[Edit, ...]:
    """`conv(3) as stem` as `stem: conv(3)`."""
    first = operand_before(s)
    start, end = s.near(first).start, s.near(-1).end
    return (
        Edit(between(s, start, start), f"{s.word(1)}: "),
        Edit(between(s, end, s.near(1).end), ""),
    )


def sum_of_chain(s: Site) -> tuple[Edit, ...]:
    """`x -> f -> + y` as `(x -> f) + y`."""
    at, depth = -1, s.token.depth
    while at > -NEAR and s.near(at).type not in ("=", "output", "NL", "{", "(", "[", ","):
        at -= 1
        while s.near(at).type in CLOSERS or s.near(at).depth > depth:
            at -= 1
    start, end = s.near(at + 1).start, s.near(-2).end
    if at <= -NEAR or s.near(at).type == "NL":
        return ()
    return (Edit(between(s, start, start), "("), Edit(between(s, end, s.token.start), ") "))


def name_behind(s: Site) -> tuple[Edit, ...]:
    """`network {` as `network net {`."""
    if s.after not in ("{", "("):
        return ()
    end = s.token.end
    return (Edit(between(s, end, end), " net" if s.word() == "network" else " unit"),)


def without_before(s: Site) -> tuple[Edit, ...]:
    """Remove the previous token, and the space after it."""
    text, token = s.reader.k.source.text, s.near(-1)
    end = token.end + len(text[token.end :]) - len(text[token.end :].lstrip(" "))
    return (Edit(between(s, token.start, min(end, s.token.start)), ""),)


def result_out(s: Site) -> tuple[Edit, ...]:
    """`block f -> Tensor {` as `block f {`."""
    last = 0
    while s.near(last).type not in ("{", ":", "NL", "$END", "") and last < NEAR:
        last += 1
    place = between(s, s.near(-1).end, s.near(last - 1).end)
    return (Edit(place, ""),) if s.near(last).type == "{" else ()


def line_out(s: Site) -> tuple[Edit, ...]:
    """Remove the line."""
    source = s.reader.k.source
    line = source.position(s.token.start)[0]
    starts = source.line_starts
    end = starts[line] if line < len(starts) else len(source.text)
    return (Edit(between(s, starts[line - 1], end), ""),)


def leading_zero(s: Site) -> tuple[Edit, ...]:
    """`.5` as `0.5`."""
    return (Edit(s.span(), "0."),)


def braces(s: Site) -> tuple[Edit, ...]:
    """Add braces around a body that is marked by `:` and by indentation."""
    text = s.reader.k.source.text
    colon, newline = s.token, text.find("\n", s.token.end)
    newline = len(text) if newline < 0 else newline
    gap = "" if text[colon.start - 1 : colon.start] == " " else " "
    opened = Edit(between(s, colon.start, colon.end), gap + "{")
    rest = text[colon.end : newline].partition("#")[0].rstrip()
    if rest.strip():
        end = colon.end + len(rest)
        return (opened, Edit(between(s, end, end), " }"))
    margin = _indent(text, colon.start)
    end = newline
    for line in re.finditer(r"\n([ \t]*)([^\n]*)", text[newline:][:4000]):
        if not line[2].strip():
            continue
        if len(line[1].expandtabs(2)) <= len(margin.expandtabs(2)):
            break
        end = newline + line.end()
    if end == newline:
        return ()
    return (opened, Edit(between(s, end, end), f"\n{margin}}}"))


def chosen(s: Site) -> tuple[Edit, ...]:
    """`if c: a else b` with `then`, and with braces if the body is on lines of its own."""
    text = s.reader.k.source.text
    line = text[s.token.end :].partition("\n")[0].partition("#")[0]
    if " else " in line:
        gap = "" if text[s.token.start - 1 : s.token.start] == " " else " "
        return (Edit(s.span(), f"{gap}then"),)
    return braces(s)


def _indent(text: str, at: int) -> str:
    start = text.rfind("\n", 0, at) + 1
    line = text[start:at]
    return line[: len(line) - len(line.lstrip())]


def operand_before(s: Site, end: int = 0) -> int:
    """Offset of the first token of the expression that ends before the token at an offset."""
    at, open_ = end - 1, 0
    while at > -NEAR and s.at + at >= 0:
        kind = s.near(at).type
        if kind in CLOSERS:
            open_ += 1
        elif kind in OPENERS:
            if not open_:
                break
            open_ -= 1
        elif kind in _ENDS and not open_:
            break
        at -= 1
    return at + 1


def operand_behind(s: Site, at: int) -> int:
    """Offset of the last token of the expression that begins at an offset."""
    open_ = 0
    while at < 2 * NEAR:
        kind = s.near(at).type
        if kind in OPENERS:
            open_ += 1
        elif kind in CLOSERS:
            if not open_:
                break
            open_ -= 1
        elif kind in _ENDS and not open_:
            break
        at += 1
    return at - 1


def type_behind(s: Site) -> tuple[Edit, ...]:
    """`int width` as `width: int`."""
    return (Edit(s.span(-1, 0), f"{s.word()}: {s.word(-1)}"),)


def type_before_default(s: Site) -> tuple[Edit, ...]:
    """`width = int 3` as `width: int = 3`."""
    return (Edit(s.span(-3, 0), f"{s.word(-3)}: {s.word(-1)} = {s.word()}"),)


def body_in_braces(s: Site) -> tuple[Edit, ...]:
    """`for i in 0..3 conv(8, 3) -> relu` as `for i in 0..3 { conv(8, 3) -> relu }`."""
    start, last = s.token.start, 0
    while (last := operand_behind(s, last)) >= 0 and s.near(last + 1).type == "->":
        last += 2
    if last < 0:
        return ()
    end = s.near(last).end
    return (Edit(between(s, start, start), "{ "), Edit(between(s, end, end), " }"))


def in_parentheses(s: Site) -> tuple[Edit, ...]:
    """`block f n {` as `block f(n) {`."""
    at = 0
    while s.near(at + 1).type in ("NAME", ",", ":"):
        at += 1
    place = between(s, s.near(-1).end, s.near(at).end)
    return (Edit(place, f"({place.text.strip()})"),) if s.near(at + 1).type == "{" else ()


def half_open(s: Site) -> tuple[Edit, ...]:
    """`0..=3` as `0..4`, `0..<n` as `0..n`."""
    if s.type == "<":
        return (Edit(s.span(-1, 0), ".."),)
    if s.after == "NUMBER" and s.word(1).isdecimal():
        return (Edit(s.span(-1, 1), f"..{int(s.word(1)) + 1}"),)
    if s.after == "NAME" and s.near(2).type in ("{", ")", "]", "NL"):
        return (Edit(s.span(-1, 1), f"..{s.word(1)} + 1"),)
    return ()


def steps(s: Site) -> tuple[Edit, ...]:
    """`0..8..2` and `0..8 step 2` as `[2 * i for i in 0..4]`."""
    if s.near(-2).type != ".." or s.near(-3).type != "NUMBER" or s.near(-1).type not in _ENDS_RANGE:
        return ()
    if s.near(-4).type not in ("in", "(", "[", ",", "="):
        return ()
    written = stepped(*(s.word(at) for at in (-3, -1, 1)))
    return (Edit(s.span(-3, 1), written),) if written else ()


_ENDS_RANGE = ("NUMBER", "NAME")


def repeated(s: Site) -> tuple[Edit, ...]:
    """`repeat(3) {` as `for _ in 0..3 {`."""
    if s.word(-4) not in ("repeat", "loop", "times") or s.near(-3).type != "(":
        return ()
    return (Edit(s.span(-4, -1), f"for _ in 0..{s.word(-2)}"),)


def names_of_loop(s: Site) -> tuple[Edit, ...]:
    """`for [a, b] in` as `for a, b in`."""
    last = 1
    while s.near(last).type in ("NAME", ","):
        last += 1
    if s.near(last).type != "]" or s.near(last + 1).type != "in":
        return ()
    return (Edit(s.span(), ""), Edit(s.span(last, last), ""))


def attributes(s: Site) -> tuple[Edit, ...]:
    """`conv 8, 3` as `conv(8, 3)`."""
    last, values = 0, [s.word()]
    while s.near(last + 1).type in (",", "NUMBER", "STRING"):
        last += 1
        values += [s.word(last)] * (s.near(last).type != ",")
    if s.near(last + 1).type not in ("->", "NL", "}", "$END"):
        return ()
    return (Edit(between(s, s.near(-1).end, s.near(last).end), f"({', '.join(values)})"),)


def type_of_layer(s: Site) -> tuple[Edit, ...]:
    """`nn.Module` as `layer`."""
    if s.after != "NAME" or s.near(2).type not in ("=", ",", ")"):
        return ()
    return (Edit(s.span(-1, 1), "layer"),)


def plain_list(s: Site) -> tuple[Edit, ...]:
    """`list[tuple[int, int]]` as `list`."""
    start, text = s.near(s.opener() - 2).start, s.reader.k.source.text
    end = text.find("]]", s.token.end, s.token.end + 80)
    return (Edit(between(s, start, end + 2), ""),) if end >= 0 else ()


def arguments_of_preset(s: Site) -> tuple[Edit, ...]:
    """`a { width = 64 }` as `a(width = 64)`."""
    text = s.reader.k.source.text
    end = text.find("}", s.token.end)
    inside = text[s.token.end : end].strip() if end >= 0 else ""
    if not inside or "{" in inside or "\n" in inside:
        return ()
    return (Edit(between(s, s.near(-1).end, end + 1), f"({inside})"),)


def all_names(s: Site) -> tuple[Edit, ...]:
    """`use std.cnn.*` as `use std.cnn`, `{ a as b }` as `{ a }`."""
    if s.type == "*" and s.before == ".":
        return (Edit(s.span(-1, 0), ""),)
    if s.word() == "as":
        return (Edit(between(s, s.near(-1).end, s.near(1).end), ""),)
    return ()


def arrow_in_two(s: Site) -> tuple[Edit, ...]:
    """`- >` as `->`."""
    return (Edit(s.span(-1, 0), "->"),)


def dotted_label(s: Site) -> tuple[Edit, ...]:
    """`a.b:` as `"a.b":`."""
    at = -1
    while s.near(at - 1).type == "." and s.near(at - 2).type == "NAME":
        at -= 2
    place = s.span(at, -1)
    return (Edit(place, f'"{place.text}"'),)


def used_file(s: Site) -> tuple[Edit, ...]:
    """`use "blocks.arch"` as `use blocks`, `use std.cnn as cnn` without the `as`."""
    if s.word() == "as":
        return (Edit(between(s, s.near(-1).end, s.near(1).end), ""),)
    name = s.word().strip("\"'").removesuffix(".arch").removeprefix("./").replace("/", ".")
    return (Edit(s.span(), name),) if re.fullmatch(r"[A-Za-z_][\w.]*", name) else ()


_JOINED = re.compile(r'"([^"{}]*)"\s*\+\s*(?:str\((\w+)\)|(\w+))$')


def joined_label(s: Site) -> tuple[Edit, ...]:
    """`"layer" + str(i)` as `"layer{i}"`."""
    first = operand_before(s)
    place = between(s, s.near(first).start, s.near(-1).end)
    found = _JOINED.fullmatch(place.text)
    return (Edit(place, f'"{found[1]}{{{found[2] or found[3]}}}"'),) if found else ()


_FROM = re.compile(r"from[ \t]+([\w.]+)[ \t]+import[ \t]+(\*|[\w, \t]+)$")
_IMPORT = re.compile(r"import[ \t]+(std\.\w+)$")


def import_(s: Site) -> tuple[Edit, ...]:
    """`from std.cnn import a` as `use std.cnn { a }`; imports of other modules are removed."""
    source = s.reader.k.source
    line = source.line(source.position(s.token.start)[0]).partition("#")[0].rstrip()
    place = between(s, s.token.start, s.token.start + len(line))
    if found := _FROM.fullmatch(line):
        if found[1].split(".")[0] in _LIBRARIES:
            return line_out(s)
        names = "" if found[2] == "*" else f" {{ {found[2].strip()} }}"
        return (Edit(place, f"use {found[1]}{names}"),)
    if found := _IMPORT.fullmatch(line):
        return (Edit(place, f"use {found[1]}"),)
    number, starts = source.position(s.token.start)[0], source.line_starts
    last = number
    while last < len(starts) and re.match(r"(import|from)[ \t]", source.line(last + 1)):
        last += 1
    if last == number:
        return line_out(s)
    end = starts[last] if last < len(starts) else len(source.text)
    return (Edit(between(s, starts[number - 1], end), ""),)


_LIBRARIES = frozenset(
    {"torch", "torchvision", "tensorflow", "keras", "numpy", "jax", "flax", "math", "typing"}
    | {"timm", "einops", "functools", "collections", "__future__"}
)


def items_in_brackets(s: Site) -> tuple[Edit, ...]:
    """`list<int>` as `list[int]`."""
    return (Edit(s.span(-1, 2), f"list[{s.word(1)}]"),) if s.near(2).type == ">" else ()


def item_out(s: Site) -> tuple[Edit, ...]:
    """`*, n` as `n`."""
    return (Edit(between(s, s.token.start, s.near(2).start), ""),)


def comma_out(s: Site) -> tuple[Edit, ...]:
    """`x, where` as `x where`."""
    return (Edit(s.span(-2), ""),)


def new_line(s: Site) -> tuple[Edit, ...]:
    """`input x output y` as two lines."""
    source, end = s.reader.k.source, s.near(-1).end
    line = source.line(source.position(end)[0])
    margin = line[: len(line) - len(line.lstrip())]
    if "{" in line:  # `block a { input x output y }`
        margin += "  "
    return (Edit(between(s, end, s.token.start), f"\n{margin}"),)
