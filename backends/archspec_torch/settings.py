"""The parameters of a network that the constructor of its class takes.

Those on which no decision of the spec depends (`Family.numbers`) change numbers only, unless code
generation or the sizes of inputs depend on them. To find that out, the network is written with
another value of each, too: a parameter is an argument if the members of the family are one class,
in which each number is an expression over arguments, and take the same inputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from archspec.analysis.cost import inputs_of
from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import camel_case
from archspec.graph.codegen.loop_bodies import with_loop_bodies
from archspec.graph.compiled import Compiled
from archspec.graph.expression import evaluated
from archspec.graph.model import Node
from archspec.graph.ties import ties_below
from archspec.graph.units import Memo, plan
from archspec_torch.checks.forms import require_one_form
from archspec_torch.classes.constructor.requirements import OneOf
from archspec_torch.classes.draft import Drafts
from archspec_torch.classes.grouping import ClassDef, build_classes
from archspec_torch.domains import is_readable, refusals
from archspec_torch.forward.signature import name_records, record_fields
from archspec_torch.inputs import Entrance, entrance
from archspec_torch.interface_doc import interface_doc
from archspec_torch.planning.known_numbers import known_numbers
from archspec_torch.planning.layout import Plan, lay_out

FACTOR = 2
"""By which a parameter is multiplied for another member of the family."""


@frozen
class Written:
    """A network as classes, callees first, and the additional lines of the class of the network.

    `refusals` are the lines of its constructor that check arguments, `doc` is for its docstring.
    """

    plan: Plan
    classes: list[ClassDef]
    entrance: Entrance
    doc: str
    refusals: tuple[str, ...] = ()


def write_classes(network: Compiled) -> Written:
    """The classes of a network. Raises CompileFailed (E0821, E0822) for what cannot be modules."""
    numbers = network.family.numbers if network.family is not None else {}
    readable = {item.name for item in network.parameters if is_readable(item.domain)}
    numbers = {name: value for name, value in numbers.items() if name in readable}
    single = {name: _member(network, {name: _another(numbers[name])}) for name in numbers}
    members = {
        name: other
        for name, other in single.items()
        if other is not None and other.inference is not network.inference
        if _explained(network, other)
    }
    known, *plans = _planned([network, *members.values()])
    family = {
        name: _Member(other, its)
        for (name, other), its in zip(members.items(), plans, strict=True)
        if not _apart(network, known, other, its)
    }
    drafts = Drafts()
    while family:
        found = _together(_Member(network, known), family, drafts)
        if isinstance(found, Written):
            return found
        family = {name: one for name, one in family.items() if name not in found}
    return _alone(_Member(network, known), drafts)


def _explained(network: Compiled, other: Compiled) -> bool:
    """Whether each number of the network itself that differs is written over its parameters.

    Code generation would find out too, but takes longer.
    """
    pairs = ((network.inference, other.inference), (network.training, other.training))
    for one, two in pairs:
        names = known_numbers(two)
        for first, second in zip(one.nodes, two.nodes, strict=False):
            if first.instance is None or second.instance is None:
                continue
            old, new = _attributes(first), _attributes(second)
            for name, value in new.items():
                if isinstance(value, int | float) and value != old.get(name):
                    written = second.instance.written.get(name)
                    if written is None or evaluated(written, names) != value:
                        return False
    return True


def _attributes(node: Node) -> Mapping[str, Any]:
    """The attributes of an op, or the arguments of a block."""
    if node.callee is not None:
        return node.callee.arguments
    return dict(node.op) if node.op is not None else {}


def _member(network: Compiled, values: Mapping[str, int | float]) -> Compiled | None:
    """The network with other values, if its inputs are the same."""
    assert network.family is not None
    other = network.family.member(network, values)
    if other is None or other.sizes.keys() != network.sizes.keys():
        return None
    pairs = ((network.inference, other.inference), (network.training, other.training))
    if any(inputs_of(one) != inputs_of(two) for one, two in pairs):
        return None
    return replace(other, sizes=network.sizes)


def _another(value: float) -> int | float:
    if isinstance(value, int):
        return value * FACTOR if value else FACTOR
    return value * (1 - 1 / (FACTOR + 1)) if value else 1 / (FACTOR + 1)


# ---------------------------------------------------------------------- classes


@frozen
class _Member:
    """A member of the family, or the network itself, and its plan."""

    network: Compiled
    plan: Plan

    def entrance(self, classes: Sequence[ClassDef]) -> Entrance:
        """How the class of the network, the last one, takes the inputs of this member."""
        return entrance(self.network, self.plan.root, classes[-1].first.signature)


def _alone(own: _Member, drafts: Drafts) -> Written:
    own.plan.start()
    classes = build_classes(own.plan, drafts=drafts)
    return Written(own.plan, classes, own.entrance(classes), interface_doc(own.network))


def _together(
    own: _Member, family: Mapping[str, _Member], drafts: Drafts
) -> Written | Collection[str]:
    """The classes of the network and of other members, by parameter, at once.

    If these are not the same, the parameters that cannot be arguments, at least one.
    """
    plans = [one.plan for one in family.values()]
    for one in (own.plan, *plans):
        one.start()
    classes = build_classes(own.plan, plans, family, drafts)
    top = classes[-1]
    if top.first.unit != own.plan.root.unit or len(top.drafts) != 1 + len(family):
        return _impossible(own, family, drafts)
    names = {one.plan.root.unit: name for name, one in family.items()}
    impossible = {
        names[draft.unit]
        for parameter in top.parameters
        if parameter.name not in family
        for draft, value in zip(top.drafts, parameter.values, strict=True)
        if repr(value) != repr(parameter.values[0])
    }
    inlet = own.entrance(classes)
    impossible |= {name for name, one in family.items() if one.entrance(classes) != inlet}
    for name, member in family.items():
        if any(_is_refused(item, member.plan) for item in classes):
            impossible.add(name)
    if impossible:
        return impossible
    if any(parameter.name not in family for parameter in top.parameters):
        return _impossible(own, family, drafts)
    others = [one.network for one in family.values()]
    doc = interface_doc(own.network, others, top.parameters)
    domains = {item.name: item.domain for item in own.network.parameters}
    lines = [refusals(item.name, domains[item.name]) for item in top.parameters]
    return Written(own.plan, classes, inlet, doc, tuple(chain.from_iterable(lines)))


def _is_refused(item: ClassDef, other: Plan) -> bool:
    """Whether a class takes only values of its file, and another member has its own ones."""
    values = {one.name: one.values for one in item.parameters}
    units = {*other.units}
    for one in item.required:
        if isinstance(one, OneOf):
            rows = [*zip(*(values[name] for name in one.names), strict=True)]
            known = {repr(row) for row in rows[: item.own]}
            others = zip(item.drafts[item.own :], rows[item.own :], strict=True)
            if any(draft.unit in units and repr(row) not in known for draft, row in others):
                return True
    return False


def _impossible(own: _Member, family: Mapping[str, _Member], drafts: Drafts) -> Collection[str]:
    """The parameters that cannot be arguments by themselves; all of them if each can."""
    if len(family) == 1:
        return family
    found = [
        name
        for name, one in family.items()
        if not isinstance(_together(own, {name: one}, drafts), Written)
    ]
    return found or family


def _planned(networks: Sequence[Compiled]) -> list[Plan]:
    """The plans of a network and other members of its family, which share units and layouts."""
    memo: Memo = {}
    found: list[Plan] = []
    for network in with_loop_bodies(networks):
        units = plan(network, memo)
        require_one_form(units)
        found.append(lay_out(units, found))
        name_records(found[-1].root, camel_case(networks[0].name))
    return found


def _apart(network: Compiled, known: Plan, other: Compiled, its: Plan) -> bool:
    """Whether two members differ in what is not in their classes: results, ties, shared units."""
    if not known.treats_alike(its):
        return True
    fields = record_fields(known.root) != record_fields(its.root)
    ties = [[ties_below(one.training), ties_below(one.inference)] for one in (network, other)]
    return fields or ties[0] != ties[1]
