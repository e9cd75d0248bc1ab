"""Changing nodes at the places that match a pattern of paths, through all calls.

A block that is called at paths that match and at others is split into two graphs; if the pattern
does not distinguish its calls, it remains one, and so do shared instances.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from archspec.analysis.fold import memoised
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled, Mode
from archspec.graph.edit import Edit
from archspec.graph.inference import own_inputs
from archspec.graph.mapping import shared_between, with_graphs
from archspec.graph.model import Graph, Instance, Node
from archspec.graph.names import join_path
from archspec.graph.owned import owned
from archspec.graph.walk import postorder
from archspec.passes.places.pattern import PathPattern, States
from archspec.types.tensor import TensorType


@frozen
class Place:
    """A node that matches a pattern, in a graph that is being edited.

    `path` is the full name of its instance, the first one if there are several calls. `made` is one
    object for all nodes of a block and its regions.
    """

    path: str
    edit: Edit
    node: Node
    instance: Instance
    mode: Mode
    made: dict[object, Instance]

    @property
    def types(self) -> tuple[TensorType, ...]:
        """Types of its inputs, without the captures of layers that an op applies."""
        read = tuple(map(self.edit.type_of, self.node.inputs))
        return own_inputs(self.instance.regions, read)


MOST = 50_000
"""Maximum number of visits to blocks: one per block and set of positions in the pattern."""

Change: TypeAlias = Callable[[Place], None]
"""Changes `place.edit` at `place.node`, whose types stay."""


def change_places(compiled: Compiled, pattern: PathPattern, change: Change) -> Compiled:
    """A network with `change` applied at each place, in both modes.

    Nodes inside a match are not places themselves. If both modes have equal graphs afterwards, they
    share one. Raises CompileFailed (E0913) if the pattern distinguishes too many paths.
    """
    inference = _Changing(pattern, change, "inference").network(compiled.inference)
    training = _Changing(pattern, change, "training").network(compiled.training)
    if inference is compiled.inference and training is compiled.training:
        return compiled
    training = shared_between(inference, training)
    return replace(compiled, inference=inference, training=training)


_Asked: TypeAlias = tuple[Graph, States]
"""A block, and where in the pattern the paths are that lead to it."""


@dataclass
class _Found:
    """What a pattern finds in a block and its regions, with paths below the block."""

    places: dict[Instance, str] = field(default_factory=dict)
    calls: dict[Instance, tuple[States, str]] = field(default_factory=dict)


class _Changing:
    """The changes of one mode."""

    def __init__(self, pattern: PathPattern, change: Change, mode: Mode) -> None:
        self._pattern, self._change, self._mode, self._left = pattern, change, mode, MOST
        self._paths: dict[_Asked, str] = {}  # the first of those that lead to a block

    def network(self, graph: Graph) -> Graph:
        """The changed network."""
        return memoised((graph, self._pattern.start), self._step)

    def _step(self, asked: _Asked) -> Generator[_Asked, Graph, Graph]:
        block, states = asked
        if not states or block.kind == "buffer":
            return block
        self._left -= 1
        if not self._left:
            message = "the paths of blocks look different to this pattern in too many ways"
            raise CompileFailed([diagnostic("E0913", message, block.origin.span)])
        prefix = self._paths.get(asked, "")
        found = self._look(block, states)
        below: dict[Instance, Graph] = {}
        for instance, (after, path) in found.calls.items():
            assert instance.graph is not None
            self._paths.setdefault((instance.graph, after), join_path(prefix, path))
            below[instance] = yield instance.graph, after
        paths = {one: join_path(prefix, path) for one, path in found.places.items()}
        became: dict[Graph, Graph] = {}
        made: dict[object, Instance] = {}
        for graph in postorder(block, lambda graph: _held(graph, paths)):
            became[graph] = self._changed(graph, paths, made, below, became)
        return became[block]

    def _look(self, block: Graph, states: States) -> _Found:
        names = {item.instance: item.path for item in owned(block)}
        found, seen = _Found(), set[Graph]()
        stack = [(block, "")]
        while stack:
            graph, prefix = stack.pop()
            seen.add(graph)
            for instance in (node.instance for node in graph.nodes if node.instance is not None):
                path = names.get(instance) or join_path(prefix, instance.key)
                after = self._pattern.after(states, path)
                if instance.key and self._pattern.accepts(after):
                    found.places[instance] = path
                    continue
                if instance.graph is not None:
                    found.calls[instance] = self._pattern.after(after, "." if path else ""), path
                inner = [(one.graph, join_path(path, one.key)) for one in instance.regions]
                stack += [item for item in inner if item[0] not in seen]
        return found

    def _changed(
        self,
        graph: Graph,
        places: Mapping[Instance, str],
        made: dict[object, Instance],
        below: Mapping[Instance, Graph],
        became: Mapping[Graph, Graph],
    ) -> Graph:
        edit: Edit | None = None
        for node in graph.nodes:
            old = node.instance
            if old is None:
                continue
            if old in places:
                edit = edit or Edit(graph)
                place = Place(places[old], edit, edit.node(node.id), old, self._mode, made)
                self._change(place)
            elif node.runs_graphs:
                mine = {old.graph: below[old]} if old.graph is not None else {}
                new = with_graphs(old, {**became, **mine})
                if new is not old:
                    edit = edit or Edit(graph)
                    edit.put(node.id, instance=made.setdefault(old, new))
        return edit.graph() if edit is not None else graph


def _held(graph: Graph, gone: Collection[Instance]) -> list[Graph]:
    """The graphs of its regions, except those of removed instances."""
    instances = (node.instance for node in graph.nodes if node.instance not in gone)
    return [one.graph for instance in instances if instance for one in instance.regions]
