"""`rearrange`, `reduce` and `repeat` in einops notation."""

from __future__ import annotations

from typing import ClassVar, Literal

from archspec.ops.base import Check, Example, Op, OpError, Seen, Window
from archspec.ops.broadcasting import FLOATS, NUMBERS, REALS, require_dtype
from archspec.ops.channel_layout import ChannelLayout, regrouped
from archspec.ops.einops_notation import ELLIPSIS, Group, Plan, difference, names, plan, read
from archspec.types.condition import at_least
from archspec.types.dim import Dim, product
from archspec.types.tensor import DType, TensorType


def _quoted(found: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in found)


class Rearrange(Op):
    """Splits, merges and reorders axes by a pattern; the elements are unchanged.

    `rearrange("b (h p) (w q) c -> b h w (p q c)", p=2, q=2)`: if a name on the left has no
    size, the size is computed by exact division, so here H and W must be even.

    pattern: the axes of input and output, before and after `->`.
    axes: sizes of axes by name, such as `p=2`.
    """

    name: ClassVar[str] = "rearrange"
    category: ClassVar[str] = "shape"
    open_attributes: ClassVar[str | None] = "axes"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"pattern": "b c h w -> b h w c"}),
        Example({"pattern": "b c (h p) (w q) -> b h w (p q c)", "axes": (("p", 2), ("q", 4))}),
        Example({"pattern": "b (g c) ... -> (b g) c 1 (...)", "axes": (("g", 2),)}),
        Example({"pattern": "l -> 1 1 l"}, ("i64[5]",)),
    )

    pattern: str
    axes: tuple[tuple[str, int | Dim], ...] = ()

    def plan(self, given: TensorType, check: Check | None = None) -> Plan:
        """The steps for an input of this type."""
        left, right = read(self.name, self.pattern)
        _no_new_sizes(self.name, left, right)
        lost = difference(names(left), names(right))
        new = difference(names(right), names(left))
        if lost:
            fix = "use `reduce` to remove axes"
            raise OpError(f"`rearrange` loses {_quoted(lost)}", attribute="pattern", fix=fix)
        if new:
            fix = "use `repeat` to add axes"
            raise OpError(f"`rearrange` has no {_quoted(new)}", attribute="pattern", fix=fix)
        return plan(self.name, check or Check(), self.pattern, self.axes, given)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        return given.with_shape(*self.plan(given, check).merge)

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        left, right = read(self.name, self.pattern)
        before = [
            group.items[0] for group in left if group.bare and isinstance(group.items[0], str)
        ]
        after = [group.items[0] for group in right if group.bare]
        if ELLIPSIS in before or not len(before) == len(left) == len(right) == len(after) == rank:
            return None
        return tuple(before.index(str(name)) for name in after)

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        steps = self.plan(inputs[0])
        split = regrouped(axis, inputs[0].shape, steps.split)
        if split is None or not split.is_plain:
            return None
        moved = [steps.split[at] for at in steps.order]
        place = steps.order.index(split.axis)
        for at, size in steps.insert:  # axes of size 1
            moved.insert(at, size)
            place += at <= place
        return regrouped(place, moved, steps.merge)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return _windows(self.name, self.pattern, self.axes, inputs[0].rank)


def _no_new_sizes(op: str, left: tuple[Group, ...], right: tuple[Group, ...]) -> None:
    for group in (*left, *right):
        for item in group.items:
            if isinstance(item, int) and item != 1:
                raise OpError(
                    f"`{op}` takes no number but 1 in its pattern, but got {item}",
                    attribute="pattern",
                    fix=f"give it a name and a size: `n={item}`",
                )


def _windows(op: str, pattern: str, axes: tuple[tuple[str, int | Dim], ...], rank: int) -> Seen:
    """The receptive field if spatial axes keep their positions, split or merged with others.

    `(h p)` that becomes `h` sees p positions at a distance of p; `h` to `(h p)` is the reverse.
    """
    left, right = read(op, pattern)
    if any(not set(names((group,))) <= set(names(right)) and group.bare for group in left[2:]):
        return "all"
    if all(group.bare for group in (*left, *right)):
        return "pointwise" if left[2:] == right[2:] or rank < 3 else "unknown"
    if ELLIPSIS in names(left) or len(left) != len(right) or rank < 3:
        return "all"
    windows: list[Window] = []
    for before, after in zip(left[2:], right[2:], strict=True):
        seen, made = _factor(before, dict(axes)), _factor(after, dict(axes))
        if before.items[:1] != after.items[:1] or not seen or not made:
            return "all"
        windows.append(Window(seen, seen, made))
    return tuple(windows)


