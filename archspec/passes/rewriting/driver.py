"""Applying rules to graphs until none applies."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled, Mode
from archspec.graph.edit import Edit
from archspec.graph.mapping import map_network
from archspec.graph.model import Graph, Node, Port
from archspec.passes.rewriting.pattern import Match, Rule, matched
from archspec.types.condition import TRUE, Condition

MOST = 100
"""Maximum number of rewrites of a graph per initial node, for rules that never stop applying."""


def rewrite_network(
    network: Compiled, rules: Sequence[Rule], *, mode: Mode | None = None
) -> Compiled:
    """The network with every graph rewritten, including those of regions, in both modes or one.

    Shared parts remain shared. Raises CompileFailed (E0911) as `rewrite` does.
    """
    return map_network(network, lambda graph: rewrite(graph, rules, network.where), mode=mode)


def rewrite(graph: Graph, rules: Sequence[Rule], given: Condition = TRUE) -> Graph:
    """The graph when none of the rules applies; the same object if none ever did.

    `given` is the condition of the network on its sizes, for inserted nodes. At each node the first
    matching rule is applied. Matched nodes are removed if nothing reads them any more. Raises
    CompileFailed (E0911) if the rules never stop applying.
    """
    edit, left, before = Edit(graph, given), MOST * len(graph.nodes), -1
    changed = 0
    while changed != before:  # one rule may make others applicable anywhere
        before = changed
        for number in edit.numbers:
            name = _apply(edit, rules, number) if number in edit else None
            changed += name is not None
            if changed > left:
                message = f"the rules of a pass come to no end in `{graph.name}`, last `{name}`"
                raise CompileFailed([diagnostic("E0911", message)])
    return edit.graph() if changed else graph


@frozen
class Replaced:
    """A match of a rule, and its replacement."""

    match: Match
    port: Port


def replaced(edit: Edit, rule: Rule, node: Node) -> Replaced | None:
    """The replacement of a node by a rule; None if the rule does not apply."""
    match = matched(edit, rule.pattern, node)
    port = rule.becomes(match) if match is not None else None
    return Replaced(match, port) if match is not None and port is not None else None


def _apply(edit: Edit, rules: Sequence[Rule], number: int) -> str | None:
    """Apply the first rule that matches at a node; its name."""
    node = edit.node(number)
    for rule in rules:
        found = replaced(edit, rule, node)
        if found is None:
            continue
        node = edit.node(number)
        readers = edit.replace(number, found.port)  # it is kept if the replacement reads it
        needs = [*node.requirements] if number not in edit else []
        for site in found.match.inside.values():
            one = site.node.id
            if one in edit and not edit.is_read(one):
                needs += edit.node(one).requirements
                edit.erase(one)
        edit.require_to_read(found.port, readers, needs)
        return rule.name
    return None
