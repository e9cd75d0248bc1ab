"""Replacing the layers at given paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from archspec.analysis.parameters import table
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Instance, Node, Port
from archspec.graph.names import join_path
from archspec.graph.owned import owned
from archspec.passes.places.change import Place, change_places
from archspec.passes.places.pattern import PathPattern

LayerFor: TypeAlias = Callable[[Place], Graph]
"""The layer for a place, with an input for each of its types. May raise CompileFailed."""


@frozen
class Exchanged:
    """A network with replaced layers, and a path for each of them."""

    network: Compiled
    paths: tuple[str, ...]


def exchange(network: Compiled, paths: str, layer_for: LayerFor) -> Exchanged:
    """Replace the layers at the paths that match a pattern; their keys are kept.

    Raises CompileFailed: E0913 if nothing matches, E0914 if a layer has other output types than
    needed, and the errors of `layer_for`, with the place.
    """
    work = _Exchange(layer_for)
    made = change_places(network, PathPattern(paths), work.at)
    faults = [item for found in work.found.values() for item in found]
    if faults:
        raise CompileFailed(faults)
    if not work.found:
        raise CompileFailed([_nothing(network, paths)])
    return Exchanged(made, tuple(work.found))


class _Exchange:
    def __init__(self, layer_for: LayerFor) -> None:
        self._layer_for = layer_for
        self._weights: dict[str, object] = {}
        self.found: dict[str, tuple[Diagnostic, ...]] = {}  # what is wrong, by path

    def at(self, place: Place) -> None:
        """Insert the layer at one place."""
        try:
            layer = self._layer_for(place)
        except CompileFailed as failure:
            note = f"at `{place.path}` its inputs are {_listed(place.types)}"
            self.found[place.path] = tuple(
                replace(one, notes=(*one.notes, note)) for one in failure.diagnostics
            )
            return
        fault = self._fault(place, layer)
        if fault is None:
            self.found.setdefault(place.path, ())
            _put(place, layer)
        else:
            self.found[place.path] = (diagnostic("E0914", fault, place.node.origin.span),)

    def _fault(self, place: Place, layer: Graph) -> str | None:
        """Why a layer does not fit a place, or None."""
        if layer.output_types != place.node.types:
            yields, wanted = _listed(layer.output_types), _listed(place.node.types)
            return f"at `{place.path}` the layer returns {yields}, but {wanted} is needed"
        weights = tuple((one.name, one.shape) for one in table(Compiled("", layer, layer)))
        if self._weights.setdefault(place.path, weights) != weights:
            return f"`{place.path}` is used twice, and the layer has other weights there each time"
        return None


def _put(place: Place, layer: Graph) -> None:
    """Insert a layer at a place, with its key. It reads as many inputs as the layer has.

    A single op or call is inserted directly; anything else is called as a block.
    """
    edit, node, own = place.edit, place.node, place.node.inputs[: len(layer.inputs)]
    inner = [one for one in layer.nodes if not one.is_input]
    if not inner:
        ports = {Port(one.id): port for one, port in zip(layer.inputs, own, strict=True)}
        edit.replace(node.id, *(ports[port] for port in layer.output_ports))
        return
    old = place.instance
    instance = Instance(old.key, graph=layer, origin=old.origin, frozen=old.frozen)
    alone = len(inner) == 1 and not layer.requirements and _is_whole(layer, inner[0])
    if alone and inner[0].instance is not None:
        instance = replace(inner[0].instance, key=old.key)
    what = instance.op if instance.op is not None and not instance.regions else layer
    instance = place.made.setdefault((place.path, what), instance)
    needs = inner[0].requirements if alone else ()
    edit.put(node.id, instance=instance, inputs=own, requirements=needs)


def _is_whole(layer: Graph, node: Node) -> bool:
    """Whether a node reads all inputs of a layer and returns all of its outputs, in order."""
    yields = tuple(Port(node.id, index) for index in range(len(node.types)))
    return yields == layer.output_ports and node.inputs == tuple(
        Port(one.id) for one in layer.inputs
    )


def _listed(types: tuple[object, ...]) -> str:
    return ", ".join(map(str, types)) or "nothing"


def _nothing(network: Compiled, pattern: str) -> Diagnostic:
    names: dict[str, None] = {}
    for item in owned(network.inference):
        names[item.path] = None
        below = owned(item.instance.graph) if item.instance.graph is not None else ()
        names |= {join_path(item.path, one.path): None for one in below}
    near = closest(pattern, names)
    message = f"no path in `{network.name}` matches `{pattern}`"
    fix = f"write `{near}`" if near else None
    notes = ["paths are the names of weights without the name of the tensor: `layer1.0.conv1`"]
    return diagnostic("E0913", message, network.inference.origin.span, notes=notes, fix=fix)
