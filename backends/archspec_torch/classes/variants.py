"""Drafts of one definition with different code as one class: the differences are in `if`s.

Specialisations of a block differ in more than numbers if an `if` or the clauses of a rule were
decided differently (`Graph.decisions`). Such drafts are made congruent: each has the lines of all,
and those that it does not run have absent constants. A specialisation runs its own statements, in
their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from archspec.frozen import frozen
from archspec.graph.expression import (
    Expression,
    evaluated,
    negated,
)
from archspec_torch.classes.agreement import preferred_names
from archspec_torch.classes.conditions import distance, separating_condition
from archspec_torch.classes.draft import Draft
from archspec_torch.classes.families import definition_of
from archspec_torch.code.facts import with_facts
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import Absent, Code, Hole, code, constructed, holes, skeleton
from archspec_torch.code.pieces import replace as replaced
from archspec_torch.code.statements import (
    Part,
    Statement,
    joined_where_read,
    matched,
    statements_of,
)
from archspec_torch.init.initialisation import InitialValues

BLOCKS = ("init", "resets", "restores", "initialise", "forward")
"""The lists of lines of a draft."""

LEAST_SHARED = 0.5
"""Of the statements of the shorter draft; with less in common, two classes are more readable."""

SELF = r"\bself\.(\w+)"
"""An attribute that code reads."""

MOST_GROUPS = 24
"""Maximum number of groups to join; more than that differ by counts rather than by conditions."""

SIDES = (True, False)
"""The variant for which the condition is true, and the other one."""

Blocks = Mapping[str, Sequence[Line]]


def unified(groups: Sequence[list[Draft]], rewrite: Callable[[Draft], Draft]) -> list[list[Draft]]:
    """Groups of congruent drafts, joined if a condition of the spec distinguishes two groups.

    `rewrite` writes a draft again after preferred names are set in its layout.
    """
    if not 1 < len(groups) <= MOST_GROUPS:
        return [list(group) for group in groups]
    found = {number: list(group) for number, group in enumerate(groups)}
    pairs = {pair: _distance(found, pair) for pair in combinations(found, 2)}
    while pairs := {pair: apart for pair, apart in pairs.items() if apart is not None}:
        one, two = min(pairs, key=lambda pair: (pairs[pair], pair))
        del pairs[one, two]
        joined = _joined(found[one], found[two], rewrite)
        if joined is None:
            continue
        found[one] = joined
        del found[two]
        pairs = {
            pair: _distance(found, pair) if one in pair else apart
            for pair, apart in pairs.items()
            if two not in pair
        }
    return list(found.values())


def _distance(groups: Mapping[int, list[Draft]], pair: tuple[int, int]) -> int | None:
    """The number of conditions by which two groups differ; None if they cannot be joined.

    Those that differ by the fewest are joined first.
    """
    group, other = (groups[number] for number in pair)
    return distance(group, other) if _may_join(group[0], other[0]) else None


def _may_join(one: Draft, two: Draft) -> bool:
    alike = one.signature == two.signature and one.transient == two.transient
    decided = one.unit.either.decisions or two.unit.either.decisions
    return (
        bool(decided)
        and alike
        and definition_of(one.unit) == definition_of(two.unit)
        and not one.layout.root
    )


def _joined(
    group: list[Draft], other: list[Draft], rewrite: Callable[[Draft], Draft]
) -> list[Draft] | None:
    condition = separating_condition(group, other)
    if condition is None:
        group, other = other, group
        condition = separating_condition(group, other)
    if condition is None:
        return None
    group, other = _with_names_alike(group, other, rewrite)
    variants = _Variants(group[0], other[0], condition)
    if variants.shared < LEAST_SHARED or not variants.scriptable:
        return None
    return [
        *(variants.congruent(draft, True) for draft in group),
        *(variants.congruent(draft, False) for draft in other),
    ]


def _with_names_alike(
    group: list[Draft], other: list[Draft], rewrite: Callable[[Draft], Draft]
) -> tuple[list[Draft], list[Draft]]:
    """Both groups with variables that agree; those of the longer one are used."""
    if len(group[0].forward) < len(other[0].forward):
        other, group = _with_names_alike(other, group, rewrite)
        return group, other
    other = _renamed(other, group[0], rewrite)
    group = _renamed(group, other[0], rewrite)
    return group, _renamed(other, group[0], rewrite)


def _renamed(group: list[Draft], like: Draft, rewrite: Callable[[Draft], Draft]) -> list[Draft]:
    """A group with the variables of another draft, unless its drafts would then differ."""
    before = [draft.layout.preferred for draft in group]
    if any(draft.is_joined for draft in group):
        return group
    for draft in group:
        draft.layout.preferred = preferred_names(draft, like)
    found = [rewrite(draft) for draft in group]
    if len({draft.skeleton() for draft in found}) == 1:
        return found
    for draft, names in zip(group, before, strict=True):
        draft.layout.preferred = names
    return [rewrite(draft) for draft in group]


# ---------------------------------------------------------------------- lines


@frozen
class _Test:
    """How code tests the variant: by an attribute, or by an expression over arguments."""

    condition: Expression
    attribute: str = ""
    """One that only the first variant has or, if it begins with `not `, only the second."""

    def head(self, holds: bool, of: bool) -> Line:
        """`if ..:`, true in the first variant (`of`) or else in the second.

        It is written for a draft for which the condition is true, or false.
        """
        if not self.attribute:
            condition = self.condition if of else negated(self.condition)
            return Line(code("if ", Hole(holds == of, "flag", condition), ":"))
        owner = self.attribute.removeprefix("not ")
        present = self.attribute.startswith("not ") != of
        return Line(code(f"if self.{owner} is {'not ' if present else ''}None:"))


class _Variants:
    """Two drafts; the condition is true for the first."""

    def __init__(self, one: Draft, two: Draft, condition: Expression) -> None:
        self.condition = condition
        self.blocks = (_blocks(one), _blocks(two))
        self.names = (one.names, two.names)
        self.always = (_always(one.init), _always(two.init))
        self.attributes = tuple(_attributes(one, two))
        test = _Test(condition, self._attribute())
        self.tests = {name: test if name != "init" else _Test(condition) for name in BLOCKS}
        self.parts = {name: self._parts(name) for name in BLOCKS}
        if not test.attribute:
            arguments = re.findall(r"(\w+):", one.signature)
            self.parts["forward"] = joined_where_read(
                with_facts(self.parts["forward"]), set(arguments)
            )

    @property
    def shared(self) -> float:
        """The fraction of the statements of the shorter draft that both have."""
        counts = [0, 0, 0]
        for part in (*self.parts["init"], *self.parts["forward"]):
            counts[0] += len(part.left)
            counts[1] += len(part.right)
            counts[2] += len(part.left) if part.shared else 0
        return counts[2] / max(1, min(counts[:2]))

    @property
    def scriptable(self) -> bool:
        """Whether TorchScript finds all attributes that are read; it compiles both sides of `if`.

        It only skips a side if the condition is whether an attribute is None.
        """
        if self.tests["forward"].attribute:
            return True
        (one, two), (always, also) = self.blocks, self.always
        missing = (_ever(one["init"]) | _ever(two["init"])) - (always & also)
        parts = [part for name in BLOCKS if name != "init" for part in self.parts[name]]
        apart = (one.text for part in parts if not part.shared for one in part.statements)
        return not any(name in missing for text in apart for name in re.findall(SELF, text))

    def congruent(self, draft: Draft, holds: bool) -> Draft:
        """A draft of one side with the lines of both sides."""
        own = _blocks(draft)
        lines = {name: list(self._lines(name, own[name], holds)) for name in BLOCKS}
        return replace(
            draft,
            init=lines["init"],
            resets=lines["resets"],
            restores=lines["restores"],
            initial_values=InitialValues(tuple(lines["initialise"])),
            forward=lines["forward"],
            is_joined=True,
        )

    # ------------------------------------------------------------------ parts

    def _parts(self, name: str) -> list[Part]:
        spelled = constructed if name == "init" else skeleton
        one, two = (statements_of(block[name], spelled) for block in self.blocks)
        parts = matched(one, two)
        return parts if name != "init" else _parted(parts, self.names)

    def _attribute(self) -> str:
        """An attribute by which code tests the variant, preferably one that it reads."""
        for prefix, names in zip(("", "not "), self.attributes, strict=True):
            text = "\n".join(
                skeleton(line.code) for block in self.blocks for line in block["forward"]
            )
            read = [name for name in names if re.search(rf"\bself\.{name}\b", text)]
            if names:
                return prefix + (*read, *names)[0]
        return ""

    def _lines(self, name: str, own: Sequence[Line], holds: bool) -> Iterator[Line]:
        """The lines of a block for a draft of one side, whose own lines are `own`."""
        test = self.tests[name]
        at = 0
        for part in self.parts[name]:
            sides = [[line for one in side for line in one.lines] for side in part.sides]
            mine = [*own[at : at + len(sides[not holds])]]
            at += len(mine)
            if part.shared:
                yield from mine
                continue
            if part.always:
                yield from mine or _absent(sides[holds])
                continue
            written = [mine if side is holds else _absent(sides[not side]) for side in SIDES]
            if name == "init":
                self._nothing(written)
            head = test.head(holds, bool(written[0]))
            for lines in written:
                if lines:
                    yield head
                    yield from (replace(line, indent=line.indent + 4) for line in lines)
                    head = Line(code("else:"))

    def _nothing(self, written: list[list[Line]]) -> None:
        """Add `self.name = None` to the other side, for the attribute that code tests."""
        asked = self.tests["forward"].attribute
        name, side = asked.removeprefix("not "), int(asked.startswith("not "))
        if asked and any(_assigned(line) == name for line in written[side]):
            written[1 - side].append(Line(code(f"self.{name} = None")))


def _blocks(draft: Draft) -> Blocks:
    return {
        "init": draft.init,
        "resets": draft.resets,
        "restores": draft.restores,
        "initialise": draft.initial_values.lines,
        "forward": draft.forward,
    }


def _attributes(one: Draft, two: Draft) -> Iterator[list[str]]:
    """The attributes that one draft always sets and the other never; of each draft."""
    for draft, other in ((one, two), (two, one)):
        ever = _ever(other.init)
        names = [_assigned(line) for line in draft.init if not line.indent]
        yield [name for name in names if name and name not in ever]


def _always(init: Sequence[Line]) -> set[str]:
    return {_assigned(line) for line in init if not line.indent} - {""}


def _ever(init: Sequence[Line]) -> set[str]:
    return {_assigned(line) for line in init} - {""}


def _assigned(line: Line) -> str:
    """The attribute that a line sets, or ""."""
    found = re.match(r"self\.(\w+) = ", skeleton(line.code))
    return found[1] if found is not None else ""


def _absent(lines: Sequence[Line]) -> list[Line]:
    """Lines for a specialisation that does not run them."""
    return [Line(replaced(line.code, _without_value), line.indent, None) for line in lines]


def _without_value(hole: Hole) -> Code:
    value = hole.value if isinstance(hole.value, Absent) else Absent(hole.value)
    return (replace(hole, value=value),)


def _parted(
    parts: Sequence[Part], names: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> list[Part]:
    """The parts, without statements that only have the same form.

    In `self.conv = Conv(in_channels, width)` and `self.conv = Conv(2 * width, width)` no expression
    is right for both.
    """
    found: list[Part] = []
    for part in parts:
        if part.shared and not _share_origins(part, names):
            part = Part(part.left, part.right)
        if found and not part.shared and not found[-1].shared:
            part = found.pop().joined(part)
        found.append(part)
    return found


def _share_origins(part: Part, names: tuple[Mapping[str, Any], Mapping[str, Any]]) -> bool:
    for one, two in zip(*(_holes(side) for side in part.sides), strict=True):
        if one.origin is None or two.origin is None or one.origin == two.origin:
            continue
        found = (
            [evaluated(origin, known) for known in names] for origin in (one.origin, two.origin)
        )
        if [one.value, two.value] not in found:
            return False
    return True


def _holes(statements: Sequence[Statement]) -> list[Hole]:
    return [hole for one in statements for line in one.lines for hole in holes(line.code)]
