"""The shape of a value, over local symbols and the expressions of the spec for its numbers."""

from __future__ import annotations

from archspec.graph.codegen.sizes import Locals
from archspec.graph.expression import Expression, Name, Operation, names_in
from archspec.graph.model import Graph, Port
from archspec.types.dim import Dim
from archspec_torch.code.lines import Extent
from archspec_torch.planning.size_origins import size_origins

MOST_DIVISIONS = 2
"""In the expression for a size, as after windows with a stride; more do not help a reader."""


def extents(graph: Graph, port: Port, own: Locals) -> tuple[Extent, ...]:
    """The sizes of all axes."""
    found = []
    for axis, whole in enumerate(graph.type_of(port).shape):
        size = own.find(whole)
        origin = size_origins(graph).of(port, axis) if whole.constant is not None else None
        if origin is not None and _divisions(origin) > MOST_DIVISIONS:
            origin = None
        elif size is not None and origin is None:
            origin = _factor(graph, size, own)
        found.append(Extent(size, origin))
    return tuple(found)


def _factor(graph: Graph, size: Dim, own: Locals) -> Expression | None:
    """The expression for the 7 of `7*rows`: a number that is a factor of `rows`."""
    if len(size.terms) != 1 or len(size.terms[0][0]) != 1:
        return None
    ((name,), number) = size.terms[0]
    written = graph.definitions.get(own.defined.get(str(name), ""))
    names = names_in(written) if written is not None else ()
    return next((Name(one) for one in names if graph.names.get(one) == number), None)


def _divisions(expression: Expression) -> int:
    if not isinstance(expression, Operation):
        return 0
    return (expression.sign in ("//", "ceil_div")) + sum(map(_divisions, expression.operands))
