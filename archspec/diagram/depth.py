"""What is expanded in a drawing for which no depth is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from typing import Literal, TypeAlias

from archspec.diagram.chains import chains
from archspec.diagram.drawing import innermost_frames, prepared
from archspec.diagram.forms import Forms
from archspec.diagram.twins import twins
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
FEW = 32
"""Further forms of a block that is expanded once are expanded up to this number."""
LARGE = 128
"""In a drawing of more boxes, of blocks that differ only in numbers one is expanded."""
CROWDED = 200
"""A drawing of more boxes is hard to read."""
ABREAST = 8
"""Of these at most this number side by side."""

Batch: TypeAlias = "tuple[FlatNode, ...]"
"""Calls that are expanded together."""


BY_EXAMPLE = "one call of each block is expanded, where there is room"
FIRST_ONLY = "of blocks that differ only in numbers, the first is expanded"
"""Lines below the title that say what is not expanded."""


@frozen
class Expansion:
    """An expanded graph, and a line that says which of the blocks that it shows are closed."""

    flat: Flat
    note: str = ""


def useful(graph: Graph, budget: int) -> Expansion:
    """The body of a network in which one call of each block is expanded, where there is room.

    Of several calls of a block it is the one with most different blocks inside, then ops. Small
    blocks come first, so that there is room for many of them; then further forms of these blocks
    if the drawing is small, and calls in frames with the same contents. Rules are expanded with the
    block that uses them, because they have no frame. Raises CompileFailed (E0521) if the body has
    more than `budget` nodes.
    """
    runs = Runs(graph)
    forms = Forms(runs)
    flat, opened, refused = expand(graph, 1, fold=runs, budget=budget), frozenset[str](), set[str]()
    abreast = max(ABREAST, _abreast(prepared(flat)))
    while (found := next(_candidates(flat, refused, forms), None)) is not None:
        batch, most = found
        trial = None
        if len(flat.nodes) + sum(map(_size, batch)) <= 4 * MOST:
            trial = expand(graph, 1, fold=runs, also=opened | {item.path for item in batch})
        if trial is None or not _fits(prepared(trial), abreast, most):
            refused |= {item.path for item in batch}
        else:
            flat, opened = trial, opened | {item.path for item in batch}
    examples = any(_called(item).name in _shown(flat) for item in _closed(flat))
    return Expansion(flat, BY_EXAMPLE if examples else "")


def at_depth(graph: Graph, depth: int | None, budget: int) -> Expansion:
    """A network that is expanded to a depth.

    A block that is one box, such as a convolution with its norm, is expanded in all places if it is
    in most. In a large drawing to a depth, of blocks that differ only in numbers the first is
    expanded. Raises CompileFailed (E0521) if there are more than `budget` nodes.
    """
    runs = Runs(graph)
    flat = expand(graph, depth, fold=runs, budget=budget)
    shown = Counter(group.graph.name for group in flat.groups if group.graph is not None)
    closed = [item for item in _closed(flat) if shown[_called(item).name]]
    still = Counter(_called(item).name for item in closed)
    many = {name for name, count in still.items() if count <= shown[name]}
    inner = (item for item in closed if _called(item).name in many)
    also = {item.path for item in inner if _is_sequence(_called(item))}
    if also:
        flat = expand(graph, depth, fold=runs, budget=budget, also=also)
    if depth is None or box_count(flat) <= LARGE:
        return Expansion(flat)
    later = set(_later(flat, Forms(runs)))
    also = {path for path in also if not any(path.startswith(f"{one}.") for one in later)}
    flat = expand(graph, depth, fold=runs, budget=budget, also=also, closed=later)
    return Expansion(flat, FIRST_ONLY if later else "")


def readable_depth(graph: Graph, depth: int | None, budget: int) -> tuple[int, int] | None:
    """For a crowded drawing the number of its boxes, and the depth of the largest one that is not.

    None if it is not crowded, or if a drawing of depth 1 is. Raises CompileFailed (E0521).
    """
    whole = at_depth(graph, depth, budget).flat
    count = box_count(whole)
    if count <= CROWDED:
        return None
    most = _nesting(whole) + 1 if depth is None else depth - 1
    counts = {at: box_count(at_depth(graph, at, budget).flat) for at in range(1, most + 1)}
    fitting = {at: boxes for at, boxes in counts.items() if boxes <= CROWDED}
    return (count, max(fitting, key=fitting.__getitem__)) if fitting else None


def _nesting(flat: Flat) -> int:
    """The largest number of blocks inside each other that are expanded."""
    found: dict[int | None, int] = {None: 0}
    for group in flat.groups:  # outermost first
        found[group.index] = found[group.parent] + (group.kind == "block")
    return max(found.values())


def _later(flat: Flat, forms: Forms) -> Iterator[str]:
    """The full names of expanded blocks that differ only in numbers from a previous one.

    Those that are one box stay expanded.
    """
    known: dict[int, str] = {}
    left_out: set[int | None] = set()
    for group in flat.groups:  # outermost first
        if group.parent in left_out:
            left_out.add(group.index)
        elif group.graph is not None and group.graph.kind != "rule":
            first = known.setdefault(forms.of(group.graph), group.path)
            if first != group.path and not _is_sequence(group.graph):
                left_out.add(group.index)
                yield group.path


def _is_sequence(graph: Graph) -> bool:
    """Whether a block applies ops to its only input, one after the other."""
    ports = [node.inputs for node in graph.nodes if not node.is_input]
    before = [(Port(node.id),) for node in graph.nodes]
    return not graph.callees and ports == before[:-1] and len(graph.output_ports) == 1


def _candidates(flat: Flat, refused: Set[str], forms: Forms) -> Iterator[tuple[Batch, int]]:
    """Calls that could be expanded next, each batch with the boxes that there may be at most.

    All of rules, otherwise one of a block not yet shown, of a form not yet shown, or all in a frame
    that are expanded in one with the same contents.
    """
    closed = [item for item in _closed(flat) if item.path not in refused]
    rules = tuple(item for item in closed if _called(item).kind == "rule")
    if rules:
        yield rules, MOST
    shown = _shown(flat)
    names: dict[str, list[FlatNode]] = {}
    for item in closed:
        names.setdefault(_called(item).name, []).append(item)
    fresh = [
        max(items, key=lambda item: forms.variety(_called(item)))
        for name, items in names.items()
        if name not in shown
    ]
    yield from (((item,), MOST) for item in sorted(fresh, key=_size))
    known = {forms.of(graph) for graph in _expanded(flat)}
    others = [i for i in closed if _called(i).name in shown and forms.of(_called(i)) not in known]
    yield from (((item,), FEW) for item in sorted(others, key=_size))
    paths = {item.path for item in closed}
    for found in twins(flat, forms):
        if batch := tuple(item for item in found if item.path in paths):
            yield batch, MOST


def _closed(flat: Flat) -> list[FlatNode]:
    """The calls that are not expanded."""
    return [i for i in flat.nodes if i.kind == "call" and i.node is not None and i.path]


def _called(item: FlatNode) -> Graph:
    callee = item.node.callee if item.node is not None else None
    assert callee is not None
    return callee


def _expanded(flat: Flat) -> Iterator[Graph]:
    """The blocks that are expanded."""
    groups = (group.graph for group in flat.groups if group.graph is not None)
    yield from (graph for graph in groups if graph.kind != "rule")


def _shown(flat: Flat) -> set[str]:
    """Their names."""
    return {graph.name for graph in _expanded(flat)}


def _size(item: FlatNode) -> int:
    return flat_size(_called(item), 1)


def _fits(flat: Flat, abreast: int, most: int) -> bool:
    """Whether a drawing of `most` boxes has room for a graph."""
    return box_count(flat) <= most and _abreast(flat) <= abreast


def box_count(flat: Flat) -> int:
    """The number of boxes in a drawing; ops in one box count once."""
    stacked = chains(flat, innermost_frames(flat))
    return len(flat.nodes) - sum(len(chain.members) - 1 for chain in stacked)


def _abreast(flat: Flat) -> int:
    """The largest number of nodes with paths of the same length to them."""
    level: list[int] = []
    for item in flat.nodes:
        level.append(max((level[start] + 1 for start, _ in item.sources), default=0))
    return max(Counter(level).values(), default=0)
