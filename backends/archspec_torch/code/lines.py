"""Lines of generated code, with the shapes for their comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from enum import Enum
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.expression import Expression
from archspec.types.dim import Dim
from archspec_torch.code.pieces import Code, code


@frozen
class Extent:
    """The size of an axis over local symbols, None where unknown.

    `origin` is the expression in the spec for its number, or for its factor.
    """

    size: Dim | None
    origin: Expression | None = field(default=None, compare=False)


Comment: TypeAlias = "tuple[tuple[str, tuple[Extent, ...]], ...]"
"""Per output the element type, and the sizes."""


class Weight(Enum):
    """The memory that the value of a statement takes."""

    NONE = "none"
    LIGHT = "light"
    """That of positions or parameters."""
    HEAVY = "heavy"
    """That of an activation."""


@frozen
class Line:
    """A line of code, with the types of its values; `tensors` is whether each is a tensor.

    `is_part` is whether its value has no name in the spec and may be computed in the expression of
    the next statement.
    """

    code: Code
    indent: int = 0
    comment: Comment | None = ()
    """None in a specialisation that does not run the line."""
    tensors: bool = False
    is_part: bool = False
    weight: Weight = Weight.NONE


def alternatives(head: Line, sides: Iterable[Sequence[Line]]) -> Iterator[Line]:
    """`if ..:` with the lines of the first side below it, `else:` with those of the second.

    Sides without lines are left out; then `head` has to be true for the other one.
    """
    for lines in sides:
        if lines:
            yield head
            yield from (replace(line, indent=line.indent + 4) for line in lines)
            head = Line(code("else:"))


def common(comments: Sequence[Comment | None]) -> Comment:
    """The common part of the comments of all iterations (or uses); others are unknown."""
    given = [comment or () for comment in comments]
    if len({tuple((dtype, len(shape)) for dtype, shape in comment) for comment in given}) > 1:
        return ()
    result = []
    for outputs in zip(*given, strict=True):
        dtype = outputs[0][0]
        shapes = [shape for _, shape in outputs]
        sizes = (
            one[0] if len(set(one)) == 1 else Extent(None) for one in zip(*shapes, strict=True)
        )
        result.append((dtype, tuple(sizes)))
    return tuple(result)
