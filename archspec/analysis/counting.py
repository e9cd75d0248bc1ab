"""The number of parameters and buffers of a network, without listing them.

Counting is a fold over blocks in both modes, so that tensors of both modes are counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.forms import Forms, Held, callee, forms, held, walk_forms
from archspec.graph.model import Graph
from archspec.graph.ties import tensor_at, tied, ties_below
from archspec.graph.usage import Usage
from archspec.graph.walk import walk
from archspec.ops.base import Parameter


@frozen
class Counts:
    """Elements of parameters and of buffers, and the number of tensors of both together.

    `fixed` is the number of elements of parameters that are frozen.
    """

    parameters: int = 0
    buffers: int = 0
    tensors: int = 0
    fixed: int = 0

    def __sub__(self, other: Counts) -> Counts:
        """Without elements that are counted under another name; tensors keep their names."""
        return Counts(
            self.parameters - other.parameters,
            self.buffers,
            self.tensors,
            self.fixed - other.fixed,
        )

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.parameters + other.parameters,
            self.buffers + other.buffers,
            self.tensors + other.tensors,
            self.fixed + other.fixed,
        )


NOTHING = Counts()


def count(compiled: Compiled) -> Counts:
    """The tensors of a network in both modes; those of both modes are counted once."""
    return _count(forms(compiled), {})


def unused_parameters(compiled: Compiled) -> int:
    """Elements of the parameters that no output needs in either mode."""
    graphs = (compiled.inference, compiled.training)
    if all(item.is_read for graph in graphs for item in walk(graph)):
        return 0
    usage = Usage(compiled)
    return count(compiled).parameters - usage.count() + _tied_and_needed(compiled, usage)


def count_graph(graph: Graph) -> Counts:
    """The tensors of one graph, including its callees."""
    return _count((graph,), {})


def count_by_node(graph: Graph, memo: dict[Forms, Counts] | None = None) -> Mapping[int, Counts]:
    """For each node id, the tensors of the node's instance, including its callees.

    A shared instance is counted at its first use, so the sum is `count_graph`. `memo` is for calls
    with several graphs that share blocks.
    """
    memo = {} if memo is None else memo
    found: dict[int, Counts] = {}
    for items in held((graph,)):
        at = items[0].root.id
        found[at] = found.get(at, NOTHING) + _count_one(items, memo)
    for at, counts in _count_tied((graph,)).items():
        found[at] -= counts
    return found


def _count(block: Forms, memo: dict[Forms, Counts]) -> Counts:
    if block not in memo:
        for one, names in walk_forms(block).items():
            if one not in memo:
                whole = _total(_count_one(items, memo) for items in names)
                memo[one] = whole - _total(_count_tied(one).values())
    return memo[block]


def _count_one(items: Held, memo: dict[Forms, Counts]) -> Counts:
    """The tensors under one name, in one form or in several."""
    below = callee(items)
    if below:
        return _count(below, memo)
    tensors = {tensor.name: tensor for item in items for tensor in item.parameters}
    if not tensors:
        return NOTHING
    return count_tensors(tensors.values(), frozen=items[-1].instance.frozen)


def _count_tied(block: Forms) -> dict[int, Counts]:
    """The tensors that are tied to other weights of a block, by the node that contains them."""
    found: dict[int, Counts] = {}
    for item in tied(block).values():
        counts = count_tensors([item.parameter], frozen=item.instance.frozen)
        found[item.node] = found.get(item.node, NOTHING) + counts
    return found


def count_tensors(parameters: Iterable[Parameter], *, frozen: bool = False) -> Counts:
    """Counts of some tensors of one instance."""
    learnable = others = tensors = 0
    for parameter in parameters:
        tensors += 1
        if parameter.learnable:
            learnable += prod(parameter.shape)
        else:
            others += prod(parameter.shape)
    return Counts(learnable, others, tensors, learnable if frozen else 0)


def _total(counts: Iterable[Counts]) -> Counts:
    return sum((item for item in counts if item is not NOTHING), NOTHING)


def _tied_and_needed(compiled: Compiled, usage: Usage) -> int:
    """Elements that usage counts under several names: all needed names but one."""
    both = (compiled.inference, compiled.training)
    groups: dict[str, list[str]] = {}
    for name, source in {k: v for graph in both for k, v in ties_below(graph).items()}.items():
        groups.setdefault(source, [source]).append(name)
    total = 0
    for source, names in groups.items():
        found = next(filter(None, (tensor_at(graph, source) for graph in both)), None)
        needed = sum(map(usage.needs, names))
        if found is not None and needed:
            total += prod(found.parameter.shape) * (needed - 1)
    return total
