"""The method `init_weights`: initial values that differ from torch's own.

The network calls it on all blocks, callers before callees. So an `init` statement reaches
everything below, an inner statement overrides an outer one, and an explicit attribute overrides
both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from archspec.graph.expression import Expression
from archspec.graph.init_rules import rule_for
from archspec.graph.model import InitRule, Instance
from archspec.graph.units import Unit
from archspec.ops.base import Op, Parameter
from archspec.types.initialiser import Constant, Initialiser, Ones, Zeros
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import Code, call, code
from archspec_torch.init.initialisers import init_call
from archspec_torch.init.kinds import kind_condition, module_kinds
from archspec_torch.lowering.base import Lowered, site
from archspec_torch.planning.layout import Layout, Plan

DRAWING_NOTHING = (Zeros, Ones, Constant)
"""Initialisers without random numbers, so that the order of their calls is of no effect."""


@dataclass(frozen=True)
class InitialValues:
    """Lines of `init_weights`; empty if torch's own values are right."""

    lines: tuple[Line, ...] = ()


def write_initial_values(layout: Layout, known: Plan) -> InitialValues:
    """The lines for one unit: rules first, then explicit attributes."""
    lines: list[Line] = []
    rules: dict[tuple[str, str], InitRule] = {}
    for graph in layout.unit.all_graphs:
        for rule in graph.init_rules:
            rules[rule.op, rule.parameter] = rule
    lines += _rule_lines(list(rules.values()), layout, known)
    lines += _grouped([asked for asked in _asked(layout) if asked.explicit], layout)
    return InitialValues(tuple(lines))


def _rule_lines(rules: list[InitRule], layout: Layout, known: Plan) -> list[Line]:
    """A loop over all modules below; rules without an effect are left out."""
    found: list[tuple[tuple[str, ...], list[Line]]] = []
    for rule in rules:
        below = _filled_below(layout, known, rule, rules)
        for filled, lowered in below.items():
            kinds = module_kinds(lowered)
            if not filled or not kinds:
                continue
            lines, indent = _lines_of(kinds, found), 8
            others = chain.from_iterable(ops for names, ops in below.items() if names != filled)
            if rule.parameter == "bias" or not set(kinds).isdisjoint(module_kinds(others)):
                lines.append(Line(_has(filled[0][0]), indent))
                indent += 4
            lines += [Line(init_call(how, f"module.{name}"), indent) for name, how in filled]
    if not found:
        return []
    loop = [Line(code("for module in self.modules():"))]
    for kinds, lines in found:
        loop += [Line(code(f"if {kind_condition(kinds)}:"), 4), *lines]
    return loop


def _lines_of(
    kinds: tuple[str, ...], found: list[tuple[tuple[str, ...], list[Line]]]
) -> list[Line]:
    """The lines for these kinds of modules, to which more can be added.

    A module then has the same initial values as if these lines were at the end.
    """
    for others, lines in reversed(found):
        if others == kinds:
            return lines
        if not set(others).isdisjoint(kinds):
            break
    found.append((kinds, []))
    return found[-1][1]


def _has(name: str) -> Code:
    """Whether a module has a tensor; in torch some are None, others are missing."""
    if name.rpartition(".")[2] == "bias":
        return code(f"if module.{name} is not None:")
    return code(f'if getattr(module, "{name}", None) is not None:')


Filled: TypeAlias = tuple[tuple[str, Initialiser], ...]
"""Names of parameters with their initial values."""


def _filled(rule: InitRule, rules: list[InitRule], op: Op, owned: tuple[Parameter, ...]) -> Filled:
    """The parameters that a rule initialises: that of its name, or its parametrisation.

    Parameters that are computed from it, such as the norms of weight normalisation, follow.
    """
    named = [item.name for item in owned if rule_for(rules, op, item) is rule]
    derived = [
        (item.name, item.initialiser)
        for item in owned
        if item.initialiser is not None and getattr(item.initialiser, "of", "") in named
    ]
    return (*((name, rule.initialiser) for name in named), *derived)


