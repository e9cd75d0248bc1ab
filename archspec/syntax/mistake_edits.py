"""Edits for mistakes that a single token does not repair. Each returns none if it is uncertain."""

from __future__ import annotations

import re
from collections.abc import Callable

from archspec.diagnostics.model import Edit
from archspec.source import Span
from archspec.syntax.keywords import CLOSERS, OPENERS
from archspec.syntax.site import Site

_NEAR = 60
"""Number of tokens examined on either side."""

_ENDS = frozenset({"NL", ",", "->", "=", "=>", "$END", "then", "else", "", "where", "when"})


def _span(s: Site, start: int, end: int) -> Span:
    return Span(s.reader.k.source, start, end)


def write_before(text: str) -> Callable[[Site], tuple[Edit, ...]]:
    """Write `text` in place of the previous token."""

    def edits(s: Site) -> tuple[Edit, ...]:
        return (Edit(s.span(-1), text),)

    return edits


def without_before(s: Site) -> tuple[Edit, ...]:
    """Remove the previous token, and the space after it."""
    text, token = s.reader.k.source.text, s.near(-1)
    end = token.end + len(text[token.end :]) - len(text[token.end :].lstrip(" "))
    return (Edit(_span(s, token.start, min(end, s.token.start)), ""),)


def line_out(s: Site) -> tuple[Edit, ...]:
    """Remove the line."""
    source = s.reader.k.source
    line = source.position(s.token.start)[0]
    starts = source.line_starts
    end = starts[line] if line < len(starts) else len(source.text)
    return (Edit(_span(s, starts[line - 1], end), ""),)


def leading_zero(s: Site) -> tuple[Edit, ...]:
    """`.5` as `0.5`."""
    return (Edit(s.span(), "0."),)


def braces(s: Site) -> tuple[Edit, ...]:
    """Add braces around a body that is marked by `:` and by indentation."""
    text = s.reader.k.source.text
    colon, newline = s.token, text.find("\n", s.token.end)
    newline = len(text) if newline < 0 else newline
    gap = "" if text[colon.start - 1 : colon.start] == " " else " "
    opened = Edit(_span(s, colon.start, colon.end), gap + "{")
    rest = text[colon.end : newline].partition("#")[0].rstrip()
    if rest.strip():
        end = colon.end + len(rest)
        return (opened, Edit(_span(s, end, end), " }"))
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
    return (opened, Edit(_span(s, end, end), f"\n{margin}}}"))


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


def ternary(s: Site) -> tuple[Edit, ...]:
    """`a if c else b` as `if c then a else b`."""
    first = _operand_before(s)
    at, depth = 1, s.token.depth
    while at < _NEAR and not (s.near(at).type == "else" and s.near(at).depth == depth):
        if s.near(at).type in ("NL", "$END", ""):
            return ()
        at += 1
    last = _operand_behind(s, at + 1)
    if not first or at >= _NEAR or last < at + 1:
        return ()
    text = s.reader.k.source.text
    chosen = text[s.near(first).start : s.near(-1).end]
    condition = text[s.near(1).start : s.near(at - 1).end]
    other = text[s.near(at + 1).start : s.near(last).end]
    place = _span(s, s.near(first).start, s.near(last).end)
    return (Edit(place, f"if {condition} then {chosen} else {other}"),)


def _operand_before(s: Site) -> int:
    """Offset of the first token of the expression that ends before this one."""
    at, open_ = -1, 0
    while at > -_NEAR and s.at + at >= 0:
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


def _operand_behind(s: Site, at: int) -> int:
    """Offset of the last token of the expression that begins at an offset."""
    open_ = 0
    while at < 2 * _NEAR:
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


def in_parentheses(s: Site) -> tuple[Edit, ...]:
    """`block f n {` as `block f(n) {`."""
    at = 0
    while s.near(at + 1).type in ("NAME", ",", ":"):
        at += 1
    place = _span(s, s.near(-1).end, s.near(at).end)
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
    return (Edit(_span(s, s.near(-1).end, s.near(last).end), f"({', '.join(values)})"),)


def type_of_layer(s: Site) -> tuple[Edit, ...]:
    """`nn.Module` as `layer`."""
    if s.after != "NAME" or s.near(2).type not in ("=", ",", ")"):
        return ()
    return (Edit(s.span(-1, 1), "layer"),)


def plain_list(s: Site) -> tuple[Edit, ...]:
    """`list[tuple[int, int]]` as `list`."""
    start, text = s.near(s.opener() - 2).start, s.reader.k.source.text
    end = text.find("]]", s.token.end, s.token.end + 80)
    return (Edit(_span(s, start, end + 2), ""),) if end >= 0 else ()


def arguments_of_preset(s: Site) -> tuple[Edit, ...]:
    """`a { width = 64 }` as `a(width = 64)`."""
    text = s.reader.k.source.text
    end = text.find("}", s.token.end)
    inside = text[s.token.end : end].strip() if end >= 0 else ""
    if not inside or "{" in inside or "\n" in inside:
        return ()
    return (Edit(_span(s, s.near(-1).end, end + 1), f"({inside})"),)


def all_names(s: Site) -> tuple[Edit, ...]:
    """`use std.cnn.*` as `use std.cnn`, `{ a as b }` as `{ a }`."""
    if s.type == "*" and s.before == ".":
        return (Edit(s.span(-1, 0), ""),)
    if s.word() == "as":
        return (Edit(_span(s, s.near(-1).end, s.near(1).end), ""),)
    return ()


