"""Lines that differ in one variable: one that the first ones read, or the last ones assign."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import Call, Code, Piece
from archspec_torch.code.text import flat

TOKEN = re.compile(r"[A-Za-z_][\w.]*|\S")
"""Names with their attributes, and single signs."""


def renamed_read(first: Sequence[Line], others: Sequence[Line]) -> tuple[str, str] | None:
    """The variable that the first lines read instead of another one, and that other one.

    None if they differ in more, or could not read the other one after it is set to the first.
    """
    pairs: set[tuple[str, str]] = set()
    for one, two in zip(first, others, strict=True):
        if one.indent != first[0].indent or two.indent != one.indent:
            return None
        tokens = [TOKEN.findall(flat(line.code)) for line in (one, two)]
        if len(tokens[0]) != len(tokens[1]):
            return None
        pairs |= {(a, b) for a, b in zip(*tokens, strict=True) if a != b}
        if pairs and '"' in tokens[0]:
            return None
    if len(pairs) != 1:
        return None
    ((read, carried),) = pairs
    if not read.isidentifier() or not carried.isidentifier():
        return None
    assigned: set[str] = set()
    for line in first:
        target, sign, _ = flat(line.code).partition(" = ")
        if carried in names_read(line) and carried not in assigned:
            return None
        assigned |= set(_names(target)) if sign else set()
    return (read, carried) if carried in assigned else None


def _names(text: str) -> Iterator[str]:
    return (token for token in TOKEN.findall(text) if token[0].isalpha() or token[0] == "_")


def names_read(line: Line) -> set[str]:
    """The variables that a line reads."""
    target, sign, source = flat(line.code).partition(" = ")
    return {name.partition(".")[0] for name in _names(source if sign else target)}


def renamed_target(
    others: Sequence[Line], last: Sequence[Line], rest: Sequence[Line]
) -> tuple[str, str] | None:
    """The variable that the other lines use, and the one that the last ones compute from it.

    None if more differs, or if the second one cannot be used for all of them: if they use it for
    something else, or `rest`, the following lines, reads the first one.
    """
    targets = [[flat(line.code).partition(" = ")[0] for line in lines] for lines in (others, last)]
    pairs = {(a, b) for a, b in zip(*targets, strict=True) if a != b}
    if len(pairs) != 1:
        return None
    ((carried, made),) = pairs
    if not carried.isidentifier() or not made.isidentifier():
        return None
    assigned = False
    for one, two in zip(others, last, strict=True):
        target, sign, source = flat(one.code).partition(" = ")
        if one.indent != two.indent or one.indent != others[0].indent or not sign:
            return None
        if made in {*TOKEN.findall(target), *(name.partition(".")[0] for name in _names(source))}:
            return None
        assigned_before, assigned = assigned, assigned or target == carried
        expected = _renamed(source, carried, made) if assigned_before else source
        if flat(two.code) != f"{made if target == carried else target} = {expected}":
            return None
    return (carried, made) if '"' not in "".join(targets[0]) and is_dead(carried, rest) else None


TEMPORARY = "\3"
"""The name of all values that only the next line reads, while lines are compared."""


def with_temporaries(lines: Sequence[Line], except_at: Collection[int]) -> list[Line]:
    """The lines with one name for all values that only the next line reads.

    The variables of such values depend on which ones are free, and so differ between iterations.
    Those of the lines `except_at` keep theirs.
    """
    found = [*lines]
    for at, (one, after) in enumerate(pairwise(lines)):
        target, sign, _ = flat(one.code).partition(" = ")
        if at in except_at or not target.isidentifier() or one.indent != after.indent:
            continue
        following, further, _ = flat(after.code).partition(" = ")
        is_last = target == following or is_dead(target, lines[at + 2 :])
        if sign and further and is_last and target in names_read(after):
            found[at] = _with_target(found[at], target)
            found[at + 1] = _with_source(after, target)
    return found


def _with_target(line: Line, target: str) -> Line:
    """The line with a temporary as its target."""
    start, rest = _start(line)
    return replace(line, code=(start.replace(f"{target} = ", f"{TEMPORARY} = ", 1), *rest))


def _with_source(line: Line, name: str) -> Line:
    """The line with a variable that it reads as a temporary."""
    start, rest = _start(line)
    target, sign, read = start.partition(" = ")
    source = renamed_code((read, *rest), name, TEMPORARY)
    return replace(line, code=(f"{target}{sign}", *source))


def _start(line: Line) -> tuple[str, Code]:
    """The text at the start of a line, and the rest of its code."""
    texts = [*takewhile(lambda piece: isinstance(piece, str), line.code)]
    return "".join(map(str, texts)), line.code[len(texts) :]


def crosses(lines: Sequence[Line]) -> bool:
    """Whether the first of these lines reads a temporary, or the last one assigns it."""
    last = flat(lines[-1].code).partition(" = ")[0]
    return TEMPORARY in flat(lines[0].code).partition(" = ")[2] or TEMPORARY in last


def renamed_code(source: Code, old: str, new: str) -> Code:
    """Code with a variable renamed."""
    pieces: list[Piece] = []
    for piece in source:
        if isinstance(piece, str):
            pieces.append(_renamed(piece, old, new))
        elif isinstance(piece, Call):
            arguments = tuple(
                replace(item, code=renamed_code(item.code, old, new)) for item in piece.arguments
            )
            function = _renamed(piece.function, old, new)
            pieces.append(replace(piece, function=function, arguments=arguments))
        else:
            pieces.append(piece)
    return tuple(pieces)


def _renamed(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.]){old}(?!\w)", new, text)


def is_dead(name: str, rest: Sequence[Line]) -> bool:
    """Whether a variable is not read before it is assigned again."""
    for line in rest:
        target, sign, _ = flat(line.code).partition(" = ")
        if name in names_read(line):
            return False
        if sign and name in _names(target):
            return line.indent == rest[0].indent
    return True


def with_function(source: Code, function: str, other: str) -> Code:
    """Code with the calls of a function replaced by those of another one."""
    pieces: list[Piece] = []
    for piece in source:
        if isinstance(piece, str):
            pieces.append(piece.replace(f"{function}(", f"{other}("))
        elif isinstance(piece, Call):
            arguments = tuple(
                replace(item, code=with_function(item.code, function, other))
                for item in piece.arguments
            )
            name = other if piece.function == function else piece.function
            pieces.append(replace(piece, function=name, arguments=arguments))
        else:
            pieces.append(piece)
    return tuple(pieces)
