"""Lines of generated code, with what their comments say of shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.types.dim import Dim
from archspec_torch.code.pieces import Code

Comment: TypeAlias = "tuple[tuple[str, tuple[Dim | None, ...]], ...]"
"""Per output the element type, and the sizes over local symbols (None where unknown)."""


@frozen
class Line:
    """A line of code, with the types of what it makes."""

    code: Code
    indent: int = 0
    comment: Comment = ()


def common(comments: Sequence[Comment]) -> Comment:
    """What the comments of all iterations (or uses) share; sizes that change are unknown."""
    if len({tuple((dtype, len(shape)) for dtype, shape in comment) for comment in comments}) > 1:
        return ()
    result = []
    for outputs in zip(*comments, strict=True):
        dtype = outputs[0][0]
        shapes = [shape for _, shape in outputs]
        sizes = tuple(one[0] if len(set(one)) == 1 else None for one in zip(*shapes, strict=True))
        result.append((dtype, sizes))
    return tuple(result)
