"""Running passes: in an order that each of them allows, and looked at afterwards where asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import networkx
from pydantic import ValidationError

from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.graph.compare import fingerprint
from archspec.graph.compiled import Compiled
from archspec.graph.verify import verify_network
from archspec.passes.base import EVERY_OTHER, Applied, Options, Outcome, Pass, Request
from archspec.passes.registry import pass_named

VERIFY = "ARCHSPEC_VERIFY"
"""Where this variable of the environment is set, graphs are verified after every pass."""

UNKNOWN = "extra_forbidden"
"""What pydantic calls an option that there is not."""

MOST_FAULTS = 10
"""Faults of one pass that are told."""


def apply(network: Compiled, requests: Sequence[Request]) -> tuple[Applied, ...]:
    """What the passes make of a network, one after another.

    They run as asked for, except that one runs behind those that it names in `after`. Raises
    CompileFailed: E0910 for a pass or an option that there is not, E0911 where a pass yields what
    is no graph or changes what it is given, and what the passes raise.
    """
    asked = [(request, pass_named(request.name)) for request in requests]
    chosen = [(request, one, _options(request, one)) for request, one in asked]
    applied: list[Applied] = []
    for at in _order([one for _, one, _ in chosen]):
        request, one, options = chosen[at]
        outcome = _run(one, network, options)
        applied.append(Applied(request, network, outcome))
        network = outcome.network
    return tuple(applied)


def _options(request: Request, one: Pass) -> Options:
    try:
        return one.options.model_validate(dict(request.options))
    except ValidationError as error:
        faults = error.errors()
        unknown = [item for item in faults if item["type"] == UNKNOWN]  # others follow from them
        raise CompileFailed([_fault(one, item) for item in unknown or faults]) from None


def _fault(one: Pass, item: Mapping[str, Any]) -> Diagnostic:
    """What is wrong with an option, in words."""
    known = one.options.model_fields
    name = ".".join(map(str, item["loc"]))
    if item["type"] == UNKNOWN:
        listed = ", ".join(f"`{field}`" for field in known)
        has = f"its options are {listed}" if known else "it has none"
        near = closest(name, known)
        fix = f"write `{near}`" if near else None
        return diagnostic("E0910", f"the pass `{one.name}` has no option `{name}`; {has}", fix=fix)
    if item["type"] == "missing":
        example = f"{one.name}{{{name}=..}}"
        return diagnostic(
            "E0910", f"the pass `{one.name}` needs `{name}`", fix=f"write `{example}`"
        )
    told = item["msg"].removeprefix("Input ").removeprefix("Value error, ").partition(",")[0]
    message = f"the option `{name}` of the pass `{one.name}` {told}, but it is {item['input']!r}"
    return diagnostic("E0910", message)


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
