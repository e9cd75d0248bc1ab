"""Runs of equal pieces in the body of a block, which a drawing shows once with "× 6".

A run is `count` consecutive segments of `period` nodes each. Segments are equal except for names;
each reads the outputs of the previous segment in the same way as that one reads its predecessor, or
the same outside data; and only the last one is read from elsewhere. Those whose segments differ in
numbers are found by `archspec.analysis.growth`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property

from archspec.analysis.structure import node_signature
from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node, Port

LONGEST_PERIOD = 64
"""Nodes in one segment at most; the search is quadratic in it at worst."""

COLLECTED = 4
"""Segments at least whose outputs are read together; of fewer each is shown."""


@frozen
class Run:
    """`nodes` are the ids of the first segment; segment j has the nodes of `segment(j)`.

    `shared` means that all segments are uses of the same instances. Those of a `growing` run differ
    in numbers. `carried` pairs what the first segment reads from outside with the port of that
    segment which the second one reads instead. The outputs of all segments at the `collected` ports
    of the first one are read together by what follows the run.
    """

    start: int
    period: int
    count: int
    order: tuple[int, ...]  # ids of all nodes of the run, segment after segment
    shared: bool = False
    growing: bool = False
    carried: tuple[tuple[Port, Port], ...] = ()
    collected: frozenset[Port] = frozenset()

    @property
    def saved(self) -> int:
        """The number of nodes that need not be shown."""
        return self.period * (self.count - 1)

    @property
    def nodes(self) -> tuple[int, ...]:
        """Ids of the nodes of the first segment."""
        return self.segment(0)

    def segment(self, number: int) -> tuple[int, ...]:
        """Ids of the nodes of one segment."""
        return self.order[number * self.period : (number + 1) * self.period]


def repeats(
    graph: Graph, below: Callable[[Graph], int], *, collecting: bool = False
) -> tuple[Run, ...]:
    """The runs in a graph, found from the first node on.

    If two overlap, the one that removes the most nodes is used.
    `below` gives the structure class of a graph (`archspec.analysis.structure`). If `collecting`,
    what follows a run may read the outputs of all segments, side by side.
    """
    search = Search(graph, lambda node: node_signature(graph, node, below), collecting=collecting)
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


class Search:
    """The nodes of a graph without its inputs, prepared for comparing segments.

    Segments are equal if their nodes have equal signatures. With `regular`, three nodes in the same
    place of consecutive segments have to satisfy it too. `least` is the least number of segments.
    If `collecting`, the outputs of all segments may be read from elsewhere, side by side.
    """

    def __init__(
        self,
        graph: Graph,
        signature: Callable[[Node], Hashable],
        *,
        least: int = 2,
        regular: Callable[[tuple[Node, Node, Node]], bool] | None = None,
        collecting: bool = False,
    ) -> None:
        self.graph, self.least, self.regular = graph, least, regular
        self.collecting = collecting
        self.nodes: Sequence[Node] = [node for node in graph.nodes if not node.is_input]
        self.place = {node.id: index for index, node in enumerate(self.nodes)}
        self._known: dict[tuple[int, int], bool] = {}
        numbers: dict[Hashable, int] = {}
        self.signatures = [
            numbers.setdefault((node.id in graph.computed, signature(node)), len(numbers))
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
            if best is not None and best.saved >= len(self.nodes) - start - period:
                break  # no longer period can fold more
            if self.signatures[start] != self.signatures[start + period]:
                continue
            if self._cuts_an_iteration(start, period):
                continue
            run = self._run(start, period)
            if run is not None and (best is None or run.saved > best.saved):
                best = run
        return best

    def _cuts_an_iteration(self, start: int, period: int) -> bool:
        """Whether segments would start in the middle of an iteration of a `for`."""
        here = self.nodes[start].iterations
        if not here or start == 0 or self.nodes[start - 1].iterations != here:
            return False
        return self.nodes[start + period].iterations != here

    def _run(self, start: int, period: int) -> Run | None:
        if self._is_last(start, period, 0) or not self._equal(start, period, 1):
            return None  # cheap, and the most frequent case
        sharing = self._same_instances(start + period, period)
        carried: dict[Port, Port] = {}
        count = 1
        while not self._is_last(start, period, count - 1) and (
            self._equal(start, period, count)
            and self._same_instances(start + count * period, period) == sharing
            and self._wired(start, period, count, carried)
        ):
            count += 1
        if count < self.least:
            return None
        collected = self._collected(start, period, count) if self.collecting else frozenset()
        if collected is None:
            return None
        order = tuple(node.id for node in self.nodes[start : start + period * count])
        growing, ways = self.regular is not None, tuple(carried.items())
        return Run(start, period, count, order, any(sharing), growing, ways, collected)

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
            and (self.regular is None or number < 2 or self._is_regular(begin, period))
        )

    def _is_regular(self, begin: int, period: int) -> bool:
        """Whether a segment differs from the one before as that one does from its predecessor."""
        return all(self._is_regular_at(at, period) for at in range(begin, begin + period))

    def _is_regular_at(self, at: int, period: int) -> bool:
        assert self.regular is not None
        known = self._known.get((at, period))
        if known is None:
            nodes = self.nodes
            known = self.regular((nodes[at - 2 * period], nodes[at - period], nodes[at]))
            self._known[at, period] = known
        return known

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

    def _is_last(self, start: int, period: int, number: int) -> bool:
        """Whether segment `number` has other readers than the next one, so that it is the last.

        Readers that read the same output of the next segment, too, may collect those of all.
        """
        begin = start + number * period
        far = begin + 2 * period
        segment = range(begin, begin + period)
        if all(self.last_reader[at] < far for at in segment):
            return False
        return not self.collecting or any(
            (reader, at + period, index) not in self._reads
            for at in segment
            for index in range(len(self.nodes[at].types))
            for reader, _ in self._readers(at, index, far)
        )

    def _collected(self, start: int, period: int, count: int) -> frozenset[Port] | None:
        """The ports of the first segment whose outputs are collected from all segments.

        None if their readers do not read them after the run, in the order of the segments.
        """
        end = start + period * count
        places = [
            [
                (reader, position, at, index)
                for at in range(period)
                for index in range(len(self.nodes[start + at].types))
                for reader, position in self._readers(
                    start + number * period + at, index, start + (number + 2) * period
                )
            ]
            for number in range(count - 1)
        ]
        if not any(places):
            return frozenset()
        sequential = self._sequential(start, period)
        if count < COLLECTED or any(at not in sequential for *_, at, _ in places[0]):
            return None
        stride = Counter(reader for reader, *_ in places[0])
        for number, found in enumerate(places):
            moved = [(r, at + number * stride[r], *port) for r, at, *port in places[0]]
            if found != moved or any(reader < end for reader in stride):
                return None
        return frozenset(Port(self.nodes[start + at].id, index) for *_, at, index in places[0])

    def _sequential(self, start: int, period: int) -> set[int]:
        """The nodes of a segment that depend on all previous segments.

        Those of parallel branches do not, even if a segment has the end of one and the beginning of
        the next.
        """
        second = range(start + period, start + 2 * period)
        read = [[self._at(port) for port in self.nodes[at].inputs] for at in second]
        found = set(range(period))
        while True:
            kept = {
                offset
                for offset in found
                if any(at >= start and (at - start) % period in found for at in read[offset])
            }
            if kept == found:
                return found
            found = kept

    def _readers(self, at: int, index: int, least: int) -> list[tuple[int, int]]:
        """The places of nodes from `least` on that read a port, and where they do.

        Outputs of the graph are read behind all nodes.
        """
        if self.last_reader[at] < least:
            return []
        read = self._reading.get(Port(self.nodes[at].id, index), ())
        return [row for row in read if row[0] >= least]

    @cached_property
    def _reading(self) -> Mapping[Port, Sequence[tuple[int, int]]]:
        """The places of the readers of each port, and at which of their inputs they read it."""
        found: dict[Port, list[tuple[int, int]]] = {}
        rows = [node.inputs for node in self.nodes] + [self.graph.output_ports]
        for place, ports in enumerate(rows):
            for position, port in enumerate(ports):
                found.setdefault(port, []).append((place, position))
        return found

    @cached_property
    def _reads(self) -> frozenset[tuple[int, int, int]]:
        """The place of each reader, with the place of the node that it reads and the output."""
        return frozenset(
            (place, self.place[port.node], port.index)
            for port, rows in self._reading.items()
            if port.node in self.place
            for place, _ in rows
        )
