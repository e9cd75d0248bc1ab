"""Nesting that is too deep to be built: modules in modules, and tuples in tuples."""

from __future__ import annotations

from archspec.analysis.fold import Below, fold
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Origin, Structure

DEEPEST_PART = 100
"""Maximum nesting of modules.

Copying one takes six Python calls for each enclosing module, and the call stack is limited to some
thousand, including the caller's.
"""

DEEPEST_OUTPUT = 190
"""Maximum nesting of tuples in an output: Python reads about 200 open brackets."""


def depth_faults(network: Compiled) -> list[Diagnostic]:
    """Nesting that is too deep: modules in modules, and tuples in the outputs."""
    found: list[Diagnostic] = []
    modes = dict.fromkeys((network.inference, network.training))
    levels, origin = max((parts_inside(graph) for graph in modes), key=lambda item: item[0])
    if levels > DEEPEST_PART:
        message = (
            f"a part of `{network.name}` is nested {levels} modules deep; at most "
            f"{DEEPEST_PART} levels are possible"
        )
        fix = "nest fewer labelled scopes and blocks, or make blocks `inline`"
        found.append(diagnostic("E0825", message, origin.span, expansion=origin.frames, fix=fix))
    outputs = [output for graph in modes for output in graph.outputs]
    tuples = max((_tuples_inside(output.structure) for output in outputs), default=0)
    if tuples > DEEPEST_OUTPUT:
        message = (
            f"an output of `{network.name}` has {tuples} levels of nested tuples; at "
            f"most {DEEPEST_OUTPUT} can be returned"
        )
        fix = "spread tuples into the one around them: `(x, ...rest)`"
        found.append(diagnostic("E0825", message, network.inference.origin.span, fix=fix))
    return found


def parts_inside(graph: Graph) -> tuple[int, Origin]:
    """The number of names in the longest path of a part, and the place of that part."""
    return fold(graph, _parts_step)


def _parts_step(graph: Graph, below: Below[tuple[int, Origin]]) -> tuple[int, Origin]:
    deepest, origin = 0, graph.origin
    for instance in graph.instances:
        own = _components(instance.key)
        inside = [(own, instance.origin)]
        if instance.graph is not None:
            levels, place = below(instance.graph)
            inside.append((own + levels, place))
        for region in instance.regions:
            levels, place = below(region.graph)
            inside.append((own + _components(region.key) + levels, place))
        found = max(inside, key=lambda item: item[0])
        if found[0] > deepest:
            deepest, origin = found
    return deepest, origin


def _components(key: str) -> int:
    return key.count(".") + 1 if key else 0


def _tuples_inside(structure: Structure) -> int:
    """The maximum nesting of tuples; iterative, because there may be hundreds."""
    deepest, open_ = 0, [(structure, 0)]
    while open_:
        part, level = open_.pop()
        deepest = max(deepest, level)
        open_ += [(item, level + 1) for item in part or ()]
    return deepest
