"""How many parameters and buffers a network owns, without writing them out.

Counting is a fold over blocks. A network has one table for both modes; where its graphs differ,
what both own is matched by path, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import TypeAlias

from archspec.analysis.fold import Below, fold
from archspec.analysis.scope import Owned, owned
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.graph.ties import tensor_at, tied, ties_below
from archspec.graph.usage import Usage
from archspec.graph.walk import postorder, walk
from archspec.ops.base import Parameter


@frozen
class Counts:
    """Elements of parameters and of buffers, and the number of tensors of both together.

    `fixed` is how many elements of parameters do not learn, as they are frozen.
    """

    parameters: int = 0
    buffers: int = 0
    tensors: int = 0
    fixed: int = 0

    def __sub__(self, other: Counts) -> Counts:
        """Without what is counted under another name; it keeps the names of the tensors."""
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
    """What a network owns in both modes together; what both modes own counts once."""
    if compiled.inference is compiled.training:
        return count_graph(compiled.inference)
    root = (compiled.inference, compiled.training)
    single: dict[Graph, Counts] = {}
    for graph in root:
        fold(graph, _count_step, single)
    both: dict[_Pair, Counts] = {}
    for pair in postorder(root, lambda item: _called_by_both(item, single)):
        both[pair] = _total(
            _count_union(left, right, single, both) for left, right in _matched(pair, single)
        ) - _total(_count_tied(pair).values())
    return both[root]


def unused_parameters(compiled: Compiled) -> int:
    """Elements of the parameters that no output needs, in neither mode."""
    graphs = (compiled.inference, compiled.training)
    if all(item.is_read for graph in graphs for item in walk(graph)):
        return 0
    usage = Usage(compiled)
    return count(compiled).parameters - usage.count() + _tied_and_needed(compiled, usage)


def count_graph(graph: Graph) -> Counts:
    """What one graph owns, with all that it calls."""
    return fold(graph, _count_step)


def count_by_node(graph: Graph, memo: dict[Graph, Counts] | None = None) -> Mapping[int, Counts]:
    """By node id, what the node's instance owns with all that it calls.

    A shared instance counts at its first use, so the values add up to `count_graph`. `memo` is
    for asking about several graphs that share blocks.
    """
    memo = {} if memo is None else memo
    fold(graph, _count_step, memo)
    found: dict[int, Counts] = {}
    for item in owned(graph):
        at = item.root.id
        found[at] = found.get(at, Counts()) + _count_one(item, memo.__getitem__)
    for at, counts in _count_tied((graph,)).items():
        found[at] -= counts
    return found


def _count_step(graph: Graph, below: Below[Counts]) -> Counts:
    whole = _total(_count_one(item, below) for item in owned(graph))
    return whole - _total(_count_tied((graph,)).values())


def _count_tied(graphs: tuple[Graph, ...]) -> dict[int, Counts]:
    """What is tied to other weights of a block, by the node that leads to it."""
    found: dict[int, Counts] = {}
    for item in tied(graphs).values():
        counts = count_tensors([item.parameter], frozen=item.instance.frozen)
        found[item.node] = found.get(item.node, Counts()) + counts
    return found


def _count_one(item: Owned, below: Below[Counts]) -> Counts:
    if item.instance.graph is not None:
        return below(item.instance.graph)
    parameters = item.parameters
    return count_tensors(parameters, frozen=item.instance.frozen) if parameters else NOTHING


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
    """Elements that usage counts under several names: all names that are needed but one."""
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


# ---------------------------------------------------------------------- two modes

_Pair: TypeAlias = tuple[Graph, Graph]


def _matched(
    pair: _Pair, single: Mapping[Graph, Counts]
) -> Iterator[tuple[Owned | None, Owned | None]]:
    """What the two graphs own, matched by path; None where only one owns it."""
    left, right = (
        {item.path: item for item in owned(graph) if _count_one(item, single.__getitem__).tensors}
        for graph in pair
    )
    for path in {**left, **right}:
        yield left.get(path), right.get(path)


def _called_by_both(pair: _Pair, single: Mapping[Graph, Counts]) -> Iterator[_Pair]:
    for left, right in _matched(pair, single):
        below = _callees(left, right)
        if below is not None and below[0] is not below[1]:
            yield below


def _callees(left: Owned | None, right: Owned | None) -> _Pair | None:
    if left is None or right is None:
        return None
    if left.instance.graph is None or right.instance.graph is None:
        return None
    return left.instance.graph, right.instance.graph


def _count_union(
    left: Owned | None,
    right: Owned | None,
    single: Mapping[Graph, Counts],
    both: Mapping[_Pair, Counts],
) -> Counts:
    below = _callees(left, right)
    if below is not None and below[0] is not below[1]:
        return both[below]
    one = left or right
    if below is not None or left is None or right is None:
        return _count_one(one, single.__getitem__) if one is not None else Counts()
    tensors = {item.name: item for item in (*right.parameters, *left.parameters)}
    return count_tensors(tensors.values(), frozen=right.instance.frozen)