def _filled_below(
    layout: Layout, known: Plan, rule: InitRule, rules: list[InitRule]
) -> dict[Filled, list[Lowered]]:
    """The ops that a rule may reach, here and in all callees, by the parameters that it fills.

    It is one of the rules of a graph.
    """
    found: dict[Filled, list[Lowered]] = {}
    seen: set[Unit] = set()
    stack = [layout.unit]
    while stack:
        unit = stack.pop()
        if unit in seen:
            continue
        seen.add(unit)
        stack.extend(callee.owner for callee in unit.callees.values())
        for graph in unit.all_graphs:
            for node in graph.nodes:
                op = node.op
                if op is not None and rule.op in (op.name, *op.inner_layers.values()):
                    filled = _filled(rule, rules, op, site(graph, node).parameters)
                    found.setdefault(filled, []).append(known.of(unit).at(graph, node))
    return found


@dataclass(frozen=True)
class Asked:
    """A parameter whose initial value differs from that of its module's constructor.

    `explicit` says that an attribute of the spec sets the initial value.
    """

    path: str
    name: str
    initialiser: Initialiser
    explicit: bool
    written: Mapping[str, Expression] = field(default_factory=dict)
    """What the spec has for numbers of the initialiser."""


def _asked(layout: Layout) -> Iterator[Asked]:
    """All of a unit; those computed from others, such as weight_g from weight_v, are last."""
    for owned in layout.unit.owned:
        instance = owned.either
        if instance.op is None or layout.at(*owned.places[0]).raw:
            continue
        given = layout.at(*owned.places[0]).given
        found: dict[str, Asked] = {}
        for parameter in sorted(site(*owned.places[0]).parameters, key=is_derived):
            how, source = parameter.initialiser, None
            if how is None:
                continue
            if is_derived(parameter):
                source = found.get(getattr(how, "of", ""))
                wanted, explicit = source is not None, source is not None and source.explicit
            else:
                explicit = is_explicit(instance, parameter)
                wanted = explicit or given.get(parameter.name) != how
            if wanted:
                attribute = f"{parameter.parametrises or parameter.name}_init"
                written = written_numbers(instance, attribute)
                found[parameter.name] = Asked(owned.key, parameter.name, how, explicit, written)
        yield from found.values()


def written_numbers(instance: Instance, attribute: str) -> dict[str, Expression]:
    """What the spec has for the numbers of an initialiser, which is the value of an attribute."""
    start = f"{attribute}."
    return {
        name.removeprefix(start): one
        for name, one in instance.written.items()
        if name.startswith(start)
    }


def is_derived(parameter: Parameter) -> bool:
    """Whether its initial values are computed from those of another parameter."""
    return hasattr(parameter.initialiser, "of")


def is_explicit(instance: Instance, parameter: Parameter) -> bool:
    """Whether an attribute of the spec sets the initial value."""
    attribute = f"{parameter.parametrises or parameter.name}_init"
    written = getattr(instance.op, attribute, None) is not None
    return written or attribute in instance.explicit


def default_lines(layout: Layout) -> list[Line]:
    """Lines of `reset_parameters` for defaults that are not those of torch; rules override them."""
    return list(_grouped([asked for asked in _asked(layout) if not asked.explicit], layout))


def _grouped(items: list[Asked], layout: Layout) -> Iterator[Line]:
    """One loop for all parameters with the same initial values."""
    access = {leaf.path: leaf.access for leaf in layout.tree.leaves()}
    groups: dict[tuple[str, Code], list[Asked]] = {}
    for asked in items:
        source = init_call(asked.initialiser, f"\0.{asked.name}")
        groups.setdefault((asked.name, source), []).append(asked)
    last: list[str] = []
    for (name, _), group in groups.items():
        how, modules = group[0].initialiser, [access[asked.path] for asked in group]
        if len(group) == 1:
            yield Line(init_call(how, f"{modules[0]}.{name}", group[0].written))
            last = []
            continue
        if modules != last or not isinstance(how, DRAWING_NOTHING):
            yield Line(code("for module in ", call("", *modules), ":"))
        last = modules
        yield Line(init_call(how, f"module.{name}", group[0].written), 4)
