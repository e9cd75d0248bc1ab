"""What is expanded in a drawing for which no depth is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal, TypeAlias

from archspec.diagram.chains import chains
from archspec.diagram.drawing import innermost_frames, prepared
from archspec.frozen import frozen
from archspec.graph.model import Graph, Port
from archspec.passes.expand import expand, flat_size
from archspec.passes.flat import Flat, FlatNode
from archspec.passes.pieces import Runs

Depth: TypeAlias = "int | Literal['auto'] | None"
"""Levels of blocks that are expanded, None for all, "auto" for an example of each block."""
AUTO: Literal["auto"] = "auto"

MOST = 64
"""Blocks are expanded as long as the drawing has at most this number of boxes."""
ABREAST = 8
"""Of these at most this number side by side."""


@frozen
class Expansion:
    """An expanded graph, and whether other calls of blocks that it shows are not expanded."""

    flat: Flat
    by_example: bool


def useful(graph: Graph, budget: int) -> Expansion:
    """The body of a network in which one call of each block is expanded, where there is room.

    Small blocks come first, so that there is room for many of them. Rules are expanded with the
    block that uses them, because they have no frame. Raises CompileFailed (E0521) if the body has
    more than `budget` nodes.
    """
    runs = Runs(graph)
    flat, opened, refused = expand(graph, 1, fold=runs, budget=budget), frozenset[str](), set[str]()
    abreast = max(ABREAST, _abreast(prepared(flat)))
    while batch := next(_candidates(flat, refused), ()):
        trial = None
        if len(flat.nodes) + sum(map(_size, batch)) <= 4 * MOST:
            trial = expand(graph, 1, fold=runs, also=opened | {item.path for item in batch})
        if trial is None or not _fits(prepared(trial), abreast):
            refused |= {item.path for item in batch}
        else:
            flat, opened = trial, opened | {item.path for item in batch}
    return Expansion(flat, any(_called(item).name in _shown(flat) for item in _closed(flat)))


def at_depth(graph: Graph, depth: int | None, budget: int) -> Flat:
    """A network that is expanded to a depth.

    A block that is one box, such as a convolution with its norm, is expanded in all places if it is
    in most. Raises CompileFailed (E0521) if there are more than `budget` nodes.
    """
    runs = Runs(graph)
    flat = expand(graph, depth, fold=runs, budget=budget)
    shown = Counter(group.graph.name for group in flat.groups if group.graph is not None)
    closed = [item for item in _closed(flat) if shown[_called(item).name]]
    still = Counter(_called(item).name for item in closed)
    many = {name for name, count in still.items() if count <= shown[name]}
    inner = (item for item in closed if _called(item).name in many)
    also = {item.path for item in inner if _is_sequence(_called(item))}
    return expand(graph, depth, fold=runs, budget=budget, also=also) if also else flat


def _is_sequence(graph: Graph) -> bool:
    """Whether a block applies ops to its only input, one after the other."""
    ports = [node.inputs for node in graph.nodes if not node.is_input]
    before = [(Port(node.id),) for node in graph.nodes]
    return not graph.callees and ports == before[:-1] and len(graph.output_ports) == 1


def _candidates(flat: Flat, refused: set[str]) -> Iterator[tuple[FlatNode, ...]]:
    """Calls that could be expanded next: all of rules, otherwise one of a block not yet shown."""
    closed = [item for item in _closed(flat) if item.path not in refused]
    rules = tuple(item for item in closed if _called(item).kind == "rule")
    if rules:
        yield rules
    shown = _shown(flat)
    fresh = [item for item in closed if _called(item).name not in shown]
    yield from ((item,) for item in sorted(fresh, key=_size))


def _closed(flat: Flat) -> list[FlatNode]:
    """The calls that are not expanded."""
    return [i for i in flat.nodes if i.kind == "call" and i.node is not None and i.path]


def _called(item: FlatNode) -> Graph:
    callee = item.node.callee if item.node is not None else None
    assert callee is not None
    return callee


def _shown(flat: Flat) -> set[str]:
    """The names of the blocks that are expanded somewhere."""
    groups = (group.graph for group in flat.groups if group.graph is not None)
    return {graph.name for graph in groups if graph.kind != "rule"}


def _size(item: FlatNode) -> int:
    return flat_size(_called(item), 1)


def _fits(flat: Flat, abreast: int) -> bool:
    """Whether a drawing has room for a graph; ops in one box count once."""
    stacked = chains(flat, innermost_frames(flat))
    boxes = len(flat.nodes) - sum(len(chain.members) - 1 for chain in stacked)
    return boxes <= MOST and _abreast(flat) <= abreast


def _abreast(flat: Flat) -> int:
    """The largest number of nodes with paths of the same length to them."""
    level: list[int] = []
    for item in flat.nodes:
        level.append(max((level[start] + 1 for start, _ in item.sources), default=0))
    return max(Counter(level).values(), default=0)
