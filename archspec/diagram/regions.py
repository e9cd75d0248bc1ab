"""What is between two boxes of a drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archspec.diagram.edges import Edge


class Regions:
    """What is between two boxes, as masks with a bit for each box in `order`.

    Data of which only the shape is used are ignored.
    """

    def __init__(self, edges: Sequence[Edge], order: Sequence[int]) -> None:
        self.order = order
        self.bit = {box: 1 << index for index, box in enumerate(order)}
        before: dict[int, list[int]] = {box: [] for box in order}
        behind: dict[int, list[int]] = {box: [] for box in order}
        for edge in edges:
            if not edge.shape_only:
                before[edge.end].append(edge.start)
                behind[edge.start].append(edge.end)
        self.read = {box: self._mask(starts) for box, starts in before.items()}
        self.sources = self._mask(box for box in order if not before[box])
        self.above = self._reached(order, before)
        self.below = self._reached(reversed(order), behind)

    def closed(self, start: int, end: int) -> bool:
        """Whether all boxes between two boxes read only each other, the first one, and sources."""
        inside = self.below[start] & self.above[end]
        rest = inside & ~self.bit[start] & ~self.bit[end]
        while rest:
            last = rest.bit_length() - 1
            if self.read[self.order[last]] & ~inside & ~self.sources:
                return False
            rest ^= 1 << last
        return True

    def _mask(self, boxes: Iterable[int]) -> int:
        found = 0
        for box in boxes:
            found |= self.bit[box]
        return found

    def _reached(
        self, order: Iterable[int], following: Mapping[int, Sequence[int]]
    ) -> Mapping[int, int]:
        """For each box a mask of itself and all that are reached from it."""
        found: dict[int, int] = {}
        for box in order:
            found[box] = self.bit[box]
            for other in following[box]:
                found[box] |= found[other]
        return found
