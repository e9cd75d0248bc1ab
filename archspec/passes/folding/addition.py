"""Sums in which layers of one input are merged, and absorb the maps around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from archspec.graph.model import Node, Port
from archspec.ops.arithmetic import Add, Sub
from archspec.ops.base import Op
from archspec.passes.folding.changes import is_factor, is_identity, sources
from archspec.passes.folding.draft import Draft
from archspec.passes.folding.form import Form, Term
from archspec.passes.folding.patterns import (
    Linearity,
    Taps,
    channel_layout_of,
    linearity_of,
    parts_of,
    taps_of,
)
from archspec.passes.folding.steps import After, Merge, Step

LONGEST = 64
"""Ops between a map and its layer, and merged layers; larger sums are not folded."""


@dataclass(eq=False)
class Piece:
    """A term of a sum; `layer` is the node that computes it, if the map can go into it.

    `taps` are those of a layer right before the sum. `parts` are the pieces that are merged into
    it.
    """

    port: Port
    term: Term
    layer: Node | None = None
    linearity: Linearity | None = None
    taps: Taps | None = None
    passed: tuple[Node, ...] = ()
    parts: list[tuple[Piece, Taps]] = field(default_factory=list)

    @property
    def takes_shift(self) -> bool:
        """Whether each of its channels gets a bias in the end."""
        own = bool(self.linearity and self.linearity.own.biased) or not is_factor(self.term.change)
        return own or any(piece.takes_shift for piece, _ in self.parts)


class Addition:
    """The result of merging the terms of a form."""

    def __init__(self, form: Form) -> None:
        self._form, self._draft = form, form.draft
        self.pieces = [_piece(form, port, term) for port, term in form.terms.items()]
        self.merged: list[Piece] = []
        self._merge_layers()
        self._merge_inputs()
        self.left = self._left()
        """The remaining terms."""
        self._some_stay = any(piece.layer is None for piece in self.left)

    def _left(self) -> list[Piece]:
        gone = set(self.merged)
        return [piece for piece in self.pieces if piece not in gone]

    def _merge_layers(self) -> None:
        """Merge convolutions of one input into the largest that has a position for each weight.

        Linear layers are not merged: they are heads, as in DeiT and LeViT, and are deployed as
        such.
        """
        able = [piece for piece in self.pieces if piece.taps is not None and piece.taps.stride]
        rest = sorted(able, key=lambda piece: -_taps(piece).weights)
        for _ in range(min(len(rest), LONGEST)):
            if not rest:
                break
            into, *others = rest
            rest = []
            for piece in others:
                if _taps(into).holds(_taps(piece)):
                    self._take(into, piece, _taps(piece))
                else:
                    rest.append(piece)

    def _merge_inputs(self) -> None:
        """Merge terms that are the input of a layer, or an affine map of it, into the layer."""
        rest = self._left()
        layers: dict[Port, list[Piece]] = {}
        for piece in rest:
            if piece.taps is not None:
                layers.setdefault(piece.taps.source, []).append(piece)
        for piece in rest:
            near = layers.get(_same(self._draft, piece.port), ()) if piece.layer is None else ()
            for into in near:
                if self._fits(into, piece):
                    found = _taps(into).diagonal()
                    assert found is not None
                    self._take(into, piece, found)
                    break

    def _fits(self, into: Piece, piece: Piece) -> bool:
        found = _taps(into).diagonal()
        if found is None or not _taps(into).holds(found):
            return False
        if self._draft.type_of(piece.port) != self._form.root.types[0] or into.linearity is None:
            return False
        axis = self._form.axis
        return axis is None or axis == into.linearity.own.outputs

    def _take(self, into: Piece, piece: Piece, taps: Taps) -> None:
        into.parts.append((piece, taps))
        self.merged.append(piece)

    def operands(self) -> list[tuple[bool, Port]] | None:
        """The operands of the sum in the end, or None if it cannot be written as one."""
        found: list[tuple[bool, Port]] = []
        for piece in self.left:
            if self.absorbs(piece):
                found.append((False, piece.port))
            elif piece.term.made is None:
                return None
            else:
                found += piece.term.made
        minus = [port for is_minus, port in found if is_minus]
        return found if not minus or len(minus) == 1 == len(found) - 1 else None

    def absorbs(self, piece: Piece) -> bool:
        """Whether the map of a remaining term goes into its layer.

        If other terms must remain as they are, a layer into which nothing is merged remains, too.
        """
        return piece.layer is not None and (bool(piece.parts) or not self._some_stay)

    @property
    def is_better(self) -> bool:
        """Whether some node is removed, and there are no more parameters than before."""
        whole = all(map(self.absorbs, self.left))
        if not (self.merged or (whole and self._form.is_change)):
            return False
        gained, spared = 0, 0
        gone: set[str] = set()
        for piece in filter(self.absorbs, self.left):
            line = piece.linearity
            assert line is not None
            gained += line.gain if piece.takes_shift else 0
            gone |= sources(piece.term.change)
            for part, taps in piece.parts:
                gone |= sources(part.term.change)
                if part.linearity is not None:
                    own = part.linearity.own
                    spared += taps.weights + own.width * own.biased
        for piece in self.left:
            if not self.absorbs(piece):
                gone -= sources(piece.term.change)
        spared += sum(self._form.spare.get(owner, 0) for owner in gone)
        return gained <= spared

    def steps(self) -> Iterator[Step]:
        """The changes of the weights."""
        for piece in filter(self.absorbs, self.left):
            yield from _own(piece)
            assert piece.linearity is not None
            for part, taps in piece.parts:
                yield from _own(part)
                start, every = _taps(piece).places(taps)
                other = part.linearity.layer if part.linearity else part.term.change
                yield Merge(piece.linearity.layer, other, start, every)

    def commit(self) -> None:
        """Rewrite the draft."""
        operands = self.operands()
        assert operands is not None
        root = self._form.root
        for piece in filter(self.absorbs, self.left):
            if piece.takes_shift and piece.linearity and piece.linearity.gain:
                assert piece.layer is not None
                self._draft.gain_bias(piece.layer)
        ports = tuple(port for _, port in sorted(operands, key=lambda item: item[0]))
        if len(ports) == 1 and not operands[0][0]:
            self._draft.redirect(Port(root.id), ports[0])
            return
        op: Op = Sub() if any(minus for minus, _ in operands) else Add()
        self._draft.put(root, ports, op)

    def touched(self) -> Iterator[Node]:
        """The nodes that were involved."""
        yield from self._form.nodes
        for piece in self.pieces:
            if piece.layer is not None:
                yield piece.layer
                yield from piece.passed


def _own(piece: Piece) -> Iterator[Step]:
    if piece.linearity is not None and not is_identity(piece.term.change):
        yield After(piece.linearity.layer, piece.term.change)


def _taps(piece: Piece) -> Taps:
    assert piece.taps is not None
    return piece.taps


def _piece(form: Form, port: Port, term: Term) -> Piece:
    """A term with the layer before it, if only ops that preserve channels are between them."""
    piece, draft, axis = Piece(port, term), form.draft, form.axis
    node = draft.node(port.node)
    passed: list[Node] = []
    is_whole = form.is_whole(port) and draft.type_of(port) == form.root.types[0]
    while is_whole and len(passed) < LONGEST:
        draft.effort.left -= 1
        line = linearity_of(draft, node)
        if line is not None:
            if axis not in (None, line.own.outputs):
                break
            source = _same(draft, node.inputs[0])
            taps = taps_of(draft, node, source) if not passed else None
            return replace(
                piece, layer=node, linearity=line, taps=taps, passed=tuple(passed), parts=[]
            )
        came = _before(draft, node, axis, constants=not is_factor(term.change))
        if came is None:
            break
        passed.append(node)
        axis = came[0]
        node = draft.node(node.inputs[0].node)
        is_whole = draft.reads(Port(node.id)) == 1
    return piece


def _before(
    draft: Draft, node: Node, axis: int | None, constants: bool
) -> tuple[int | None] | None:
    """The axis of the channels before a node that preserves maps of channels."""
    if len(node.inputs) != 1 or node.inputs[0].index:
        return None
    for place in range(draft.type_of(node.inputs[0]).rank):
        found = channel_layout_of(draft, node, place)
        if found is None or (constants and not found.constants):
            continue
        if axis is None or (found.is_plain and found.axis == axis):
            return (None,) if axis is None else (place,)
    return None


def _same(draft: Draft, port: Port) -> Port:
    """The source of a port through ops that return their input in inference."""
    while True:
        node = draft.node(port.node)
        parts = parts_of(draft, node)
        if parts is None or len(parts.terms) > 1 or not is_identity(parts.terms[0][1]):
            return port
        port = node.inputs[0]