def chain_in_parentheses(s: Site) -> tuple[Edit, ...]:
    """`for t in x -> f)` as `for t in (x -> f))`."""
    depth = s.token.depth
    first = next((at for at in range(-1, s.opener(), -1) if s.near(at).type == "in"), 0)
    last = 1
    while last < _NEAR and not (s.near(last).type in CLOSERS and s.near(last).depth == depth):
        if s.near(last).type in ("NL", "$END", "", "if"):
            return ()
        last += 1
    if not first:
        return ()
    start, end = s.near(first + 1).start, s.near(last - 1).end
    return (Edit(_span(s, start, start), "("), Edit(_span(s, end, end), ")"))


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


def slice_(s: Site) -> tuple[Edit, ...]:
    """`t[a:b]` as `t[a..b]`; of data, `x[:, 0]` as `x -> select(axis=1, index=0)`."""
    opener = s.opener()
    name = s.near(opener - 1)
    text = s.reader.k.source.text
    close = text.find("]", s.token.end, s.token.end + 80)
    if (
        name.type != "NAME"
        or s.near(opener - 2).type == "."
        or close < 0
        or s.near(opener).end > s.token.start
    ):
        return ()
    inside = text[s.near(opener).end : close]
    if "\n" in inside or "[" in inside or "(" in inside:
        return ()
    base = text[name.start : name.end]
    parts = [part.strip() for part in inside.split(",")]
    if len(parts) == 1:
        ends = parts[0].split(":")
        if len(ends) != 2:
            return ()
        return (Edit(_span(s, s.near(opener).end, close), "..".join(e.strip() for e in ends)),)
    chosen = _of_data(parts)
    is_target = re.match(r"\]\s*[-+*/]?=[^=]", text[close : close + 20]) is not None
    if not chosen or is_target:
        return ()
    chain = " -> ".join((base, *chosen))
    behind = text[close + 1 : close + 2]
    alone = behind in ("\n", "", ")", ",") or text[close + 1 : close + 5].lstrip().startswith("->")
    operator = text[: name.start].rstrip()[-1:] in ("+", "*", "-", "/")
    chain = chain if alone and not operator else f"({chain})"
    return (Edit(_span(s, name.start, close + 1), chain),)


def _of_data(parts: list[str]) -> list[str]:
    """The ops that slice each axis; those that remove it are last, from the highest axis on."""
    if "None" in parts and set(parts) <= {"None", ":"}:
        return [f"unsqueeze({at})" for at, part in enumerate(parts) if part == "None"]
    cuts, picks = [], []
    from_end = parts[0] == "..."
    for at, part in enumerate(parts):
        axis = at - len(parts) if from_end else at
        if part in (":", "..."):
            if part == "..." and at and at < len(parts) - 1:
                return []
            continue
        if re.fullmatch(r"-?\d+|\w+", part) and part != "None":
            picks.append(f"select(axis={axis}, index={part})")
        elif found := re.fullmatch(r"(-?\w*):(-?\w*)", part):
            ends = [f"start={found[1]}"] if found[1] else []
            ends += [f"stop={found[2]}"] if found[2] else []
            cuts.append(f"slice({', '.join((f'axis={axis}', *ends))})")
        else:
            return []
    return cuts + (picks if from_end else picks[::-1])


def used_file(s: Site) -> tuple[Edit, ...]:
    """`use "blocks.arch"` as `use blocks`, `use std.cnn as cnn` without the `as`."""
    if s.word() == "as":
        return (Edit(_span(s, s.near(-1).end, s.near(1).end), ""),)
    name = s.word().strip("\"'").removesuffix(".arch").removeprefix("./").replace("/", ".")
    return (Edit(s.span(), name),) if re.fullmatch(r"[A-Za-z_][\w.]*", name) else ()


_JOINED = re.compile(r'"([^"{}]*)"\s*\+\s*(?:str\((\w+)\)|(\w+))$')


def joined_label(s: Site) -> tuple[Edit, ...]:
    """`"layer" + str(i)` as `"layer{i}"`."""
    first = _operand_before(s)
    place = _span(s, s.near(first).start, s.near(-1).end)
    found = _JOINED.fullmatch(place.text)
    return (Edit(place, f'"{found[1]}{{{found[2] or found[3]}}}"'),) if found else ()


_FROM = re.compile(r"from[ \t]+([\w.]+)[ \t]+import[ \t]+([\w, \t]+)$")
_IMPORT = re.compile(r"import[ \t]+(std\.\w+)$")


def import_(s: Site) -> tuple[Edit, ...]:
    """`from std.cnn import a` as `use std.cnn { a }`; imports of other modules are removed."""
    source = s.reader.k.source
    line = source.line(source.position(s.token.start)[0]).partition("#")[0].rstrip()
    place = _span(s, s.token.start, s.token.start + len(line))
    if found := _FROM.fullmatch(line):
        if found[1].split(".")[0] in _LIBRARIES:
            return line_out(s)
        return (Edit(place, f"use {found[1]} {{ {found[2].strip()} }}"),)
    if found := _IMPORT.fullmatch(line):
        return (Edit(place, f"use {found[1]}"),)
    return line_out(s)


_LIBRARIES = frozenset(
    {"torch", "torchvision", "tensorflow", "keras", "numpy", "jax", "flax", "math", "typing"}
    | {"timm", "einops", "functools", "collections", "__future__"}
)
