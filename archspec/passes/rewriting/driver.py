"""Applying rules to graphs until none applies."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled, Mode
from archspec.graph.edit import OUTPUT, Edit
from archspec.graph.mapping import map_network
from archspec.graph.model import Graph, Node, Port, Requirement
from archspec.passes.rewriting.pattern import Match, Rule, matched

MOST = 100
"""Rewrites of a graph, for each node that it has at first; rules that go on are never done."""


def rewrite_network(
    network: Compiled, rules: Sequence[Rule], *, mode: Mode | None = None
) -> Compiled:
    """The network with every graph rewritten, those that ops hold too, in both modes or in one.

    What graphs share they go on sharing. Raises CompileFailed (E0912) as `rewrite` does.
    """
    return map_network(network, lambda graph: rewrite(graph, rules), mode=mode)


def rewrite(graph: Graph, rules: Sequence[Rule]) -> Graph:
    """The graph once none of the rules applies; the same object where none ever does.

    At each node the first rule that matches is applied. What a rule matched goes away where
    nothing reads it any more. Raises CompileFailed (E0912) where the rules come to no end.
    """
    edit, left, last = Edit(graph), MOST * len(graph.nodes), ""
    numbers, changed = [node.id for node in graph.nodes], False
    while numbers:
        again: list[int] = []
        for number in numbers:
            name = _apply(edit, rules, number, again) if number in edit else None
            if name is not None:
                changed, left, last = True, left - 1, name
            if left < 0:
                message = (
                    f"the rules of a pass come to no end in `{graph.name}`, last that of `{last}`"
                )
                raise CompileFailed([diagnostic("E0912", message)])
        numbers = [*dict.fromkeys(again)]
    return edit.graph() if changed else graph


@frozen
class Replaced:
    """Where a rule applies: what it matched, and what is to be read in place of it."""

    match: Match
    port: Port


def replaced(edit: Edit, rule: Rule, node: Node) -> Replaced | None:
    """What a rule makes of a node; None where it does not apply."""
    match = matched(edit, rule.pattern, node)
    port = rule.becomes(match) if match is not None else None
    return Replaced(match, port) if match is not None and port is not None else None


def _apply(edit: Edit, rules: Sequence[Rule], number: int, again: list[int]) -> str | None:
    """Apply one rule to a node; its name. What it may have made possible is noted in `again`."""
    node, old = edit.node(number), Port(number)
    for rule in rules:
        found = replaced(edit, rule, node)
        if found is None:
            continue
        again += [found.port.node, *(reader for reader in edit.readers(old) if reader != OUTPUT)]
        keep = (found.port.node,)  # which may read what it replaces
        readers, needs = edit.redirect(old, found.port, keep=keep), list[Requirement]()
        for site in (found.match.site, *found.match.inside.values()):
            one = site.node.id
            if one in edit and not edit.is_read(one):
                needs += edit.node(one).requirements
                edit.erase(one)
        edit.require_to_read(found.port, readers, needs)
        return rule.name
    return None
