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
from archspec_torch.code.lines import Line, alternatives
from archspec_torch.code.pieces import (
    Absent,
    Code,
    Hole,
    code,
    constructed,
    holes,
    present,
    skeleton,
)
from archspec_torch.code.pieces import replace as replaced
from archspec_torch.code.statements import (
    Part,
    Statement,
    joined_where_read,
    matched,
    statements_of,
)

LEAST_SHARED = 0.5
"""Of the statements of the shorter draft; with less in common, two classes are more readable."""

SELF = r"\bself\.(\w+)"
"""An attribute that code reads."""

MOST_GROUPS = 24
"""Maximum number of groups to join; more than that differ by counts rather than by conditions."""

SIDES = (True, False)
"""The variant for which the condition is true, and the other one."""


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
    found = separating_condition(group, other)
    if found is None:
        return None
    condition, of_first = found
    if not of_first:
        group, other = other, group
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
    """One that only one variant has."""
    of_first: bool = True
    """Whether that is the first variant."""

    def head(self, holds: bool, of: bool) -> Line:
        """`if ..:`, true in the first variant (`of`) or else in the second.

        It is written for a draft for which the condition is true, or false.
        """
        if not self.attribute:
            condition = self.condition if of else negated(self.condition)
            return Line(code("if ", Hole(holds == of, "flag", condition), ":"))
        negation = "not " if of == self.of_first else ""
        return Line(code(f"if self.{self.attribute} is {negation}None:"))


class _Variants:
    """Two drafts; the condition is true for the first."""

    def __init__(self, one: Draft, two: Draft, condition: Expression) -> None:
        self.drafts = (one, two)
        self.condition = condition
        inits = (one.init, two.init)
        always = [[_assigned(line) for line in init if not line.indent] for init in inits]
        ever = [{_assigned(line) for line in init} for init in inits]
        self.sometimes = (ever[0] | ever[1]) - (set(always[0]) & set(always[1])) - {""}
        """The attributes that are not set in every specialisation."""
        own = [[name for name in always[at] if name and name not in ever[1 - at]] for at in (0, 1)]
        self.test = self._test(*own)
        self.parts = {name: self._parts(name) for name in one.blocks}
        if not self.test.attribute:
            arguments = set(re.findall(r"(\w+):", one.signature))
            parts = with_facts(self.parts["forward"])
            self.parts["forward"] = joined_where_read(parts, arguments)

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
        if self.test.attribute:
            return True
        parts = (part for name, found in self.parts.items() if name != "init" for part in found)
        apart = (one.text for part in parts if not part.shared for one in part.statements)
        return all(self.sometimes.isdisjoint(re.findall(SELF, text)) for text in apart)

    def congruent(self, draft: Draft, holds: bool) -> Draft:
        """A draft of one side with the lines of both sides."""
        joined = draft.with_blocks(lambda name, lines: self._lines(name, lines, holds))
        return replace(joined, is_joined=True)

    # ------------------------------------------------------------------ parts

    def _parts(self, name: str) -> list[Part]:
        spelled = constructed if name == "init" else skeleton
        one, two = self.drafts
        parts = matched(
            statements_of(one.blocks[name], spelled), statements_of(two.blocks[name], spelled)
        )
        return parts if name != "init" else _parted(parts, (one.names, two.names))

    def _test(self, of_first: Sequence[str], of_second: Sequence[str]) -> _Test:
        """By an attribute of one variant if there is one, preferably one that `forward` reads."""
        text = "\n".join(skeleton(line.code) for draft in self.drafts for line in draft.forward)
        read = set(re.findall(SELF, text))
        names = of_first or of_second
        attribute = next((name for name in names if name in read), names[0] if names else "")
        return _Test(self.condition, attribute, bool(of_first))

    def _lines(self, name: str, own: Sequence[Line], holds: bool) -> Iterator[Line]:
        """The lines of a block for a draft of one side, whose own lines are `own`."""
        test = self.test if name != "init" else _Test(self.condition)
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
            yield from alternatives(test.head(holds, bool(written[0])), written)

    def _nothing(self, written: list[list[Line]]) -> None:
        """Add `self.name = None` to the other side, for the attribute that code tests."""
        name, side = self.test.attribute, 0 if self.test.of_first else 1
        if name and any(_assigned(line) == name for line in written[side]):
            written[1 - side].append(Line(code(f"self.{name} = None")))


def _assigned(line: Line) -> str:
    """The attribute that a line sets, or ""."""
    found = re.match(r"self\.(\w+) = ", skeleton(line.code))
    return found[1] if found is not None else ""


def _absent(lines: Sequence[Line]) -> list[Line]:
    """Lines for a specialisation that does not run them."""
    return [Line(replaced(line.code, _without_value), line.indent, None) for line in lines]


def _without_value(hole: Hole) -> Code:
    return (replace(hole, value=Absent(present(hole.value))),)


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
