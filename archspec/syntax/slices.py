"""Slices of tensors in the notation of NumPy, `x[:, 0]` and `x[..., :n]`, reported as a whole."""

from __future__ import annotations

import re

from archspec.diagnostics.model import Edit, Fix
from archspec.frozen import frozen
from archspec.syntax.context import Context
from archspec.syntax.keywords import CLOSERS, INFIX_WORDS, OPENERS, RESERVED_WORDS, TYPE_WORDS
from archspec.syntax.lexer import Token

_HELP = (
    "data: `x -> slice(axis=1, start=a, stop=b)`, `x -> select(axis=1, index=0)`; "
    "tuples and lists: `t[a..b]`"
)
_SIZES = "sizes have names, which the input binds: `input x: [B, C, H, W]`, then `(H, W)`"
_OF_SHAPE = re.compile(r"\.(?:shape|size\(\))\Z")
_ASSIGNED = re.compile(r"\s*[-+*/]?=[^=]")
_BEFORE_A_LIST = TYPE_WORDS | RESERVED_WORDS | INFIX_WORDS
"""After these words a `[` begins a shape or a list, such as `else [conv1: conv(8, 3)]`."""
_PART = re.compile(r"([^:]*):([^:]*)(?::([^:]*))?")


@frozen
class _Index:
    """The indices of the tokens `[` and `]` of an index with a `:` of its own."""

    opener: int
    colon: int
    closer: int


def without_slices(k: Context, tokens: list[Token]) -> list[Token]:
    """The tokens with an ERROR in place of each slice, which is reported."""
    found = _slices(k, tokens)
    result: list[Token] = []
    at = 0
    for index in found:
        result += tokens[at : index.opener]
        opener, closer = tokens[index.opener], tokens[index.closer]
        before = tokens[index.opener - 1].type
        error = Token("ERROR", opener.end, closer.start)
        result += (error,) if before == "->" else (opener, error, closer)
        at = index.closer + 1
        _report(k, tokens, index)
    return result + tokens[at:] if found else tokens


def _slices(k: Context, tokens: list[Token]) -> list[_Index]:
    found: list[_Index] = []
    open_: list[tuple[int, int]] = []  # of each open bracket: its token, and the first `:` in it
    for at, token in enumerate(tokens):
        if token.type in OPENERS:
            open_.append((at, 0))
        elif token.type in CLOSERS and open_:
            opener, colon = open_.pop()
            inner = found and found[-1].opener > opener
            if colon and not inner and _is_index(k, tokens, opener, colon):
                found.append(_Index(opener, colon, at))
        elif token.type == ":" and open_ and not open_[-1][1]:
            open_[-1] = (open_[-1][0], at)
    return found


def _is_index(k: Context, tokens: list[Token], opener: int, colon: int) -> bool:
    """Whether a bracket with a `:` in it is the index of an operand, or a stage of a chain."""
    if tokens[opener].type != "[" or not opener or tokens[opener].first:
        return False
    before = tokens[opener - 1]
    if before.type == "->":
        return tokens[colon - 1].type in ("[", ",", "NUMBER")
    if before.type == "WORD":
        return k.source.text[before.start : before.end] not in _BEFORE_A_LIST
    return before.type in (")", "]")


def _report(k: Context, tokens: list[Token], index: _Index) -> None:
    colon, end = tokens[index.colon], tokens[index.closer].end
    begin = tokens[index.opener].start
    assigned = _ASSIGNED.match(k.source.text, end) is not None
    if assigned and k.source.text[end:].lstrip()[0] == "=":
        return  # a target of this form is reported later
    message, place = "tensors are not sliced with `:`", k.span(colon.start, colon.end)
    edits = () if assigned else _edits(k, tokens, index)
    help_ = _SIZES if _OF_SHAPE.search(k.source.text, max(0, begin - 20), begin) else _HELP
    if edits and "->" in edits[0].text and len(edits) == 1 and len(edits[0].text) <= 80:
        text = edits[0].text
        help_ = f"write `{text[1:-1] if text.startswith('(') else text}`"
    k.error("E0118", message, place, fix=Fix(help_, edits))


