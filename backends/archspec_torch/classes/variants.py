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

from archspec.graph.codegen.recursion import definition_of
from archspec.graph.expression import Expression, Name, Operation, evaluated
from archspec_torch.classes.agreement import preferred_names
from archspec_torch.classes.conditions import distance, separating_condition
from archspec_torch.classes.draft import Draft
from archspec_torch.classes.module_lists import with_common_items
from archspec_torch.classes.passing import (
    inputs_of_all,
    inputs_of_none,
    read_inputs,
    with_passed,
    without_passed,
)
from archspec_torch.classes.variant_tests import Test
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
from archspec_torch.planning.layout import localise_like

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


def _distance(groups: Mapping[int, list[Draft]], pair: tuple[int, int]) -> tuple[int, int] | None:
    """The number of conditions by which two groups differ; None if they cannot be joined.

    Those that differ by the fewest are joined first and, of these, those of similar lengths.
    """
    group, other = (groups[number] for number in pair)
    if not _may_join(group[0], other[0]):
        return None
    apart = distance(group, other)
    lengths = [len([*one[0].lines]) for one in (group, other)]
    return None if apart is None else (apart, abs(lengths[0] - lengths[1]))


def _may_join(one: Draft, two: Draft) -> bool:
    alike = one.signature == two.signature and one.transient == two.transient
    decided = one.unit.either.decisions or two.unit.either.decisions
    return (
        bool(decided or one.layout.optional)
        and alike
        and definition_of(one.unit) == definition_of(two.unit)
        and not one.layout.root
    )


def _joined(
    group: list[Draft], other: list[Draft], rewrite: Callable[[Draft], Draft]
) -> list[Draft] | None:
    condition, of_first = separating_condition(group, other) or (None, True)
    while isinstance(condition, Operation) and condition.sign == "not":
        condition, of_first = condition.operands[0], not of_first
    if condition is None:
        of_first = bool(_inputs_of_first(group, other))
        if not of_first and not _inputs_of_first(other, group):
            return None
    if not of_first:
        group, other = other, group
    group, other = with_common_items(*_with_names_alike(group, other, rewrite))
    for test in _tests(condition, group, other):
        variants = _Variants((group, other), test, condition)
        if variants.are_one_class:
            return variants.joined()
    return None


def _inputs_of_first(group: Sequence[Draft], other: Sequence[Draft]) -> list[str]:
    """The inputs that all drafts of the first group have, and none of the second."""
    return sorted(inputs_of_all(group) & inputs_of_none(other))


def _tests(
    condition: Expression | None, group: Sequence[Draft], other: Sequence[Draft]
) -> Iterator[Test]:
    """The possible tests in `forward`, the most readable first."""
    if condition is not None:
        yield Test(condition)
    for of_first, sides in ((True, (group, other)), (False, (other, group))):
        for name in _inputs_of_first(*sides):
            yield Test(condition, value=name, of_first=of_first)
    if isinstance(condition, Name) and isinstance(group[0].names.get(condition.text), bool):
        yield Test(condition, is_static=True)


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
        localise_like(draft.layout, like.layout)
        draft.layout.preferred = preferred_names(draft, like)
    found = [rewrite(draft) for draft in group]
    if len({draft.skeleton() for draft in found}) == 1:
        return found
    for draft, names in zip(group, before, strict=True):
        draft.layout.preferred = names
    return [rewrite(draft) for draft in group]


# ---------------------------------------------------------------------- lines


