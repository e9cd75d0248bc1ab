"""Warnings about inputs whose axes look like those of an image or a sequence in another order."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.model import Edit, Fix, Severity, Sink, diagnostic
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope
from archspec.source import Span
from archspec.syntax import ast

BATCH, SEQUENCE = ("B", "batch"), ("T", "L", "S", "N", "time", "steps", "length", "seq")
"""Names of free sizes by which a sequence that PyTorch would call `batch_first=False` is known."""

CHANNELS = (1, 3)
"""Numbers of channels of an image; a side of one is longer than these."""


def check_image_axes(scope: ModuleScope, sink: Sink) -> None:
    """Report (W0403) channels last, no batch, or a batch as axis 1, in a file without errors."""
    for definition in scope.own.values():
        if not isinstance(definition, BlockDefinition) or not definition.node.is_network:
            continue
        for statement in definition.node.body.statements:
            for item in statement.items if isinstance(statement, ast.Input) else ():
                if item.type is not None and not sink.failed:
                    _check(item, item.type, sink)


def _check(item: ast.InputItem, shape: ast.TypeExpr, sink: Sink) -> None:
    sizes = [_size(entry) for entry in shape.dims]
    texts = [entry.span.text for entry in shape.dims]
    if len(sizes) == 4 and sizes[3] in CHANNELS and min(sizes[1], sizes[2]) > max(CHANNELS):
        message = f"`{item.name}` seems to have its channels last; in archspec they are axis 1"
        order = [texts[0], texts[3], texts[1], texts[2]]
    elif (
        _is_fixed(shape.dims[:1])
        and len(sizes) == 3
        and sizes[0] in CHANNELS
        and sizes[1] == sizes[2] > max(CHANNELS)
    ):
        message = f"`{item.name}` seems to be an image without a batch axis, which is axis 0"
        order = ["B = 1", *texts]
    elif len(texts) > 1 and _name(shape.dims[1]) in BATCH and _name(shape.dims[0]) in SEQUENCE:
        message = f"`{item.name}` seems to have its batch as axis 1; in archspec it is axis 0"
        order = [texts[1], texts[0], *texts[2:]]
    else:
        return
    written = ", ".join(order)
    place = Span(shape.span.source, shape.dims[0].span.start, shape.dims[-1].span.end)
    fix = Fix(f"write `[{written}]`", (Edit(place, written),))
    sink.report(diagnostic("W0403", message, item.span, fix=fix, severity=Severity.WARNING))


def _is_fixed(entries: Sequence[ast.DimExpr]) -> bool:
    """Whether sizes are numbers, and not free as that of a batch, `B = 1`."""
    return all(entry.default is None for entry in entries)


def _size(entry: ast.DimExpr) -> int:
    """The number that is written for an axis, or its size in reports; 0 if there is none."""
    node = entry.default if entry.default is not None else entry.value
    return node.value if isinstance(node, ast.Number) and isinstance(node.value, int) else 0


def _name(entry: ast.DimExpr) -> str:
    """The name of an axis; empty if it is not a name."""
    return entry.value.text if isinstance(entry.value, ast.Name) else ""
