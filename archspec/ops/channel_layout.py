"""Where channels are after ops that treat all channels alike, such as a mean over other axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archspec.frozen import frozen
from archspec.types.dim import Dim, exact_quotient, product


@frozen
class ChannelLayout:
    """An op f that computes each channel from that channel alone, with f(s x + t) = s f(x) + t.

    `axis` is that of the channels in the result, which contains the whole sequence of channels
    `outer` times, with each channel `inner` times in a row, as `flatten` arranges them. Without
    `constants`, only f(s x) = s f(x) holds, as for zero padding.
    """

    axis: int
    outer: int = 1
    inner: int = 1
    constants: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether the channels of the result are those of the input, one to one."""
        return self.outer == self.inner == 1

    def then(self, after: ChannelLayout) -> ChannelLayout:
        """The layout after this op and another one."""
        constants = self.constants and after.constants
        outer, inner = self.outer * after.outer, self.inner * after.inner
        return ChannelLayout(after.axis, outer, inner, constants)


def beside(axis: int, axes: int | Iterable[int], rank: int) -> ChannelLayout | None:
    """The layout after an op that works along `axes` only, and keeps them."""
    return None if axis in _places(axes, rank) else ChannelLayout(axis)


def without(axis: int, gone: int | Iterable[int], rank: int) -> ChannelLayout | None:
    """The layout after an op that removes the axes `gone`."""
    lost = _places(gone, rank)
    return None if axis in lost else ChannelLayout(axis - sum(other < axis for other in lost))


def _places(axes: int | Iterable[int], rank: int) -> set[int]:
    return {other % rank for other in ((axes,) if isinstance(axes, int) else axes)}


def regrouped(axis: int, before: Sequence[Dim], after: Sequence[Dim]) -> ChannelLayout | None:
    """The layout after an op that reshapes the elements without reordering them."""
    count = before[axis].constant
    if not count:
        return None
    ahead, behind = product(before[:axis]), product(before[axis + 1 :])
    for place, size in enumerate(after):
        copies = size.constant
        if not copies or copies % count:
            continue
        left, right = product(after[:place]), product(after[place + 1 :])
        quotient = exact_quotient(behind, right)
        inner = quotient.constant if quotient is not None else None
        if not inner or copies // count % inner:
            continue
        outer = copies // count // inner
        if left * outer == ahead and right * inner == behind:
            return ChannelLayout(place, outer, inner)
    return None