def _edits(k: Context, tokens: list[Token], index: _Index) -> tuple[Edit, ...]:
    """The slice as stages of a chain, or as a range of a list if there is only one part."""
    opener, closer = tokens[index.opener], tokens[index.closer]
    inside = k.source.text[opener.end : closer.start]
    if any(bracket in inside for bracket in ("[", "(", "\n")):
        return ()
    parts = [part.strip() for part in inside.split(",")]
    parts = parts[:-1] if parts[-1] == "" else parts
    before = tokens[index.opener - 1]
    if before.type == "WORD" and tokens[max(index.opener - 2, 0)].type == ".":
        return ()
    if len(parts) == 1 and before.type != "->":
        ends = parts[0].split(":")
        place = k.span(opener.end, closer.start)
        return (Edit(place, "..".join(map(str.strip, ends))),) if len(ends) == 2 else ()
    stages = " -> ".join(_stages(parts))
    whole = k.span(opener.start, closer.end)
    if not stages or before.type == "->":
        return (Edit(whole, stages),) if stages else ()
    if before.type == ")":
        return _in_group(k, tokens, index, stages)
    if before.type != "WORD":
        return ()
    chain = f"{k.source.text[before.start : before.end]} -> {stages}"
    if not _stands_alone(k, before.start, closer.end):
        chain = f"({chain})"
    return (Edit(k.span(before.start, closer.end), chain),)


def _stands_alone(k: Context, start: int, end: int) -> bool:
    """Whether a chain in this place needs no parentheses."""
    text = k.source.text
    before, behind = text[:start].rstrip(" "), text[end : end + 40].lstrip(" ")
    opens = before.endswith(("=", "(", ",", "\n", "{")) or before.split()[-1] == "output"
    return opens and (not behind or behind.startswith(("\n", ")", ",", "->", "#")))


def _in_group(k: Context, tokens: list[Token], index: _Index, stages: str) -> tuple[Edit, ...]:
    """`(x -> f)[:, 0]` as `(x -> f -> select(axis=1, index=0))`."""
    depth, at = 0, index.opener - 1
    while at > 0:
        depth += tokens[at].type in CLOSERS
        depth -= tokens[at].type in OPENERS
        if not depth:
            break
        at -= 1
    if at and tokens[at - 1].type == "WORD" and tokens[at - 1].end == tokens[at].start:
        return ()  # a call
    inner = tokens[index.opener - 1].start
    opener, closer = tokens[index.opener], tokens[index.closer]
    return (
        Edit(k.span(inner, inner), f" -> {stages}"),
        Edit(k.span(opener.start, closer.end), ""),
    )


def _stages(parts: list[str]) -> list[str]:
    """The ops that slice each axis, those that remove one, and those that add one."""
    from_end = parts[0] == "..."
    if "..." in parts[1:-1] or (parts[-1] == "..." and from_end):
        return []
    axes = [part for part in parts if part not in ("None", "...")]
    cuts, picks, added = [], [], []
    at = kept = 0
    left = sum(part in ("None", ":") or ":" in part for part in parts)
    for part in parts:
        axis = at - len(axes) if from_end else at
        if part == "None":
            added.append(f"unsqueeze({kept - left if from_end else kept})")
        elif part == "...":
            continue
        elif found := _PART.fullmatch(part):
            ends = zip(("start", "stop", "step"), found.groups(), strict=True)
            given = [f"{name}={text.strip()}" for name, text in ends if text and text.strip()]
            if any(
                not re.fullmatch(r"-?\w+|\w+ [-+*] \w+", one.partition("=")[2]) for one in given
            ):
                return []
            cuts += [f"slice({', '.join((f'axis={axis}', *given))})"] if given else []
        elif re.fullmatch(r"-?\d+|\w+", part):
            picks.append(f"select(axis={axis}, index={part})")
        else:
            return []
        at += part != "None"
        kept += part == "None" or ":" in part
    return cuts + (picks if from_end else picks[::-1]) + added
