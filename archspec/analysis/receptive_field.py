"""Receptive fields: the positions of an input that one position of an output depends on.

Along each spatial axis a field has a size and a jump: the distance, in input positions, between the
fields of neighbouring outputs. Sizes compose as in Araujo, Norris and Sim, "Computing
Receptive Fields of Convolutional Neural Networks" (Distill 2019): r = r1 + (r2 - 1) * j1 and
j = j1 * j2. If paths meet, the larger field is used.

After a transposed convolution or a resizing, the field depends on the position: a window of three
over doubled positions covers two of them, one of four covers two or three. The size is then a mean,
and is marked as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import Literal, TypeAlias

from archspec.analysis.flow import Algebra, Matrix, flow
from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Region
from archspec.ops.base import Made, Window

Length: TypeAlias = int | Fraction
"""In positions of the input; fractions come from transposed convolutions and resizing."""


@frozen
class AxisField:
    """Along one axis: `size` in input positions, `jump` between neighbours.

    If the field `varies` from position to position, its size is a mean.
    """

    size: Length = 1
    jump: Length = 1
    varies: bool = False

    def __str__(self) -> str:
        return f"{_number(self.size)} (jump {_number(self.jump)})"


Field: TypeAlias = "tuple[AxisField, ...] | Literal['all', 'unknown']"
"""Per spatial axis (an empty tuple: one position), "all" for everything, or "unknown".

It is unknown if axes were mixed or permuted on the way, or an op does not declare its field.
"""


def receptive_field(graph: Graph) -> Matrix[Field]:
    """The field of each output in each input."""
    algebra: Algebra[Field] = Algebra((), _series, _merge, _through_op)
    return flow(graph, algebra)


def field_text(field: Field) -> str:
    """`all`, `unknown`, `1`, `31 × 31`, or `about 31 × 31`."""
    if isinstance(field, str):
        return field
    about = "about " if any(axis.varies for axis in field) else ""
    return about + (" × ".join(_number(axis.size) for axis in field) or "1")


def _series(first: Field, second: Field) -> Field:
    if first == ():
        return second
    if second == ():
        return first
    if "all" in (first, second):
        return "all"
    if isinstance(first, str) or isinstance(second, str):
        return "unknown"
    return tuple(
        AxisField(
            left.size + (right.size - 1) * left.jump,
            left.jump * right.jump,
            left.varies or right.varies,
        )
        for left, right in zip_longest(first, second, fillvalue=AxisField())
    )


def _merge(left: Field, right: Field) -> Field:
    if left == right:
        return left
    if "all" in (left, right):
        return "all"
    if isinstance(left, str) or isinstance(right, str):
        return "unknown"
    return tuple(
        AxisField(max(a.size, b.size), max(a.jump, b.jump), a.varies or b.varies)
        for a, b in zip_longest(left, right, fillvalue=AxisField())
    )


def _through_op(
    graph: Graph,
    node: Node,
    made: tuple[Made, ...],
    regions: Sequence[tuple[Region, Matrix[Field]]],
) -> Field:
    op = node.op
    if op is None:
        return ()
    inputs = graph.types_read(node)
    seen = op.receptive_field(inputs)
    if seen == "all":
        return "all"
    if regions or (isinstance(seen, str) and seen != "pointwise"):
        return "unknown"
    if isinstance(seen, tuple):
        return tuple(_axis(window) for window in seen)
    ranks = {kind.rank for kind in inputs}
    moved = any(kind.rank not in ranks for kind in node.types)
    return "unknown" if moved and max(ranks, default=0) > 2 else ()


def _axis(window: Window) -> AxisField:
    jump: Length = Fraction(window.stride, window.scale) if window.scale > 1 else window.stride
    return AxisField(window.kernel, jump, window.scale > 1)


def _number(value: Length) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):g}"
