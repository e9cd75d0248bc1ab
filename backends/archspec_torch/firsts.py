"""The method `initialise`: first values that a spec asks for, where torch's own differ.

The network calls it on all its modules, callers before callees. So an `init` statement reaches
everything below, a statement further in wins over one further out, and what an attribute says
explicitly wins over both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archspec.graph.model import InitRule, Instance
from archspec.ops.base import Parameter
from archspec.types.initialiser import Initialiser
from archspec_torch.code import Code, call, code
from archspec_torch.initialise import init_call
from archspec_torch.layout import Layout, Plan, site
from archspec_torch.lowering.base import Lowered
from archspec_torch.lowering.rules import kind_condition, module_kinds
from archspec_torch.scope import Line


@dataclass(frozen=True)
class Firsts:
    """Lines of `initialise`; empty where torch's own values are right."""

    lines: tuple[Line, ...] = ()


def write_firsts(layout: Layout, known: Plan) -> Firsts:
    """The lines for one unit: rules first, then explicit attributes."""
    lines: list[Line] = []
    rules: dict[tuple[str, str], InitRule] = {}
    for graph in layout.unit.graphs:
        for rule in graph.init_rules:
            rules.setdefault((rule.op, rule.parameter), rule)
    lines += _rule_lines(list(rules.values()), layout, known)
    lines += _grouped(list(_explicit(layout)), layout)
    return Firsts(tuple(lines))


def _rule_lines(rules: list[InitRule], layout: Layout, known: Plan) -> list[Line]:
    """A loop over all modules below; rules that reach nothing are left out."""
    found: list[Line] = []
    before: tuple[str, ...] = ()
    for rule in rules:
        kinds = module_kinds(_ops_below(layout, known, rule))
        if not kinds:
            continue
        if kinds != before:
            found.append(Line(code(f"if {kind_condition(kinds)}:"), 4))
        before, indent = kinds, 8
        if rule.parameter == "bias":
            found.append(Line(code("if module.bias is not None:"), indent))
            indent += 4
        found.append(Line(init_call(rule.initialiser, f"module.{rule.parameter}"), indent))
    return [Line(code("for module in self.modules():")), *found] if found else []


def _ops_below(layout: Layout, known: Plan, rule: InitRule) -> Iterator[Lowered]:
    """All ops of the rule's name that own the parameter, here and in all callees."""
    seen: set[int] = set()
    stack = [layout.unit]
    while stack:
        unit = stack.pop()
        if id(unit) in seen:
            continue
        seen.add(id(unit))
        stack.extend(unit.callees.values())
        for graph in unit.graphs:
            for node in graph.nodes:
                if node.op is not None and node.op.name == rule.op:
                    owned = {item.name for item in site(graph, node).parameters}
                    if rule.parameter in owned:
                        yield known.of(unit).lowered[id(node.instance)]


def _asked(layout: Layout) -> Iterator[tuple[Instance, str, Parameter]]:
    """Parameters whose first value is not what their module's constructor gives anyway."""
    owns = _parameters(layout)
    for owned in layout.unit.owned:
        instance = owned.either
        if instance.op is None or layout.lowered[id(instance)].raw:
            continue
        given = layout.lowered[id(instance)].given
        changed = False
        for parameter in reversed(owns[id(instance)]):  # weight_g after weight_v
            how = parameter.initialiser
            if how is None:
                continue
            if how.name == "norm_of":
                wanted = changed
            else:
                wanted = is_explicit(instance, parameter) or given.get(parameter.name) != how
            if wanted:
                changed = True
                yield instance, owned.key, parameter


def is_explicit(instance: Instance, parameter: Parameter) -> bool:
    """Whether an attribute of the spec says the first value."""
    attribute = f"{parameter.name.removesuffix('_v').removesuffix('_g')}_init"
    written = getattr(instance.op, attribute, None) is not None
    return written or attribute in instance.explicit


def _explicit(layout: Layout) -> Iterator[tuple[str, str, Initialiser]]:
    """Path, parameter and initialiser of what an attribute says."""
    for instance, path, parameter in _asked(layout):
        if parameter.initialiser is not None and is_explicit(instance, parameter):
            yield path, parameter.name, parameter.initialiser


def default_lines(layout: Layout) -> list[Line]:
    """Lines of `__init__` for defaults of ops that are not those of torch; rules override them."""
    found = [
        (path, parameter.name, parameter.initialiser)
        for instance, path, parameter in _asked(layout)
        if parameter.initialiser is not None and not is_explicit(instance, parameter)
    ]
    return list(_grouped(found, layout))


def _parameters(layout: Layout) -> dict[int, tuple[Parameter, ...]]:
    """What each op owns, by id of its instance."""
    return {
        id(node.instance): site(graph, node).parameters
        for graph in layout.unit.graphs
        for node in graph.nodes
        if node.op is not None
    }


def _grouped(items: list[tuple[str, str, Initialiser]], layout: Layout) -> Iterator[Line]:
    """One loop for all parameters that get the same."""
    access = {leaf.path: leaf.access for leaf in layout.tree.leaves()}
    groups: dict[tuple[str, Code], list[str]] = {}
    for path, parameter, how in items:
        source = init_call(how, f"\0.{parameter}")
        groups.setdefault((parameter, source), []).append(path)
    for (parameter, _), paths in groups.items():
        how = next(h for p, q, h in items if q == parameter and p == paths[0])
        if len(paths) == 1:
            yield Line(init_call(how, f"{access[paths[0]]}.{parameter}"))
            continue
        modules = call("", *(access[path] for path in paths))
        yield Line(code("for module in ", modules, ":"))
        yield Line(init_call(how, f"module.{parameter}"), 4)
