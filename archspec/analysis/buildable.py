"""Whether a network is small enough to be built, decided without building it."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from archspec.analysis.counting import Counts, count
from archspec.analysis.fold import Below, fold
from archspec.analysis.memory import peak_memory
from archspec.analysis.number_format import short_bytes
from archspec.analysis.parameters import EXPANSION_BUDGET, unexpanded
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.names import join_path
from archspec.ops.stored import ComputedOnce

WEIGHT_BUDGET = 10_000_000_000
"""Maximum number of elements of all tensors of a module with values: 40 GB as float32."""

LARGEST_TENSOR = 2**59
"""Maximum number of elements of one tensor, even without values.

Bytes are counted in 63 bits, and an element has up to 16.
"""

BYTES_OF_A_BUFFER = 4 * WEIGHT_BUDGET
"""Maximum number of bytes for computing the value of a buffer."""


def require_buildable(compiled: Compiled, *, with_weights: bool) -> None:
    """Raise CompileFailed (E0520) if a network is too large to be built.

    The numbers of tensors and modules and the size of each tensor are limited. With `with_weights`,
    the tensors are created too: then the total number of elements is also limited, and so is the
    memory for computing buffers.
    """
    counts = count(compiled)
    found = [*_unexpanded(compiled, counts)] or [*_too_large(compiled)]
    if with_weights and not found:
        found = [*_too_large_tensors(compiled, counts), *_costly_buffers(compiled)]
    if found:
        raise CompileFailed(found)


# ---------------------------------------------------------------------- the expansion budget


def _unexpanded(compiled: Compiled, counts: Counts) -> Iterator[Diagnostic]:
    if counts.tensors > EXPANSION_BUDGET:
        yield unexpanded(compiled, counts.tensors, "parameter tensors", EXPANSION_BUDGET)
        return
    modules = max(fold(graph, _modules_step) for graph in (compiled.inference, compiled.training))
    if modules > EXPANSION_BUDGET:
        yield unexpanded(compiled, modules, "modules", EXPANSION_BUDGET)


def _modules_step(graph: Graph, below: Below[int]) -> int:
    """Blocks, layers that ops apply, and ops in labelled scopes; others need no module."""
    found: dict[str, int] = {}
    for instance in graph.instances:
        inside = [region.graph for region in instance.regions]
        if instance.graph is not None:
            inside.append(instance.graph)
        if instance.key and (inside or "." in instance.key):
            found[instance.key] = 1 + sum(map(below, inside))
    return sum(found.values())


# ---------------------------------------------------------------------- tensors


def _too_large(compiled: Compiled) -> Iterator[Diagnostic]:
    """Tensors that cannot be created, not even without values."""
    for graph, node, instance in _instances(compiled):
        found = {
            f"`{join_path(instance.key, parameter.name)}` has": prod(parameter.shape)
            for parameter in graph.parameters_of(node)
        }
        value = _value_of(node)
        if value is not None:
            found[f"the value of `{instance.key}` is computed from a tensor of"] = _largest(value)
        words, elements = max(found.items(), key=lambda item: item[1], default=("", 0))
        if elements > LARGEST_TENSOR:
            message = f"{words} {elements:,} elements; a tensor has at most {LARGEST_TENSOR:,}"
            yield _at(message, instance)


def _largest(graph: Graph) -> int:
    kinds = (kind for number in graph.computed for kind in graph.node(number).types)
    return max((kind.elements.constant or 0 for kind in kinds), default=0)


def _too_large_tensors(compiled: Compiled, counts: Counts) -> Iterator[Diagnostic]:
    elements = counts.parameters + counts.buffers
    if elements > WEIGHT_BUDGET:
        yield diagnostic(
            "E0520",
            f"`{compiled.name}` has weights of {elements:,} elements; at most "
            f"{WEIGHT_BUDGET:,} can be created (the budget of weights)",
            compiled.inference.origin.span,
            notes=["costs and drawings are still available: `archspec show` and `draw`"],
            fix="build a smaller preset; `--target torch` writes only the source, without "
            'weights, and `to_torch(device="meta")` takes no memory',
        )


def _costly_buffers(compiled: Compiled) -> Iterator[Diagnostic]:
    for _, node, instance in _instances(compiled):
        value = _value_of(node)
        taken = peak_memory(value, {}) if value is not None else 0
        if taken > BYTES_OF_A_BUFFER:
            message = (
                f"computing the value of `{instance.key}` takes {short_bytes(taken)}; at most "
                f"{short_bytes(BYTES_OF_A_BUFFER)} can be taken (the budget of weights)"
            )
            yield _at(message, instance)


def _value_of(node: Node) -> Graph | None:
    """The graph that computes a buffer or parameter: it has fixed sizes and no calls."""
    if isinstance(node.op, ComputedOnce) and node.instance is not None:
        return node.instance.regions[0].graph
    return None


def _instances(compiled: Compiled) -> Iterator[tuple[Graph, Node, Instance]]:
    """Layers of all blocks, without duplicates."""
    seen: set[Instance] = set()
    for graph in compiled.graphs:
        for node in graph.nodes:
            if node.instance is not None and node.op is not None and node.instance not in seen:
                seen.add(node.instance)
                yield graph, node, node.instance


def _at(message: str, instance: Instance) -> Diagnostic:
    origin = instance.origin
    fix = "choose smaller sizes"
    return diagnostic("E0520", message, origin.span, expansion=origin.frames, fix=fix)
