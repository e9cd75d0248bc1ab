"""Running passes, in an order that each of them allows, with verification on request."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import networkx

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.extensions import attributing_failures
from archspec.frozen import frozen
from archspec.graph.compare import part_fingerprints
from archspec.graph.compiled import Compiled
from archspec.graph.forms import forms
from archspec.graph.model import Graph, Node
from archspec.graph.text import listed_graphs, listed_nodes
from archspec.graph.verify import verify_network
from archspec.options import Options, Request, read_options
from archspec.passes.base import EVERY_OTHER, Applied, Outcome, Pass
from archspec.passes.registry import KIND, pass_named

VERIFY = "ARCHSPEC_VERIFY"
"""If this environment variable is set, graphs are verified after every pass."""

BROKEN = "E0911"
"""The code of errors of a running pass."""

MOST_FAULTS = 10
"""Maximum number of reported errors of one pass."""


def apply(
    network: Compiled, requests: Sequence[Request], done: Sequence[Applied] = ()
) -> tuple[Applied, ...]:
    """The results of the passes, applied to a network in sequence.

    They run in the given order, except that each runs after those that it names in `after`. Passes
    that are `done`, in the same order from the start, are not repeated. Raises
    CompileFailed: E0910 for an unknown pass or option, E0911 if a pass returns an invalid graph,
    changes its input, or raises another exception than CompileFailed; and the errors of the
    passes.
    """
    asked = [(request, pass_named(request.name)) for request in requests]
    chosen = [(request, one, _options(request, one)) for request, one in asked]
    applied: list[Applied] = []
    for at in _order([one for _, one, _ in chosen]):
        request, one, options = chosen[at]
        item = next((known for known in done if known.request is request), None)
        if item is None or item.before is not network:
            item = Applied(request, network, _without_family(_run(one, network, options), network))
        applied.append(item)
        network = item.outcome.network
    return tuple(applied)


def _without_family(outcome: Outcome, before: Compiled) -> Outcome:
    """The outcome; no pass was applied to the other networks of the family."""
    network = outcome.network
    if network is before or network.family is None:
        return outcome
    return replace(outcome, network=replace(network, family=None))


def _options(request: Request, one: Pass) -> Options:
    with attributing_failures(KIND, request.name, BROKEN):
        return read_options("pass", one, request.options, KIND.code)


def _order(passes: Sequence[Pass]) -> Iterator[int]:
    """The indices of the passes, each after those that must run before it.

    Raises CompileFailed (E0910) if two passes must each run before the other.
    """
    waits: networkx.DiGraph[int] = networkx.DiGraph()
    waits.add_nodes_from(range(len(passes)))
    for at, one in enumerate(passes):
        for other, before in enumerate(passes):
            if before.name != one.name and not {before.name, EVERY_OTHER}.isdisjoint(one.after):
                waits.add_edge(other, at)
    try:
        yield from networkx.lexicographical_topological_sort(waits)
    except networkx.NetworkXUnfeasible:
        names = ", ".join(sorted({f"`{passes[at].name}`" for at in waits}))
        message = f"the passes {names} must each run before another of them"
        raise CompileFailed([diagnostic("E0910", message)]) from None


def _run(one: Pass, network: Compiled, options: Options) -> Outcome:
    """The result of a pass, verified on request.

    Raises CompileFailed (E0911) if it is invalid.
    """
    verifying = bool(os.environ.get(VERIFY))
    before = _snapshots(network) if verifying else {}
    with attributing_failures(KIND, one.name, BROKEN):
        outcome = one.run(network, options)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"`run` returns {type(outcome).__name__}, not an Outcome")
        if not isinstance(outcome.network, Compiled):
            kind = type(outcome.network).__name__
            raise TypeError(f"`run` returns an Outcome of {kind}, not of a Compiled network")
    if not verifying:
        return outcome
    changed = _changed(before)
    if changed is not None:
        message = f"the pass `{one.name}` changes the network that it is given: {changed}"
        raise CompileFailed([diagnostic(BROKEN, message)])
    with attributing_failures(KIND, one.name, BROKEN, "returns a network that cannot be verified"):
        faults = verify_network(outcome.network)
    if faults:
        message = f"the result of the pass `{one.name}` does not verify: {faults[0]}"
        notes = [str(fault) for fault in faults[1:MOST_FAULTS]]
        if len(faults) > MOST_FAULTS:
            notes.append(f"and {len(faults) - MOST_FAULTS} more")
        raise CompileFailed([diagnostic(BROKEN, message, notes=notes)])
    return outcome


@frozen
class _Snapshot:
    """The name of a graph and of its nodes, with a fingerprint for each part."""

    name: str
    nodes: Mapping[Node, str]
    parts: tuple[str, ...]


def _snapshots(network: Compiled) -> dict[Graph, _Snapshot]:
    """The fingerprints of the graphs of both modes, callees first."""
    found: dict[Graph, _Snapshot] = {}
    for root in forms(network):
        names = listed_graphs(root)
        for graph, parts in part_fingerprints(root).items():
            found.setdefault(graph, _Snapshot(names[graph], listed_nodes(graph), parts))
    return found


def _changed(before: Mapping[Graph, _Snapshot]) -> str | None:
    """The first graph that has changed, with the node if it is known."""
    after: dict[Graph, tuple[str, ...]] = {}
    for graph, snapshot in before.items():
        try:
            if graph not in after:
                after.update(part_fingerprints(graph))
        except Exception:  # other objects are not graphs any more
            return snapshot.name
        if after[graph] != snapshot.parts:
            if len(after[graph]) == len(snapshot.parts):
                pairs = zip(snapshot.nodes.items(), snapshot.parts, after[graph], strict=False)
                for (node, name), old, new in pairs:
                    if old != new:
                        return f"{snapshot.name}: node {node.id} ({name})"
            return snapshot.name
    return None