class _Variants:
    """Two groups of drafts; the condition is true for the first."""

    def __init__(
        self, groups: tuple[list[Draft], list[Draft]], test: Test, condition: Expression | None
    ) -> None:
        self.groups = groups
        self.condition = condition
        self.drafts = one, two = groups[0][0], groups[1][0]
        self.absent = inputs_of_none(groups[0]), inputs_of_none(groups[1])
        inits = (one.init, two.init)
        always = [[_assigned(line) for line in init if not line.indent] for init in inits]
        ever = [{_assigned(line) for line in init} for init in inits]
        own = [[name for name in always[at] if name and name not in ever[1 - at]] for at in (0, 1)]
        self.test = self._with_attribute(test, *own)
        self.parts = {name: self._parts(name) for name in one.blocks}
        sometimes = (ever[0] | ever[1]) - (set(always[0]) & set(always[1]))
        apart = (part for part in self.parts["init"] if not part.shared)
        made = {_assigned(line) for part in apart for one in part.statements for line in one.lines}
        self.different = (sometimes | made) - {""}
        """The attributes that are not set, or not set alike, in every specialisation."""
        if not self.test.is_decided:
            arguments = set(re.findall(r"(\w+):", one.signature))
            parts = with_facts(self.parts["forward"], one.layout.optional)
            self.parts["forward"] = joined_where_read(parts, arguments)

    @property
    def are_one_class(self) -> bool:
        """Whether they have enough in common, and one class can have the lines of both."""
        if self.condition is None and not all(part.shared for part in self.parts["init"]):
            return False
        return self.shared >= LEAST_SHARED and self.scriptable

    def joined(self) -> list[Draft] | None:
        """All drafts, made congruent; None if they cannot be."""
        found = [
            self.congruent(draft, side)
            for side, group in zip(SIDES, self.groups, strict=True)
            for draft in group
        ]
        if self.drafts[0].layout.optional and len({draft.skeleton() for draft in found}) > 1:
            return None
        return found

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

        It only skips a side if the condition is a constant, or whether an attribute is None.
        """
        if self.test.is_decided:
            return True
        parts = (part for name, found in self.parts.items() if name != "init" for part in found)
        apart = (one.text for part in parts if not part.shared for one in part.statements)
        return all(self.different.isdisjoint(re.findall(SELF, text)) for text in apart)

    def congruent(self, draft: Draft, holds: bool) -> Draft:
        """A draft of one side with the lines of both sides."""
        joined = draft.with_blocks(lambda name, lines: self._lines(name, lines, holds))
        constants = {name for one in self.drafts for name in one.constants} | self.test.constants
        return replace(joined, is_joined=True, constants=frozenset(constants))

    # ------------------------------------------------------------------ parts

    def _parts(self, name: str) -> list[Part]:
        one, two = self.drafts
        if name == "init":
            left, right = (statements_of(draft.init, constructed) for draft in self.drafts)
            return _parted(matched(left, right), (one.names, two.names))
        passed = self.absent[0] | self.absent[1]

        def spelled(source: Code) -> str:
            return skeleton(without_passed(source, passed) if passed else source)

        return matched(
            statements_of(one.blocks[name], spelled), statements_of(two.blocks[name], spelled)
        )

    def _with_attribute(
        self, test: Test, of_first: Sequence[str], of_second: Sequence[str]
    ) -> Test:
        """By an attribute of one variant if there is one, preferably one that `forward` reads."""
        names = of_first or of_second
        if test.value or not names:
            return test
        text = "\n".join(skeleton(line.code) for draft in self.drafts for line in draft.forward)
        read = set(re.findall(SELF, text))
        attribute = next((name for name in names if name in read), names[0])
        return replace(test, attribute=attribute, of_first=bool(of_first), is_static=False)

    def _lines(self, name: str, own: Sequence[Line], holds: bool) -> Iterator[Line]:
        """The lines of a block for a draft of one side, whose own lines are `own`."""
        test = self.test if name != "init" else Test(self.condition)
        at = 0
        for part in self.parts[name]:
            sides = [[line for one in side for line in one.lines] for side in part.sides]
            mine = [*own[at : at + len(sides[not holds])]]
            at += len(mine)
            if part.shared:
                yield from self._passing(mine, sides[holds])
                continue
            if part.always:
                yield from mine or _absent(sides[holds])
                continue
            written = [mine if side is holds else _absent(sides[not side]) for side in SIDES]
            if name == "init":
                self._nothing(written)
            else:
                written = [
                    [*self._assertions(sides[not side], side), *written[not side]] for side in SIDES
                ]
            yield from alternatives(test.head(holds, bool(written[0])), written)

    def _passing(self, mine: Sequence[Line], others: Sequence[Line]) -> Iterator[Line]:
        """Lines that both sides have; calls pass the inputs that only one of them has."""
        passed = self.absent[0] | self.absent[1]
        if not passed:
            yield from mine
            return
        for one, other in zip(mine, others, strict=True):
            yield replace(one, code=with_passed(one.code, other.code, passed))

    def _assertions(self, lines: Sequence[Line], side: bool) -> Iterator[Line]:
        """That the inputs are not None which lines of one side read, for TorchScript."""
        names = inputs_of_all(self.groups[not side]) - {self.test.value}
        for name in read_inputs(lines, names):
            yield Line(code(f"assert {name} is not None"))

    def _nothing(self, written: list[list[Line]]) -> None:
        """Add `self.name = None` to the other side, for the attribute that code tests."""
        name, side = self.test.attribute, 0 if self.test.of_first else 1
        if name and any(_assigned(line) == name for line in written[side]):
            written[1 - side].append(Line(code(f"self.{name} = None")))


def _assigned(line: Line) -> str:
    """The attribute that a line sets, or the list that it appends to; or ""."""
    found = re.match(r"self\.(\w+)(?: = |\.append\()", skeleton(line.code))
    return found[1] if found is not None else ""


def _absent(lines: Sequence[Line]) -> list[Line]:
    """Lines for a specialisation that does not run them."""
    return [replace(line, code=replaced(line.code, _without_value), comment=None) for line in lines]


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
