"""The normal form of a node: a sum of affine maps of other ports, channel by channel.

`bn(f(x) + x) * g` is, with the map s of the norm, (s, then g) of f(x) plus (the slope of s, then g)
of x. It does not depend on branches, their order, or how sums are split into nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from archspec.frozen import frozen
from archspec.graph.model import Node, Port
from archspec.passes.folding.changes import (
    added,
    chained,
    is_identity,
    is_longer,
    slope,
)
from archspec.passes.folding.draft import Draft
from archspec.passes.folding.patterns import Parts, parts_of, spare_of
from archspec.passes.folding.reordering import reordered
from archspec.passes.folding.steps import IDENTITY, Change, Scale

_LARGEST = 64
"""Limits: maps that a term consists of; nodes that a form expands."""


@frozen
class Term:
    """A map of a port as a term of a sum.

    `made` are ports whose sum is the term in the original block, each with whether it is
    subtracted; None if there are none.
    """

    change: Change
    made: tuple[tuple[bool, Port], ...] | None

    @property
    def is_plain(self) -> bool:
        """Whether it is the port itself, or its negative."""
        return self.change in (IDENTITY, Scale(-1.0))


@dataclass
class Form:
    """The form of a node; `expand` moves it one node back.

    A node is expanded only if all of its readers belong to the form, so that nothing is computed
    twice. Without `deep`, sums whose result is used by something other than sums are not expanded.
    `is_change` says whether a node of the form is more than a sum; `norm` is the earliest node that
    can represent any other map, with its description. `spare` counts, by owner, numbers that are
    not needed if the nodes are removed.
    """

    draft: Draft
    root: Node
    deep: bool
    is_mixed: bool = False  # whether it expanded a node that only a deep form expands
    terms: dict[Port, Term] = field(default_factory=dict)
    axis: int | None = None
    nodes: list[Node] = field(default_factory=list)
    is_change: bool = False
    norm: tuple[Node, Parts] | None = None
    spare: dict[str, int] = field(default_factory=dict)
    reads: Counter[Port] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        port = Port(self.root.id)
        self.terms[port] = Term(IDENTITY, ((False, port),))
        self._open: list[tuple[int, int, int]] = []  # a heap
        self._queue(port)

    def states(self) -> Iterator[None]:
        """Expand the form as often as possible.

        The last node comes first, so that all nodes of the form that read a node are known by then.
        """
        while self._open and len(self.nodes) < _LARGEST:
            _, index, number = heappop(self._open)
            self.draft.effort.left -= 1
            if self._expand(Port(number, index)):
                yield

    def _queue(self, port: Port) -> None:
        heappush(self._open, (-self.draft.place[port.node], port.index, port.node))

    def whole(self) -> Form:
        """The fully expanded form."""
        for _ in self.states():
            pass
        return self

    def is_whole(self, port: Port) -> bool:
        """Whether nothing else reads a port."""
        return self.draft.reads(port) == self.reads[port]

    def _expand(self, port: Port) -> bool:
        """Replace a node by its parts; False if that is impossible."""
        draft, node = self.draft, self.draft.node(port.node)
        if port != Port(self.root.id) and not self.is_whole(port):
            return False
        parts = parts_of(draft, node)
        if parts is None:
            return self._reorder(port)
        if not self._suits(node, self.terms[port], parts):
            return False
        term = self.terms.pop(port)
        self.axis = parts.axis if parts.axis is not None else self.axis
        self.nodes.append(node)
        if parts.is_change:
            self.is_change = True
            self.spare |= spare_of(parts)
        if parts.settings:
            self.norm = node, parts
        for number, (at, change) in enumerate(parts.terms):
            then = term.change if not number else slope(term.change)
            made = _made(node, at, change, term, len(parts.terms))
            self._add(node.inputs[at], Term(chained(change, then), made))
            self.reads[node.inputs[at]] += 1
        return True

    def _reorder(self, port: Port) -> bool:
        """Skip two permutations that cancel each other."""
        found = reordered(self.draft, self.draft.node(port.node))
        if found is None or not self._suits(found.nodes[0], self.terms[port], found.parts):
            return False
        term = self.terms.pop(port)
        ((_, change),) = found.parts.terms
        self.axis = found.parts.axis if found.parts.axis is not None else self.axis
        self.nodes += found.nodes
        self.is_change = True
        self.spare |= found.spare
        self._add(found.source, Term(chained(change, term.change), term.made))
        self.reads[found.source] += 1
        return True

    def _suits(self, node: Node, term: Term, parts: Parts) -> bool:
        if parts.axis is not None and self.axis not in (None, parts.axis):
            return False
        if is_longer(term.change, _LARGEST):
            return False
        if term.is_plain or len(parts.terms) == 1:
            return True
        kinds = (self.draft.type_of(node.inputs[at]) for at, _ in parts.terms)
        is_able = self.deep and all(kind == node.types[0] for kind in kinds)
        self.is_mixed |= is_able
        return is_able

    def _add(self, port: Port, term: Term) -> None:
        old = self.terms.get(port)
        if old is not None:
            both = old.made is not None and term.made is not None
            made = (old.made or ()) + (term.made or ()) if both else None
            term = Term(added(old.change, term.change), made)
        else:
            self._queue(port)
        self.terms[port] = term


def _made(
    node: Node, at: int, change: Change, term: Term, count: int
) -> tuple[tuple[bool, Port], ...] | None:
    """The ports that compute the contribution of a part of a node."""
    if count == 1:
        if is_identity(change) and term.made == ((False, Port(node.id)),):
            return ((False, node.inputs[at]),)
        return term.made
    if not term.is_plain or term.made is None:
        return None
    ((minus, _),) = term.made
    return ((minus != (not is_identity(change)), node.inputs[at]),)
