"""Runs of equal pieces in the body of a block, which a drawing shows once with "× 6".

A run is `count` consecutive segments of `period` nodes each. Segments are equal except for names;
each reads the outputs of the previous segment in the same way as that one reads its predecessor, or
the same outside data; and only the last one is read from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from archspec.analysis.structure import node_signature
from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node, Port

LONGEST_PERIOD = 64
"""Nodes in one segment at most; the search is quadratic in it at worst."""


@frozen
class Run:
    """`nodes` are the ids of the first segment; segment j has the nodes of `segment(j)`.

    `shared` means that all segments are uses of the same instances.
    """

    start: int
    period: int
    count: int
    order: tuple[int, ...]  # ids of all nodes of the run, segment after segment
    shared: bool = False

    @property
    def nodes(self) -> tuple[int, ...]:
        """Ids of the nodes of the first segment."""
        return self.segment(0)

    def segment(self, number: int) -> tuple[int, ...]:
        """Ids of the nodes of one segment."""
        return self.order[number * self.period : (number + 1) * self.period]


def repeats(graph: Graph, below: Callable[[Graph], int]) -> tuple[Run, ...]:
    """The runs in a graph, found from the first node on.

    If two overlap, the one that removes the most nodes is used.
    `below` gives the structure class of a graph (`archspec.analysis.structure`).
    """
    search = _Search(graph, below)
    found: list[Run] = []
    at = 0
    while at < len(search.nodes):
        run = search.best_at(at)
        if run is None:
            at += 1
        else:
            found.append(run)
            at += run.period * run.count
    return tuple(found)


class _Search:
    """The nodes of a graph without its inputs, prepared for comparing segments."""

    def __init__(self, graph: Graph, below: Callable[[Graph], int]) -> None:
        self.nodes: Sequence[Node] = [node for node in graph.nodes if not node.is_input]
        self.place = {node.id: index for index, node in enumerate(self.nodes)}
        numbers: dict[Hashable, int] = {}
        self.signatures = [
            numbers.setdefault(
                (node.id in graph.computed, node_signature(graph, node, below)), len(numbers)
            )
            for node in self.nodes
        ]
        self.last_reader = [-1] * len(self.nodes)
        for port, readers in graph.consumers.items():
            if port.node in self.place:
                at = self.place[port.node]
                furthest = max(self.place[reader.id] for reader in readers)
                self.last_reader[at] = max(self.last_reader[at], furthest)
        for port in graph.output_ports:
            if port.node in self.place:
                self.last_reader[self.place[port.node]] = len(self.nodes)

    def best_at(self, start: int) -> Run | None:
        """The run from `start` on that removes the most nodes, with the shortest period."""
        best: Run | None = None
        longest = min(LONGEST_PERIOD, (len(self.nodes) - start) // 2)
        for period in range(1, longest + 1):
            if best is not None and best.period * (best.count - 1) >= (
                len(self.nodes) - start - period
            ):
                break  # no longer period can fold more
            if self.signatures[start] != self.signatures[start + period]:
                continue
            if self._cuts_an_iteration(start, period):
                continue
            run = self._run(start, period)
            if run is not None and (
                best is None or (run.count - 1) * run.period > (best.count - 1) * best.period
            ):
                best = run
        return best

    def _cuts_an_iteration(self, start: int, period: int) -> bool:
        """Whether segments would start in the middle of an iteration of a `for`."""
        here = self.nodes[start].iterations
        if not here or start == 0 or self.nodes[start - 1].iterations != here:
            return False
        return self.nodes[start + period].iterations != here

    def _run(self, start: int, period: int) -> Run | None:
        if self._read_elsewhere(start, period, 0) or not self._equal(start, period, 1):
            return None  # cheap, and the most frequent case
        sharing = self._same_instances(start + period, period)
        carried: dict[Port, Port] = {}
        count = 1
        while not self._read_elsewhere(start, period, count - 1) and (
            self._equal(start, period, count)
            and self._same_instances(start + count * period, period) == sharing
            and self._wired(start, period, count, carried)
        ):
            count += 1
        if count < 2:
            return None
        order = tuple(node.id for node in self.nodes[start : start + period * count])
        return Run(start, period, count, order, any(sharing))

    def _same_instances(self, begin: int, period: int) -> tuple[bool, ...]:
        """For each node of a segment, whether it shares its instance with the one before."""
        return tuple(
            self.nodes[at].instance is self.nodes[at - period].instance
            for at in range(begin, begin + period)
        )

    def _equal(self, start: int, period: int, number: int) -> bool:
        begin = start + number * period
        return (
            begin + period <= len(self.nodes)
            and self.signatures[begin : begin + period] == self.signatures[start : start + period]
            and self._sharing(begin, period) == self._sharing(start, period)
        )

    def _sharing(self, begin: int, period: int) -> tuple[int, ...]:
        """For each node of a segment, which node of it first used the same instance."""
        first: dict[Instance | None, int] = {}
        return tuple(
            first.setdefault(self.nodes[begin + offset].instance, offset)
            for offset in range(period)
        )

    def _wired(self, start: int, period: int, number: int, carried: dict[Port, Port]) -> bool:
        """Whether segment `number` reads the previous one as that one reads its predecessor."""
        begin = start + number * period
        for at in range(begin, begin + period):
            ports = zip(self.nodes[at - period].inputs, self.nodes[at].inputs, strict=True)
            for before, port in ports:
                place, place_before = self._at(port), self._at(before)
                shifted = place - period == place_before and port.index == before.index
                if place < start:  # outside data, the same for all segments
                    agrees = port == before
                elif number == 1 and place < begin:  # carried from the first to the second
                    agrees = place_before < start and carried.setdefault(before, port) == port
                else:
                    agrees = shifted
                if not agrees:
                    return False
        return True

    def _at(self, port: Port) -> int:
        return self.place.get(port.node, -1)

    def _read_elsewhere(self, start: int, period: int, number: int) -> bool:
        """Whether segment `number` has other readers than the next one, so that it is the last."""
        begin = start + number * period
        return any(
            self.last_reader[at] >= begin + 2 * period for at in range(begin, begin + period)
        )
