"""What a block does in inference and in training as one list of statements.

What both modes do is written once, and `if self.training:` stands around the rest. The statements
of a mode stay what they are, in their order, so no matter how they are matched, each mode does what
it did. TorchScript follows a variable through one `if` and not from one to the next: where a mode
makes a variable that is read behind the `if`, both stand under one.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from archspec_torch.code.lines import Line, common
from archspec_torch.code.pieces import code
from archspec_torch.code.text import flat


@dataclass(eq=False)
class _Statement:
    """A line at the left, with the lines that are indented below it."""

    lines: list[Line]

    @cached_property
    def text(self) -> str:
        return "\n".join(" " * line.indent + flat(line.code) for line in self.lines)

    @cached_property
    def made(self) -> frozenset[str]:
        """Variables that it assigns to."""
        return frozenset(item.id for item in self._names() if not isinstance(item.ctx, ast.Load))

    @cached_property
    def read(self) -> frozenset[str]:
        """Variables that it reads."""
        return frozenset(item.id for item in self._names() if isinstance(item.ctx, ast.Load))

    @cached_property
    def narrowed(self) -> frozenset[str]:
        """Variables of which it asserts what they are."""
        tests = [item.test for item in ast.walk(self._tree) if isinstance(item, ast.Assert)]
        found = (part for test in tests for part in ast.walk(test))
        return frozenset(item.id for item in found if isinstance(item, ast.Name))

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.text)

    def _names(self) -> Iterator[ast.Name]:
        return (item for item in ast.walk(self._tree) if isinstance(item, ast.Name))


@dataclass
class _Part:
    """Statements that both modes have, in the form of each, or what differs between them."""

    inference: list[_Statement]
    training: list[_Statement]
    shared: bool = False

    @property
    def statements(self) -> list[_Statement]:
        return [*self.inference, *self.training]

    def one_sided(self, before: set[str]) -> set[str]:
        """Variables that are not the same behind it in both modes; `before` are made by then."""
        if self.shared:
            return set()
        left, right = ({name for one in side for name in one.made} for side in self._sides())
        found = (left ^ right) - before
        told = [{name for one in side for name in one.narrowed} for side in self._sides()]
        return found | (told[0] ^ told[1])

    def made(self) -> set[str]:
        """Variables that it makes in both modes."""
        left, right = ({name for one in side for name in one.made} for side in self._sides())
        return left & right

    def _sides(self) -> tuple[list[_Statement], list[_Statement]]:
        return self.inference, self.training

    def joined(self, other: _Part) -> _Part:
        """Both, as one that differs."""
        return _Part(self.inference + other.inference, self.training + other.training)


def both_modes(
    inference: Sequence[Line], training: Sequence[Line], arguments: Sequence[str]
) -> list[Line]:
    """The statements of both modes; `arguments` are the variables that are there before."""
    parts = _matched(_statements(inference), _statements(training))
    return [line for part in _readable(parts, set(arguments)) for line in _lines(part)]


def _statements(lines: Sequence[Line]) -> list[_Statement]:
    found: list[_Statement] = []
    for line in lines:
        continues = line.indent or flat(line.code).startswith(("else:", "elif "))
        if continues and found:
            found[-1].lines.append(line)
        else:
            found.append(_Statement([line]))
    return found


def _lines(part: _Part) -> Iterator[Line]:
    if part.shared:
        for one, two in zip(part.inference, part.training, strict=True):
            for left, right in zip(one.lines, two.lines, strict=True):
                yield replace(left, comment=common([left.comment, right.comment]))
        return
    head = "if self.training:" if part.training else "if not self.training:"
    for statements in (part.training, part.inference):
        if statements:
            yield Line(code(head))
            for statement in statements:
                yield from (replace(line, indent=line.indent + 4) for line in statement.lines)
            head = "else:"


# ---------------------------------------------------------------------- variables


def _readable(parts: Sequence[_Part], known: set[str]) -> list[_Part]:
    """The parts, where no variable is read that only one mode has made, under an `if` of its own.

    What stands between such an `if` and the last such reader goes under it.
    """
    found: list[_Part] = []
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


def _last_reader(names: set[str], rest: Sequence[_Part]) -> int | None:
    """The last part that reads one of the variables before both modes have made it anew."""
    found: int | None = None
    for at, part in enumerate(rest):
        if not names:
            break
        for statement in part.statements:
            if not names.isdisjoint(statement.read):
                found = at
        if part.shared:
            names = names - part.made()
    return found


# ---------------------------------------------------------------------- matching


def _matched(inference: list[_Statement], training: list[_Statement]) -> list[_Part]:
    """What is the same at both ends and, between them, around lines that each mode has once.

    That is patience diff: it takes little more than a look at each line.
    """
    parts: list[_Part] = []
    stack = [(0, len(inference), 0, len(training))]
    while stack:
        low, high, start, end = stack.pop()
        top = low
        while top < high and start < end and inference[top].text == training[start].text:
            parts.append(_Part([inference[top]], [training[start]], shared=True))
            top, start = top + 1, start + 1
        behind = 0
        while (
            behind < min(high - top, end - start)
            and inference[high - 1 - behind].text == training[end - 1 - behind].text
        ):
            behind += 1
        if behind:
            stack.append((high - behind, high, end - behind, end))
            high, end = high - behind, end - behind
        if top == high or start == end:
            if top < high or start < end:
                parts.append(_Part(inference[top:high], training[start:end]))
            continue
        anchors = _anchors(inference, training, (top, high, start, end))
        if not anchors:
            parts.append(_Part(inference[top:high], training[start:end]))
            continue
        ends = [*anchors[1:], (high, end)]
        for (left, right), (left_end, right_end) in reversed([*zip(anchors, ends, strict=True)]):
            stack.append((left, left_end, right, right_end))
        stack.append((top, anchors[0][0], start, anchors[0][1]))
    return parts


def _anchors(
    inference: list[_Statement], training: list[_Statement], within: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Places of statements that both have once there; as many as stand in one order in both."""
    low, high, start, end = within
    places = {training[at].text: at for at in range(start, end)}
    counts = [
        Counter(item.text for item in part) for part in (inference[low:high], training[start:end])
    ]
    pairs = [
        (at, places[inference[at].text])
        for at in range(low, high)
        if all(count[inference[at].text] == 1 for count in counts)
    ]
    return _rising(pairs)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest of the lists of these pairs in which the second number rises, too."""
    ends: list[int] = []  # the least second number that ends a list of this length
    last: list[int] = []  # for each length the pair that ends it
    before: list[int | None] = []
    for at, (_, second) in enumerate(pairs):
        length = bisect_left(ends, second)
        before.append(last[length - 1] if length else None)
        if length == len(ends):
            ends.append(second)
            last.append(at)
        else:
            ends[length], last[length] = second, at
    found: list[tuple[int, int]] = []
    at_end = last[-1] if last else None
    while at_end is not None:
        found.append(pairs[at_end])
        at_end = before[at_end]
    return found[::-1]
