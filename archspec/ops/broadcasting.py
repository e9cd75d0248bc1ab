"""How shapes and element types of several inputs are combined.

Axes are aligned at the right, as in NumPy. Dims must be equal; only a literal 1 broadcasts. A
symbolic dim that happens to be 1 does not broadcast, so `H` and `64` need `H == 64`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from archspec.frozen import frozen
from archspec.ops.base import Check, OpError
from archspec.types.dim import ONE, Dim
from archspec.types.tensor import DType, TensorType

NUMBERS = frozenset({DType.F32, DType.I64, DType.I32, DType.C64})
REALS = frozenset({DType.F32, DType.I64, DType.I32})
FLOATS = frozenset({DType.F32, DType.C64})


@frozen
class _Matched:
    """A dim of the result, with the input that it comes from."""

    size: Dim = field(default=ONE)
    source: int = 0


def broadcast(op: str, check: Check, inputs: Sequence[TensorType]) -> tuple[Dim, ...]:
    """The broadcast shape of all inputs.

    States a need for each pair of symbolic dims that must be equal. Raises OpError, with both
    shapes and the axis, if two numbers differ.
    """
    rank = max(one.rank for one in inputs)
    shape = [_Matched() for _ in range(rank)]
    for index, one in enumerate(inputs):
        for axis, size in enumerate(one.shape, start=rank - one.rank):
            shape[axis] = _meet(op, check, inputs, axis, shape[axis], _Matched(size, index))
    return tuple(meeting.size for meeting in shape)


def _meet(
    op: str,
    check: Check,
    inputs: Sequence[TensorType],
    axis: int,
    before: _Matched,
    now: _Matched,
) -> _Matched:
    if now.size == 1 or now.size == before.size:
        return before
    if before.size == 1:
        return now
    left, right = inputs[before.source], inputs[now.source]
    require_equal_dims(op, check, axis - max(one.rank for one in inputs), left, right, now.source)
    return now if now.size.constant is not None else before


def require_equal_dims(
    op: str, check: Check, axis: int, left: TensorType, right: TensorType, input: int
) -> None:
    """Require `left` and `right` to agree on an axis (from 0, or from the end if negative).

    Raises OpError with both shapes if they are different numbers.
    """
    one, other = left.shape[axis], right.shape[axis]
    if one == other:
        return  # by far the most frequent case; the texts below cost more than the comparison
    where = _axis_text(axis, left, right)
    if one.constant is not None and other.constant is not None:
        raise OpError(
            f"`{op}` needs equal dims, but {where} is {one} in {left.shape_text} and {other} in "
            f"{right.shape_text}",
            input=input,
        )
    reason = f"`{op}` needs {left.shape_text} and {right.shape_text} to agree on {where}"
    check.require_equal(one, other, reason)


def _axis_text(axis: int, left: TensorType, right: TensorType) -> str:
    if axis < 0 and left.rank == right.rank:
        axis += left.rank
    return f"axis {axis}"


def same_rank(op: str, inputs: Sequence[TensorType]) -> int:
    """The common rank of all inputs. Raises OpError if they differ."""
    first = inputs[0]
    for index, one in enumerate(inputs):
        if one.rank != first.rank:
            raise OpError(
                f"`{op}` needs inputs of one rank, but got {first.shape_text} and {one.shape_text}",
                input=index,
                fix=_without_an_axis(first, one) or _without_an_axis(one, first),
            )
    return first.rank


def _without_an_axis(longer: TensorType, shorter: TensorType) -> str | None:
    """Advice if one tensor is the other with one axis of size 1 more: [B, 1] and [B]."""
    for axis, size in enumerate(longer.shape):
        if size == 1 and (*longer.shape[:axis], *longer.shape[axis + 1 :]) == shorter.shape:
            place = -1 if axis == longer.rank - 1 else axis
            return f"write `-> squeeze({place})` after {longer.shape_text}"
    return None


def same_dtype(op: str, inputs: Sequence[TensorType]) -> DType:
    """The common element type of all inputs. Raises OpError if they differ."""
    first = inputs[0].dtype
    for index, one in enumerate(inputs):
        if one.dtype is not first:
            raise OpError(
                f"`{op}` needs inputs of one element type, but got {first} and {one.dtype}",
                input=index,
                fix=f"there is no implicit conversion: write `-> cast({_wider(first, one.dtype)})`",
            )
    return first


def _wider(left: DType, right: DType) -> DType:
    order = (DType.BOOL, DType.I32, DType.I64, DType.F32, DType.C64)
    return max(left, right, key=order.index)


def require_dtype(
    op: str, given: TensorType, allowed: frozenset[DType], *, input: int = 0, fix: str | None = None
) -> DType:
    """The element type of an input, which must be among `allowed`. Raises OpError otherwise."""
    if given.dtype in allowed:
        return given.dtype
    names = [str(kind) for kind in DType if kind in allowed]
    listing = names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" or {names[-1]}"
    order = (DType.F32, DType.I64, DType.BOOL)
    suggestion = next((kind for kind in order if kind in allowed), DType.C64)
    raise OpError(
        f"`{op}` takes {listing}, but input {input + 1} is `{given}`",
        input=input,
        fix=fix or f"`-> cast({suggestion})` before it",
    )


def literal_dtype(op: str, scalar: object, kind: DType, *, attribute: str = "scalar") -> DType:
    """The element type of a tensor of `kind` combined with a literal: the literal takes its type.

    Raises OpError for a fraction combined with integers.
    """
    if isinstance(scalar, float) and not (kind.is_float or kind is DType.C64):
        raise OpError(
            f"`{op}` cannot combine the number {scalar} with a tensor of {kind}",
            attribute=attribute,
            fix="there is no implicit conversion: write `-> cast(f32)` first",
        )
    return kind
