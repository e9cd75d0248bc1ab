"""A graph of blocks as one flat list of nodes, with blocks expanded to a given depth.

Depth 0 is the network as one node, depth 1 shows its body, and each further level expands the calls
in it. With `fold`, only the first of several equal consecutive pieces is listed, in a group with
their number; pieces that differ in numbers which grow regularly are listed as one, too, with the
nodes of the last one. The size of the result is computed before anything is expanded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from archspec.analysis.repeats import Run
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, Frame, diagnostic
from archspec.graph.model import Graph, GraphOutput, Node, Port
from archspec.graph.names import join_path
from archspec.graph.walk import postorder, walk
from archspec.passes.flat import Final, Flat, FlatNode, FlatPort, Group, Tap
from archspec.passes.pieces import Runs, growth, places

NODE_BUDGET = 20_000
"""Maximum number of nodes of a flat graph."""


def expand(
    graph: Graph,
    depth: int | None = 1,
    *,
    fold: bool | Runs = False,
    budget: int = NODE_BUDGET,
    also: Collection[str] = (),
    closed: Collection[str] = (),
) -> Flat:
    """Expand a graph to a depth; None expands everything.

    The calls with the full names in `closed` are not expanded. Those in `also` are expanded, too;
    they do not count towards the
    `budget`. `fold` may have the runs of the graph, if it is expanded several times. Raises
    CompileFailed (E0521) if the result has more than `budget` nodes.
    """
    found = fold if isinstance(fold, Runs) else Runs(graph) if fold else None
    runs = found.of if found is not None else None
    levels = levels_within(graph, depth, budget, runs)
    return _Opening(runs, also, closed).run(graph, levels)


def levels_within(
    graph: Graph,
    depth: int | None,
    budget: int,
    runs: Callable[[Graph], tuple[Run, ...]] | None = None,
) -> int:
    """The levels to expand.

    Raises CompileFailed (E0521) if the result has more than `budget` nodes.
    """
    levels = height(graph) if depth is None else depth
    size = flat_size(graph, levels, runs)
    if size > budget:
        fits = next(d for d in range(levels) if flat_size(graph, d + 1, runs) > budget)
        raise CompileFailed([_too_large(graph, depth, size, budget, fits)])
    return levels


def height(graph: Graph) -> int:
    """The depth at which everything is expanded; 1 for a graph without calls."""
    heights: dict[Graph, int] = {}
    for item in walk(graph):
        called = (node.callee for node in item.nodes)
        heights[item] = 1 + max((heights[g] for g in called if g is not None), default=0)
    return heights[graph]


def flat_size(
    graph: Graph, depth: int, runs: Callable[[Graph], tuple[Run, ...]] | None = None
) -> int:
    """Number of nodes after expansion to a depth, without expanding."""
    if depth == 0:
        return 1 + len(graph.inputs) + len(graph.outputs)
    sizes: dict[tuple[Graph, int], int] = {}
    for item in postorder((graph, depth), lambda pair: _opened(pair, runs)):
        inner, levels = item
        sizes[item] = sum(
            sizes[node.callee, levels - 1] if node.callee is not None and levels > 1 else 1
            for node in listed(inner, runs)
        )
    return sizes[graph, depth] + len(graph.inputs) + len(graph.outputs)


def _opened(
    pair: tuple[Graph, int], runs: Callable[[Graph], tuple[Run, ...]] | None
) -> Iterator[tuple[Graph, int]]:
    graph, levels = pair
    if levels > 1:
        for node in listed(graph, runs):
            if node.callee is not None:
                yield node.callee, levels - 1


def listed(graph: Graph, runs: Callable[[Graph], tuple[Run, ...]] | None) -> Iterator[Node]:
    """The nodes of a graph without inputs; of each run only those of its first piece."""
    found = runs(graph) if runs is not None else ()
    left_out = {at for run in found for at in run.order[run.period :]}
    for node in graph.nodes:
        if not node.is_input and node.id not in left_out:
            yield node


def _keys(graph: Graph, numbers: tuple[int, ...]) -> Iterator[str]:
    """The keys of nodes that have weights or call blocks."""
    for number in numbers:
        node = graph.node(number)
        if node.instance is not None and (node.runs_graphs or graph.parameters_of(node)):
            yield node.instance.key


def _last(graph: Graph, run: Run) -> str:
    """The key of the last node of a run of single nodes."""
    instance = graph.node(run.order[-1]).instance
    return instance.key if instance is not None else ""


def _final(level: _Level, node: Node, run: Run | None) -> Final | None:
    """The node of the last growing piece that corresponds to a node of the first one."""
    at = run.nodes.index(node.id) if run is not None and run.growing else None
    last = node if run is None or at is None else level.graph.node(run.segment(run.count - 1)[at])
    if level.final is not None:
        return Final(level.final.nodes[level.graph.place[last.id]], level.final)
    return None if at is None else Final(last, level.graph)


def _tap(level: _Level, node: Node) -> Tap | None:
    """The only piece of a repetition of which a node reads what is collected from all."""
    found = {level.numbers[port] for port in node.inputs if port in level.numbers}
    return found.pop() if len(found) == 1 else None


def _too_large(graph: Graph, depth: int | None, size: int, budget: int, fits: int) -> Diagnostic:
    opened = "whole" if depth is None else f"at depth {depth}"
    return diagnostic(
        "E0521",
        f"`{graph.name}` {opened} has {size:,} nodes; at most {budget:,} can be written out "
        "(the expansion budget)",
        graph.origin.span,
        fix=f"choose a smaller depth: {fits} or less fits",
    )


@dataclass(slots=True)
class _Level:
    """A graph that is being expanded: its ports in the flat graph, and its remaining nodes."""

    graph: Graph
    rest: Iterator[Node]
    ports: dict[Port, FlatPort]
    path: str
    chain: tuple[Frame, ...]
    group: int | None
    depth: int
    call: Node | None
    runs: Mapping[int, Run]  # by each node of a run
    final: Graph | None = None  # the graph in the last of several growing pieces
    pieces: dict[int, int] = field(default_factory=dict)  # group by start of its run
    numbers: dict[Port, Tap] = field(default_factory=dict)  # of ports collected from pieces


class _Opening:
    """Expands calls with an explicit stack, so nesting may be deep."""

    def __init__(
        self,
        runs: Callable[[Graph], tuple[Run, ...]] | None,
        also: Collection[str],
        closed: Collection[str],
    ) -> None:
        self.runs, self.also, self.closed = runs, also, closed
        self.nodes: list[FlatNode] = []
        self.groups: list[Group] = []
        self.collected: set[FlatPort] = set()

    def run(self, graph: Graph, depth: int) -> Flat:
        inputs: dict[Port, FlatPort] = {}
        for node in graph.inputs:
            name, index = node.name, len(self.nodes)
            item = FlatNode(index, "input", name, name, node.types, (), node=node, graph=graph)
            self.nodes.append(item)
            inputs[Port(node.id)] = (index, 0)
        if depth == 0:
            self._close(graph, inputs)
        else:
            self._open(graph, inputs, depth)
        return Flat(tuple(self.nodes), tuple(self.groups), frozenset(self.collected))

    def _close(self, graph: Graph, inputs: Mapping[Port, FlatPort]) -> None:
        whole, place = len(self.nodes), 0
        ports, types = tuple(inputs.values()), graph.output_types
        self.nodes.append(FlatNode(whole, "call", graph.name, "", types, ports, graph=graph))
        for output in graph.outputs:
            made = tuple((whole, place + offset) for offset in range(len(output.ports)))
            self._add_output(output, graph, made)
            place += len(output.ports)

    def _open(self, graph: Graph, inputs: dict[Port, FlatPort], depth: int) -> None:
        runs = self._by_node(graph)
        stack = [_Level(graph, iter(graph.nodes), inputs, "", (), None, depth, None, runs)]
        while stack:
            level = stack[-1]
            node = next(level.rest, None)
            if node is not None:
                opened = self._visit(level, node)
                if opened is not None:
                    stack.append(opened)
                continue
            stack.pop()
            if stack and level.call is not None:
                for index, port in enumerate(level.graph.output_ports):
                    if port in level.numbers and level.call.id not in stack[-1].runs:
                        stack[-1].numbers[Port(level.call.id, index)] = level.numbers[port]
                    self._yield(stack[-1], Port(level.call.id, index), level.ports[port])
            else:
                for output in graph.outputs:
                    self._add_output(output, graph, tuple(level.ports[p] for p in output.ports))

    def _by_node(self, graph: Graph) -> Mapping[int, Run]:
        """The run that a node is in."""
        found = self.runs(graph) if self.runs is not None else ()
        return {at: run for run in found for at in run.order}

    def _common(self, graph: Graph, final: Graph | None) -> Mapping[int, Run]:
        """The runs in a graph that are also runs in the one of the last growing piece."""
        found = self._by_node(graph)
        if final is None or not found:
            return found
        there = {places(final, run) for run in self._by_node(final).values()}
        return {at: run for at, run in found.items() if places(graph, run) in there}

    def _visit(self, level: _Level, node: Node) -> _Level | None:
        """List a node, or return the level that expands it."""
        if node.instance is None:
            return None
        run = level.runs.get(node.id)
        if run is not None and node.id not in run.nodes:
            # of a later piece of a run: it is represented by the first one
            same = run.order[run.order.index(node.id) - run.period]
            number, offset = divmod(run.order.index(node.id), run.period)
            for index in range(len(node.types)):
                level.ports[Port(node.id, index)] = level.ports[Port(same, index)]
                if Port(run.order[offset], index) in run.collected:
                    level.numbers[Port(node.id, index)] = Tap(number, run.count)
            return None
        group, count = self._piece(level, run)
        last = _last(level.graph, run) if run is not None and count > 1 else ""
        path = join_path(level.path, node.instance.key)
        inputs = tuple(level.ports[port] for port in node.inputs)
        final = _final(level, node, run)
        grown = growth(level.graph, run) if run is not None and count > 1 else ()
        opened = path in self.also or (level.depth > 1 and path not in self.closed)
        if node.callee is not None and opened:
            inner = self._enter(level, node, node.callee, path, inputs, group, (count, last))
            if final is not None:
                inner.final = final.node.callee
                inner.runs = self._common(node.callee, inner.final)
                whole = replace(self.groups[-1], final=inner.final, growth=grown)
                self.groups[-1] = whole
            return inner
        inputs, times = self._merged(node, inputs)
        item = FlatNode(
            len(self.nodes),
            "op" if node.callee is None else "call",
            node.instance.title,
            path,
            final.node.types if final is not None else node.types,
            inputs,
            (*node.origin.frames, *level.chain),
            group,
            node,
            level.graph,
            count,
            last,
            final=final,
            growth=grown,
            times=times,
            tap=None if run is not None or max(times, default=1) > 1 else _tap(level, node),
        )
        self.nodes.append(item)
        for output in range(len(node.types)):
            self._yield(level, Port(node.id, output), (item.index, output))
        return None

    def _yield(self, level: _Level, port: Port, flat: FlatPort) -> None:
        """Store where the data of a port is in the flat graph."""
        level.ports[port] = flat
        run = level.runs.get(port.node)
        if run is not None and port in run.collected:
            self.collected.add(flat)
            level.numbers[port] = Tap(0, run.count)

    def _merged(
        self, node: Node, inputs: tuple[FlatPort, ...]
    ) -> tuple[tuple[FlatPort, ...], tuple[int, ...]]:
        """The inputs of a node: outputs of several pieces are one input of an op that merges them.

        Also the number of pieces for each input, if one has several.
        """
        merging = node.op is not None and (node.op.category == "merge" or bool(node.op.arithmetic))
        if not merging or self.collected.isdisjoint(inputs):
            return inputs, ()
        numbers = Counter(port for port in inputs if port in self.collected)
        found = [p for at, p in enumerate(inputs) if p not in numbers or p not in inputs[:at]]
        return tuple(found), tuple(numbers.get(port, 1) for port in found)

    def _enter(
        self,
        level: _Level,
        node: Node,
        callee: Graph,
        path: str,
        inputs: tuple[FlatPort, ...],
        group: int | None,
        times: tuple[int, str],
    ) -> _Level:
        assert node.instance is not None
        (count, last), key, span = times, node.instance.key, node.origin.span
        opened = Group(len(self.groups), group, "block", path, callee, count, key, last, span)
        self.groups.append(opened)
        ports = {Port(i.id): port for i, port in zip(callee.inputs, inputs, strict=True)}
        chain = (Frame(callee.name, span), *node.origin.frames, *level.chain)
        rest, runs, depth = iter(callee.nodes), self._by_node(callee), level.depth - 1
        inner = _Level(callee, rest, ports, path, chain, opened.index, depth, node, runs)
        if node.id not in level.runs:
            pairs = zip(callee.inputs, node.inputs, strict=True)
            inner.numbers = {
                Port(i.id): level.numbers[port] for i, port in pairs if port in level.numbers
            }
        return inner

    def _piece(self, level: _Level, run: Run | None) -> tuple[int | None, int]:
        """The group of a node, and how often the node is drawn."""
        if run is None:
            return level.group, 1
        if run.period == 1:
            return level.group, run.count
        if run.start not in level.pieces:
            index = level.pieces[run.start] = len(self.groups)
            ends = [run.segment(at) for at in (0, run.count - 1)]
            pieces = tuple(tuple(_keys(level.graph, segment)) for segment in ends)
            whole = Group(
                index,
                level.group,
                "repeat",
                level.path,
                count=run.count,
                pieces=pieces,
                growth=growth(level.graph, run),
            )
            self.groups.append(whole)
        return level.pieces[run.start], 1

    def _add_output(self, output: GraphOutput, graph: Graph, ports: tuple[FlatPort, ...]) -> None:
        name, index = output.name, len(self.nodes)
        types = tuple(self.nodes[at].types[port] for at, port in ports)
        self.nodes.append(FlatNode(index, "output", name, name, types, ports, graph=graph))
