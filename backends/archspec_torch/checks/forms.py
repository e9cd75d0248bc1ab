"""Whether a network can be modules: one for each block and each layer that it owns.

Shared layers, and those that differ between the modes, have several forms under one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.graph.codegen.interface import inputs_of
from archspec.graph.model import Graph, Node
from archspec.graph.units import Owned, Unit
from archspec_torch.code.pieces import code
from archspec_torch.code.text import flat
from archspec_torch.lowering import lower
from archspec_torch.lowering.base import site


def require_one_form(units: Sequence[Unit]) -> None:
    """Raise CompileFailed: E0821 if the modes would need two modules, E0822 if uses would."""
    found = form_faults(units)
    if found:
        raise CompileFailed(found)


def form_faults(units: Sequence[Unit]) -> tuple[Diagnostic, ...]:
    """The errors (E0821, E0822) of blocks, otherwise of the layers in them."""
    blocks = tuple(fault for unit in units for fault in _block_faults(unit))
    return blocks or tuple(fault for unit in units for fault in _layer_faults(unit))


def _block_faults(unit: Unit) -> Iterator[Diagnostic]:
    """A use of a block whose inputs or outputs have another form than at its first use."""
    first, *others = unit.uses
    if not others:
        return
    form = _form(first)
    for use in others:
        if _form(use) != form:
            graph = use.either
            message = (
                f"`{graph.name}` is shared, but has other inputs or outputs in one of its uses"
            )
            yield diagnostic("E0822", message, graph.origin.span)
            return


def _form(unit: Unit) -> tuple[object, ...]:
    inputs = [(item.optional, item.inference is None) for item in inputs_of(unit)]
    modes = [unit.outputs(training) for training in (False, True)]
    return inputs, [[(item.name, item.structure) for item in outputs] for outputs in modes]


def _layer_faults(unit: Unit) -> Iterator[Diagnostic]:
    """Layers that would need several modules: for the modes, or for their uses."""
    for owned in unit.owned:
        first, *others = _distinct_places(owned)
        if not others or not _needs_module(owned):
            continue
        module = lower(site(*first)).module
        for place in others:
            other = lower(site(*place)).module
            if other != module:
                modules = [flat(one or code("no module")) for one in (other, module)]
                yield _several_modules(owned.key, first, place, modules)
                break


def _distinct_places(owned: Owned) -> list[tuple[Graph, Node]]:
    """The places of a layer: the first one for each form, and for each type of data."""
    found: dict[object, tuple[Graph, Node]] = {}
    for graph, node in owned.places:
        found.setdefault((node.instance, graph.types_read(node)), (graph, node))
    return list(found.values())


def _needs_module(owned: Owned) -> bool:
    """Whether it is a layer that owns something; others are written as expressions if necessary."""
    if owned.either.op is None:
        return False
    return bool(owned.either.regions) or any(site(*place).parameters for place in owned.places)


def _several_modules(
    key: str, first: tuple[Graph, Node], other: tuple[Graph, Node], modules: list[str]
) -> Diagnostic:
    """E0821 for the modes, E0822 for shared layers; `modules` are the present and the first one."""
    origin = other[1].origin
    if other[0] is not first[0] and other[1].instance is not first[1].instance:
        message = f"`{key}` has different attributes in training and in inference"
        fix = "give the layers of the two modes different labels"
        return diagnostic("E0821", message, origin.span, expansion=origin.frames, fix=fix)
    span = first[1].origin.span
    message = f"`{key}` is shared, but would be `{modules[0]}` in one use and `{modules[1]}` before"
    secondary = [(span, "its first use")] if span != origin.span else []
    return diagnostic("E0822", message, origin.span, expansion=origin.frames, secondary=secondary)
