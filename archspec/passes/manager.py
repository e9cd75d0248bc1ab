"""Running passes: in an order that each of them allows, and looked at afterwards where asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import networkx

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.graph.compare import fingerprint
from archspec.graph.compiled import Compiled
from archspec.graph.verify import verify_network
from archspec.options import Options, Request, read_options
from archspec.passes.base import EVERY_OTHER, Applied, Outcome, Pass
from archspec.passes.registry import pass_named

VERIFY = "ARCHSPEC_VERIFY"
"""Where this variable of the environment is set, graphs are verified after every pass."""

MOST_FAULTS = 10
"""Faults of one pass that are told."""


def apply(
    network: Compiled, requests: Sequence[Request], done: Sequence[Applied] = ()
) -> tuple[Applied, ...]:
    """What the passes make of a network, one after another.

    They run as asked for, except that one runs behind those that it names in `after`. What of
    them is `done`, in the same order from the start, is not done again. Raises
    CompileFailed: E0910 for a pass or an option that there is not, E0911 where a pass yields what
    is no graph or changes what it is given, and what the passes raise.
    """
    asked = [(request, pass_named(request.name)) for request in requests]
    chosen = [
        (request, one, read_options("pass", one, request.options, "E0910"))
        for request, one in asked
    ]
    applied: list[Applied] = []
    for at in _order([one for _, one, _ in chosen]):
        request, one, options = chosen[at]
        item = next((known for known in done if known.request is request), None)
        if item is None or item.before is not network:
            item = Applied(request, network, _run(one, network, options))
        applied.append(item)
        network = item.outcome.network
    return tuple(applied)


def _order(passes: Sequence[Pass]) -> Iterator[int]:
    """The places of the passes, each behind those that must run before it.

    Raises CompileFailed (E0910) where two passes must each run before the other.
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
    if not os.environ.get(VERIFY):
        return one.run(network, options)
    before = _fingerprints(network)
    outcome = one.run(network, options)
    if _fingerprints(network) != before:
        message = f"the pass `{one.name}` changes the network that it is given"
        raise CompileFailed([diagnostic("E0911", message)])
    faults = verify_network(outcome.network)
    if faults:
        message = f"what the pass `{one.name}` yields does not verify: {faults[0]}"
        notes = [str(fault) for fault in faults[1:MOST_FAULTS]]
        raise CompileFailed([diagnostic("E0911", message, notes=notes)])
    return outcome


def _fingerprints(network: Compiled) -> tuple[str, str]:
    return fingerprint(network.inference), fingerprint(network.training)
