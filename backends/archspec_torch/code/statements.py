"""Merges two lists of statements: the common parts, and the differences between them.

The statements of each list keep their order, so the result is right however they are matched.
TorchScript does not relate two `if` statements: if one list assigns a variable that is read after
the `if`, both are put under one `if`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from archspec_torch.code.alignment import aligned
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import Code
from archspec_torch.code.text import flat


@dataclass(eq=False)
class Statement:
    """A line without indentation, with the lines indented below it.

    `spelled` is the form of its code that is compared with that of other statements.
    """

    lines: list[Line]
    spelled: Callable[[Code], str] = flat

    @cached_property
    def key(self) -> str:
        """Its form, which is equal for equal statements."""
        return "\n".join(f"{line.indent}:{self.spelled(line.code)}" for line in self.lines)

    @cached_property
    def text(self) -> str:
        """As Python."""
        return "\n".join(" " * line.indent + flat(line.code) for line in self.lines)

    @cached_property
    def made(self) -> frozenset[str]:
        """Variables that it may assign to."""
        return frozenset(item.id for item in self._names() if not isinstance(item.ctx, ast.Load))

    @cached_property
    def certain(self) -> frozenset[str]:
        """Variables that it assigns to in any case, on both sides of each `if` in it."""
        return _certain(self._tree.body)

    @cached_property
    def read(self) -> frozenset[str]:
        """Variables that it reads."""
        return frozenset(item.id for item in self._names() if isinstance(item.ctx, ast.Load))

    @cached_property
    def narrowed(self) -> frozenset[str]:
        """Variables that it asserts not to be None."""
        tests = [item.test for item in ast.walk(self._tree) if isinstance(item, ast.Assert)]
        found = (part for test in tests for part in ast.walk(test))
        return frozenset(item.id for item in found if isinstance(item, ast.Name))

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.text)

    def _names(self) -> Iterator[ast.Name]:
        return (item for item in ast.walk(self._tree) if isinstance(item, ast.Name))


def _certain(body: Sequence[ast.stmt]) -> frozenset[str]:
    found: set[str] = set()
    for one in body:
        match one:
            case ast.If(body=then, orelse=otherwise):
                found |= _certain(then) & _certain(otherwise)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                names = (item for item in ast.walk(one) if isinstance(item, ast.Name))
                found |= {item.id for item in names if isinstance(item.ctx, ast.Store)}
    return frozenset(found)


@dataclass
class Part:
    """Statements that both lists have, in the form of each, or a difference between them."""

    left: list[Statement]
    right: list[Statement]
    shared: bool = False
    always: bool = False
    """Statements of one side run in any case."""

    @property
    def statements(self) -> list[Statement]:
        """Those of both sides."""
        return [*self.left, *self.right]

    def one_sided(self, before: set[str]) -> set[str]:
        """Variables that differ after it between the lists; `before` are assigned by then."""
        if self.shared or self.always:
            return set()
        ever = {name for one in self.statements for name in one.made}
        left, right = ({name for one in side for name in one.certain} for side in self.sides)
        found = ever - (left & right) - before
        narrowed = [{name for one in side for name in one.narrowed} for side in self.sides]
        return found | (narrowed[0] ^ narrowed[1])

    def made(self) -> set[str]:
        """Variables that it assigns on both sides."""
        left, right = ({name for one in side for name in one.certain} for side in self.sides)
        return left | right if self.always else left & right

    @property
    def sides(self) -> tuple[list[Statement], list[Statement]]:
        """The statements of each list."""
        return self.left, self.right

    def joined(self, other: Part) -> Part:
        """Both parts, as one difference."""
        return Part(self.left + other.left, self.right + other.right)


def statements_of(lines: Sequence[Line], spelled: Callable[[Code], str] = flat) -> list[Statement]:
    """Lines as statements."""
    found: list[Statement] = []
    for line in lines:
        continues = line.indent or flat(line.code).startswith(("else:", "elif "))
        if continues and found:
            found[-1].lines.append(line)
        else:
            found.append(Statement([line], spelled))
    return found


def matched(left: Sequence[Statement], right: Sequence[Statement]) -> list[Part]:
    """The parts of two lists, in their order."""
    spans = aligned([one.key for one in left], [one.key for one in right])
    return [
        Part([*left[low:high]], [*right[start:end]], same) for low, high, start, end, same in spans
    ]


def joined_where_read(parts: Sequence[Part], known: set[str]) -> list[Part]:
    """The parts, merged so that no variable that only one side assigns is read after its `if`.

    The statements between such an `if` and the last such reader are moved under it.
    """
    found: list[Part] = []
    rest = list(parts)
    while rest:
        part = rest.pop(0)
        reader = _last_reader(part.one_sided(known), rest)
        while reader is not None:
            for other in rest[: reader + 1]:
                part = part.joined(other)
            del rest[: reader + 1]
            reader = _last_reader(part.one_sided(known), rest)
        found.append(part)
        known |= part.made()
    return found


def _last_reader(names: set[str], rest: Sequence[Part]) -> int | None:
    """The last part that reads one of the variables before both sides have reassigned it."""
    found: int | None = None
    for at, part in enumerate(rest):
        if not names:
            break
        for statement in part.statements:
            if not names.isdisjoint(statement.read):
                found = at
        if part.shared or part.always:
            names = names - part.made()
    return found
