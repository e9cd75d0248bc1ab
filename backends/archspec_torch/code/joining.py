"""Statements that compute a part of the next one are written in its expression.

`x = y > 0` and `near = near + x.to(torch.int64)` become `near = near + (y > 0).to(torch.int64)`.
This is done for values that have no name in the spec, if the line is short, and if no activation
lives longer: the tensors that an expression reads are alive until all of it is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec.frozen import frozen
from archspec_torch.code.lines import Weight
from archspec_torch.code.pieces import Argument, Call, Code, Piece, needs_parentheses_at
from archspec_torch.code.text import flat

LONGEST = 88
"""The longest line with several operations."""

MOST_OPERATIONS = 8
"""The maximum number of operators and calls in such a line."""

OPERATION = re.compile(r" (?:[-+*/%<>]|\*\*|//|[<>=!]=) |\w\(")

ASSIGNMENT = re.compile(r"([A-Za-z_][\w, ]*) = ")

VARIABLE = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*=[^=])")

VIEW = re.compile(
    r"[\w.]+(?:\.(?:unsqueeze|squeeze|unflatten|permute|transpose|select|expand|movedim)"
    r"\([^()]*\)|\[[^\[\]]*\])+"
)
"""A view of a variable, which takes no memory."""


@frozen
class Shown:
    """A line of code with its comment; `is_part` and `weight` are those of `Line`."""

    code: Code
    indent: int = 0
    comment: str = ""
    is_part: bool = False
    weight: Weight = Weight.NONE

    @property
    def target(self) -> str:
        """The variables that it assigns, separated by commas; or ""."""
        found = ASSIGNMENT.match(flat(self.code))
        return found[1] if found is not None else ""

    @property
    def expression(self) -> str:
        """What it assigns, or all of it."""
        return flat(self.code).removeprefix(f"{self.target} = ")

    def assigns(self, name: str) -> bool:
        """Whether it assigns a variable."""
        return name in self.target.split(", ")

    def reads(self, name: str) -> bool:
        """Whether it reads a variable."""
        return name in VARIABLE.findall(self.expression)


def joined(lines: Sequence[Shown], indent: int) -> list[Shown]:
    """The lines, with parts in the statements that read them; all are indented by `indent`."""
    found = [*lines]
    at = len(found) - 2
    while at >= 0:
        whole = _joined(found, at, indent)
        if whole is not None:
            found[at : at + 2] = [whole]
        at = min(at, len(found) - 1) - 1
    return found


def _joined(lines: Sequence[Shown], at: int, indent: int) -> Shown | None:
    """A line and the next one as one; None if they remain two."""
    part, reader = lines[at], lines[at + 1]
    name = part.target
    if not part.is_part or not name or part.indent != reader.indent or not reader.target:
        return None
    if '"' in flat(part.code) or "inplace" in part.expression:
        return None
    if not reader.assigns(name) and _is_read_later(lines, at + 1, name):
        return None
    source = _inserted(reader, name, _behind_target(part))
    if source is None:
        return None
    written = flat(source)
    long = indent + part.indent + len(written) > LONGEST
    if long or len(OPERATION.findall(written)) > MOST_OPERATIONS:
        return None
    if not _takes_no_memory(lines, at):
        return None
    return replace(reader, code=source)


# ---------------------------------------------------------------------- variables


def _is_read_later(lines: Sequence[Shown], at: int, name: str) -> bool:
    """Whether a variable may be read after line `at`, before it is assigned again."""
    lowest = lines[at].indent
    if _is_in_loop(lines, at):
        return sum(line.reads(name) or line.assigns(name) for line in lines) > 2
    for line in lines[at + 1 :]:
        lowest = min(lowest, line.indent)
        if line.reads(name):
            return True
        if line.assigns(name) and line.indent <= lowest:
            return False
    return False


def _is_in_loop(lines: Sequence[Shown], at: int) -> bool:
    indent = lines[at].indent
    for line in reversed(lines[:at]):
        if line.indent < indent:
            indent = line.indent
            if flat(line.code).startswith(("for ", "while ")):
                return True
    return False


def _takes_no_memory(lines: Sequence[Shown], at: int) -> bool:
    """Whether no activation that the part reads would live longer in one expression.

    Those of a view do anyway; arguments live as long as the caller keeps them.
    """
    part, reader = lines[at], lines[at + 1]
    if part.weight is not Weight.HEAVY or VIEW.fullmatch(part.expression):
        return True
    if VIEW.fullmatch(reader.expression):
        return True
    for name in VARIABLE.findall(part.expression):
        if _weight(lines[:at], name) is not Weight.HEAVY:
            continue
        if part.assigns(name):
            return False
        later = not reader.assigns(name) and _is_read_later(lines, at + 1, name)
        if not reader.reads(name) and not later:
            return False
    return True


def _weight(lines: Sequence[Shown], name: str) -> Weight:
    return next((line.weight for line in reversed(lines) if line.assigns(name)), Weight.NONE)


# ---------------------------------------------------------------------- code


def _behind_target(line: Shown) -> Code:
    """The code of what a line assigns."""
    rest = len(line.target) + len(" = ")
    found: list[Piece] = []
    for piece in line.code:
        if isinstance(piece, str) and rest:
            piece, rest = piece[rest:], max(0, rest - len(piece))
        if piece:
            found.append(piece)
    return tuple(found)


def _inserted(reader: Shown, name: str, value: Code) -> Code | None:
    """The code of a line with a value in place of a variable, if it reads that exactly once."""
    expression = _behind_target(reader)
    found = [*_with_value(expression, name, value)]
    if len(found) != 1:
        return None
    return (f"{reader.target} = ", *found[0])


def _with_value(source: Code, name: str, value: Code) -> Iterator[Code]:
    """For each place where code reads a variable, the code with a value there."""
    for at, piece in enumerate(source):
        before, after = source[:at], source[at + 1 :]
        if isinstance(piece, str):
            for found in VARIABLE.finditer(piece):
                if found[0] == name:
                    ends = piece[: found.start()], piece[found.end() :]
                    yield _placed((*before, ends[0]), value, (ends[1], *after))
        elif isinstance(piece, Call):
            if re.match(rf"{name}\.", piece.function):
                method = replace(piece, function=piece.function[len(name) :])
                yield _placed(before, value, (method, *after))
            for place, argument in enumerate(piece.arguments):
                for inner in _with_value(argument.code, name, value):
                    yield (*before, _with_argument(piece, place, inner), *after)


def _with_argument(made: Call, place: int, source: Code) -> Call:
    arguments = [*made.arguments]
    arguments[place] = Argument(source, arguments[place].keyword, arguments[place].default)
    return replace(made, arguments=tuple(arguments))


def _placed(before: Code, value: Code, after: Code) -> Code:
    before, after = (tuple(piece for piece in side if piece) for side in (before, after))
    loose = needs_parentheses_at(value, before, after)
    return (*before, *(("(", *value, ")") if loose else value), *after)
