"""Folding within one block: nodes are visited in order until nothing can be folded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node, Port
from archspec.ops.channel_layout import ChannelLayout
from archspec.passes.folding.addition import LONGEST, Addition
from archspec.passes.folding.changes import is_factor
from archspec.passes.folding.draft import Draft, Effort
from archspec.passes.folding.form import Form
from archspec.passes.folding.patterns import (
    Linearity,
    Parts,
    channel_layout_of,
    linearity_of,
    parts_of,
)
from archspec.passes.folding.steps import Before, Change, SetNorm, Step
from archspec.passes.rewriting.driver import replaced
from archspec.passes.rewriting.identities import UNDONE


@frozen
class Swept:
    """A folded block, and the changes of its weights.

    `touched` are the nodes of the original block that were involved. Without steps, the graph is
    the same object.
    """

    graph: Graph
    steps: tuple[Step, ...] = ()
    touched: frozenset[int] = frozenset()


def sweep(graph: Graph, shared: Collection[Instance], effort: Effort) -> Swept:
    """Fold a block, as far as `effort` allows. `shared` are instances that must not be changed."""
    work = _Sweep(Draft(graph, shared, effort))
    before = -1
    while len(work.steps) != before:
        before = len(work.steps)
        for node in graph.nodes:
            if not effort.is_exhausted:
                work.visit(node.id)
    if not work.steps:
        return Swept(graph)
    return Swept(work.draft.result(), tuple(work.steps), frozenset(work.touched))


@frozen
class _Map:
    """A node as one affine map of the channels of a port; `norm` is that of its form."""

    source: Port
    change: Change
    axis: int | None
    nodes: tuple[Node, ...]
    norm: tuple[Node, Parts] | None
    spare: int


@frozen
class _Target:
    """A layer that can absorb a map, the ops in between, and the position of the channels."""

    node: Node
    line: Linearity
    layout: ChannelLayout
    passed: tuple[Node, ...]


class _Sweep:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.steps: list[Step] = []
        self.touched: set[int] = set()

    def visit(self, number: int) -> None:
        """Fold the form that ends at a node."""
        if not self.draft.is_needed(number):
            return
        node = self.draft.node(number)
        parts = parts_of(self.draft, node)
        if parts is not None and (parts.is_change or len(parts.terms) > 1):
            form = Form(self.draft, node, deep=True)
            maps = [*_maps(form)]
            if not (self._add_up(form) or self._forward(node, maps)):
                self._unite(node, maps)
        elif self.steps:
            self._cancel(node)

    def _note(self, nodes: Iterable[Node]) -> None:
        self.touched.update(node.id for node in nodes)

    def _add_up(self, form: Form) -> bool:
        """Fold the terms of a sum into layers, and merge layers of one input.

        If sums are followed by other maps, each sum is tried alone if they cannot be folded
        together.
        """
        forms = [form]
        if form.is_mixed:
            forms.append(Form(self.draft, form.root, deep=False).whole())
        for one in forms:
            found = Addition(one)
            if found.is_better and found.operands() is not None:
                self.steps += found.steps()
                self._note(found.touched())
                found.commit()
                return True
        return False

    def _forward(self, node: Node, maps: list[_Map]) -> bool:
        """Fold a map of channels into all the layers that read it, if it has no other readers.

        If their windows reach into padding, only a factor is folded: the padding must stay zero.
        """
        for found in reversed(maps):
            targets = self._targets(node, found)
            if not targets:
                continue
            is_shift = not is_factor(found.change)
            gaining = [item for item in targets if is_shift and item.line.gain]
            if sum(item.line.gain for item in gaining) > found.spare:
                continue
            for item in targets:
                way = item.layout
                self.steps.append(Before(item.line.layer, found.change, way.outer, way.inner))
                self._note((item.node, *item.passed))
            for item in gaining:
                self.draft.gain_bias(item.node)
            self._note(found.nodes)
            self.draft.redirect(Port(node.id), found.source)
            return True
        return False

    def _targets(self, node: Node, found: _Map) -> list[_Target] | None:
        axes = range(node.types[0].rank) if found.axis is None else (found.axis,)
        for axis in axes:
            targets = self._ahead(Port(node.id), axis, not is_factor(found.change))
            if targets:
                return targets
        return None

    def _ahead(self, port: Port, axis: int, constants: bool) -> list[_Target] | None:
        """The layers that read a port, or None if there are other readers."""
        found: list[_Target] = []
        stack: list[tuple[Port, ChannelLayout, tuple[Node, ...]]] = [
            (port, ChannelLayout(axis), ())
        ]
        while stack:
            port, way, passed = stack.pop()
            for reader in self.draft.readers(port):
                self.draft.effort.left -= 1
                target = self._target(reader, way, passed, constants) if reader else None
                if reader is None or target is None or len(passed) > LONGEST:
                    return None
                if isinstance(target, _Target):
                    found.append(target)
                else:
                    stack.append((Port(reader.id), target, (*passed, reader)))
        return found

    def _target(
        self, reader: Node, way: ChannelLayout, passed: tuple[Node, ...], constants: bool
    ) -> _Target | ChannelLayout | None:
        """A layer that absorbs a map, or the next port through an op that preserves it."""
        line = linearity_of(self.draft, reader)
        if line is not None:
            takes = line.own.inputs == way.axis and not (constants and not line.own.takes_shift)
            return _Target(reader, line, way, passed) if takes else None
        step = channel_layout_of(self.draft, reader, way.axis)
        if step is None or (constants and not step.constants):
            return None
        return way.then(step)

    def _unite(self, node: Node, maps: list[_Map]) -> None:
        """Merge norms and other maps in sequence, or in a sum, into one norm."""
        for found in reversed(maps):
            if found.norm is None:
                continue
            norm, own = found.norm
            if own.terms == ((0, found.change),):
                continue
            assert norm.instance is not None
            self.steps.append(SetNorm(norm.instance.key, own.settings, found.change))
            self._note(found.nodes)
            self.draft.put(norm, (found.source,))
            if norm.id != node.id:
                self.draft.redirect(Port(node.id), Port(norm.id))
            return

    def _cancel(self, node: Node) -> None:
        """Remove a permutation that undoes the one before it, if nothing is between them."""
        found = replaced(self.draft.edit, UNDONE, node)
        if found is not None:
            self.draft.redirect(Port(node.id), found.port)


def _maps(form: Form) -> Iterator[_Map]:
    """The root of a form as a map of a port, for earlier and earlier ports."""
    for _ in form.states():
        if len(form.terms) != 1 or not form.is_change:
            continue
        ((source, term),) = form.terms.items()
        if form.draft.type_of(source) != form.root.types[0]:
            continue
        spare = sum(form.spare.values())
        yield _Map(source, term.change, form.axis, tuple(form.nodes), form.norm, spare)