def _factor(group: Group, sizes: dict[str, int | Dim]) -> int:
    """The size of all but the first part of a group; 0 if that is not a fixed number."""
    inner = (item if isinstance(item, int) else sizes.get(item, 0) for item in group.items[1:])
    return product(inner).constant or 0


class Reduce(Op):
    """Reduces over the axes that are missing on the right: `reduce("b c h w -> b c", "mean")`.

    Otherwise like `rearrange`. `reduce("b c (h 2) (w 2) -> b c h w", "max")` is a max pool.

    pattern: the axes of input and output, before and after `->`.
    reduction: "mean", "sum", "max", "min" or "prod".
    axes: sizes of axes by name, such as `p=2`.
    """

    name: ClassVar[str] = "reduce"
    category: ClassVar[str] = "reduction"
    open_attributes: ClassVar[str | None] = "axes"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"pattern": "b c h w -> b c", "reduction": "mean"}),
        Example({"pattern": "b c (h 2) (w 2) -> b c h w", "reduction": "max"}),
        Example(
            {"pattern": "b c (h p) w -> b h c 1", "reduction": "sum", "axes": (("p", 4),)},
        ),
        Example({"pattern": "b ... -> b", "reduction": "min"}),
        Example({"pattern": "b c h w -> b w h", "reduction": "prod"}),
    )

    pattern: str
    reduction: Literal["mean", "sum", "max", "min", "prod"]
    axes: tuple[tuple[str, int | Dim], ...] = ()

    def plan(self, given: TensorType, check: Check | None = None) -> Plan:
        """The steps for an input of this type."""
        left, right = read(self.name, self.pattern)
        new = difference(names(right), names(left))
        if new or any(isinstance(item, int) and item != 1 for one in right for item in one.items):
            raise OpError(
                "`reduce` cannot add axes, but some are only on the right of its pattern",
                attribute="pattern",
                fix="use `repeat` to add axes",
            )
        return plan(self.name, check or Check(), self.pattern, self.axes, given)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        allowed = {"mean": FLOATS, "max": REALS, "min": REALS}.get(self.reduction, NUMBERS)
        kind = require_dtype(self.name, given, allowed)
        steps = self.plan(given, check)
        if self.reduction in ("max", "min"):
            for index in steps.reduce:
                check.require(at_least(steps.split[index], 1), "`reduce` needs an element")
        if kind is DType.I32 and self.reduction in ("sum", "prod"):
            kind = DType.I64
        return TensorType(kind, steps.merge)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return _windows(self.name, self.pattern, self.axes, inputs[0].rank)


class Repeat(Op):
    """Repeats along the axes that are new on the right: `repeat("h w -> h w c", c=3)`.

    Otherwise like `rearrange`. Every axis on the left must also be on the right.

    pattern: the axes of input and output, before and after `->`.
    axes: sizes of axes by name, such as `p=2`.
    """

    name: ClassVar[str] = "repeat"
    category: ClassVar[str] = "shape"
    open_attributes: ClassVar[str | None] = "axes"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"pattern": "h w -> h w c", "axes": (("c", 3),)}, ("f32[4, 5]",)),
        Example({"pattern": "b c h w -> b c (h 2) (w 2)"}),
        Example({"pattern": "... -> b ...", "axes": (("b", 4),)}, ("f32[3, 5]",)),
    )

    pattern: str
    axes: tuple[tuple[str, int | Dim], ...] = ()

    def plan(self, given: TensorType, check: Check | None = None) -> Plan:
        """The steps for an input of this type."""
        left, right = read(self.name, self.pattern)
        lost = difference(names(left), names(right))
        if lost or any(isinstance(item, int) and item != 1 for one in left for item in one.items):
            raise OpError(
                "`repeat` cannot remove axes, but some are only on the left of its pattern",
                attribute="pattern",
                fix="use `reduce` to remove axes",
            )
        return plan(self.name, check or Check(), self.pattern, self.axes, given)

    @classmethod
    def instead_of(cls, attribute: str) -> str | None:
        return "a layer is repeated by `for i in 0..3 { f }`" if not attribute else None

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        (given,) = inputs
        return given.with_shape(*self.plan(given, check).merge)

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return _windows(self.name, self.pattern, self.axes, inputs[0].rank)
