"""Extraction of a column: the plain network in one column of a fractal network.

Columns are counted at each join from its last input, the deepest: input i of a join of n inputs
is column D - (n - 1 - i), where D, the deepest, is the largest number of inputs that a join has.
A join returns only its input of that column; nodes that no output needs are then removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Node
from archspec.graph.walk import walk_computed
from archspec.ops.dropping import KeptMean
from archspec.passes.prune import Pruner


def extract(compiled: Compiled, column: int, draw: str | None = None) -> Compiled:
    """The network of one column, where 1 is the shallowest; weights keep their names.

    `draw` selects the joins that name this draw; without it, those of the only draw, or all joins
    if none names a draw. Raises CompileFailed: E0901 if there is no such column or draw, E0902
    if a join that is needed lacks it.
    """
    joins = [join for graph in walk_computed(compiled.inference) for join in _joins(graph)]
    chosen = _draw_of(compiled, [join for _, join in joins], draw)
    arities = [len(node.inputs) for node, join in joins if _takes_part(join, chosen)]
    deepest = max(arities, default=0)
    if not 1 <= column <= deepest:
        raise CompileFailed([_no_such_column(compiled, column, deepest)])
    picker = _Picker(column, deepest, chosen)
    pruner = Pruner(picker.bypass)
    inference = pruner.network(compiled.inference)
    training = pruner.network(compiled.training)
    if picker.faults:
        raise CompileFailed(picker.faults.values())
    same = training is inference
    inference = _without_draw(inference, chosen)
    return replace(
        compiled,
        name=f"{compiled.name}_column_{column}",
        inference=inference,
        training=inference if same else _without_draw(training, chosen),
    )


def _joins(graph: Graph) -> Iterator[tuple[Node, KeptMean]]:
    if graph.kind == "buffer":  # a buffer keeps its values, as weights do
        return
    for node in graph.in_order(graph.computed):
        join = _join(node)
        if join is not None:
            yield node, join


def _join(node: Node) -> KeptMean | None:
    return node.op.kept_mean() if node.op is not None else None


def _takes_part(join: KeptMean | None, draw: str | None) -> bool:
    return join is not None and (draw is None or join.draw == draw)


def _draw_of(compiled: Compiled, joins: Iterable[KeptMean], draw: str | None) -> str | None:
    names = sorted({join.draw for join in joins if join.draw})
    listed = ", ".join(f"`{name}`" for name in names)
    if draw is None and len(names) <= 1:
        return names[0] if names else None
    if draw in names:
        return draw
    span = compiled.inference.origin.span
    if draw is None:
        message = f"the joins of `{compiled.name}` belong to several draws: {listed}"
        fix = f"select one: extract(column=.., draw={names[0]!r})"
    else:
        message = f"no join of `{compiled.name}` belongs to a draw `{draw}`"
        fix = (
            f"its draws are {listed}" if names else "remove the draw: its joins have no named draw"
        )
    raise CompileFailed([diagnostic("E0901", message, span, fix=fix)])


def _no_such_column(compiled: Compiled, column: int, deepest: int) -> Diagnostic:
    span = compiled.inference.origin.span
    if not deepest:
        message = f"`{compiled.name}` has no joins, so it has no columns to extract"
        return diagnostic("E0901", message, span)
    return diagnostic(
        "E0901",
        f"`{compiled.name}` has no column {column}; its columns are 1 (shallowest) to {deepest}",
        span,
    )


class _Picker:
    """Selects the input that replaces a join; records the joins that lack the column."""

    def __init__(self, column: int, deepest: int, draw: str | None) -> None:
        self._column, self._deepest, self._draw = column, deepest, draw
        self.faults: dict[Node, Diagnostic] = {}

    def bypass(self, node: Node) -> int | None:
        if not _takes_part(_join(node), self._draw):
            return None
        count = len(node.inputs)
        index = self._column - self._deepest + count - 1
        if index >= 0:
            return index
        first = self._deepest - count + 1
        self.faults[node] = diagnostic(
            "E0902",
            f"column {self._column} cannot be extracted: a join that its result needs has no "
            "input for it",
            node.origin.span,
            f"has columns {first} to {self._deepest}",
            notes=[f"columns are counted from the last input; the deepest is {self._deepest}"],
            expansion=node.origin.frames,
        )
        return None


def _without_draw(graph: Graph, draw: str | None) -> Graph:
    """The network without the statement of a draw that no join uses any more."""
    left = tuple(item for item in graph.draws if item.name != draw)
    return graph if len(left) == len(graph.draws) else replace(graph, draws=left)
