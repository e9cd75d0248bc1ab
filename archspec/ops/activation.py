"""Activations without weights and attributes: pointwise functions of floating-point tensors."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Example, Op, ShapeRule
from archspec.ops.shape_rules import same_floats


class Relu(Op):
    """Rectified linear unit, `max(x, 0)` (Nair and Hinton 2010)."""

    name: ClassVar[str] = "relu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    @property
    def idempotent(self) -> bool:
        return True


class Relu6(Op):
    """Rectified linear unit capped at 6, `min(max(x, 0), 6)` (Howard et al. 2017)."""

    name: ClassVar[str] = "relu6"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    @property
    def idempotent(self) -> bool:
        return True


class Selu(Op):
    """Scaled exponential linear unit with the constants of Klambauer et al. 2017."""

    name: ClassVar[str] = "selu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Silu(Op):
    """Sigmoid linear unit or swish, `x * sigmoid(x)` (Elfwing et al. 2017)."""

    name: ClassVar[str] = "silu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Mish(Op):
    """`x * tanh(softplus(x))` (Misra 2019)."""

    name: ClassVar[str] = "mish"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Sigmoid(Op):
    """Logistic function, `1 / (1 + exp(-x))`."""

    name: ClassVar[str] = "sigmoid"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    @classmethod
    def in_unit_interval(cls) -> bool:
        return True


class LogSigmoid(Op):
    """`log(1 / (1 + exp(-x)))`."""

    name: ClassVar[str] = "log_sigmoid"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Tanh(Op):
    """Hyperbolic tangent."""

    name: ClassVar[str] = "tanh"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class TanhShrink(Op):
    """`x - tanh(x)`."""

    name: ClassVar[str] = "tanh_shrink"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class Softsign(Op):
    """`x / (1 + abs(x))`."""

    name: ClassVar[str] = "softsign"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class HardSwish(Op):
    """`x * min(max(x + 3, 0), 6) / 6` (Howard et al. 2019)."""

    name: ClassVar[str] = "hard_swish"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)


class HardSigmoid(Op):
    """`min(max(x + 3, 0), 6) / 6` (Howard et al. 2019)."""

    name: ClassVar[str] = "hard_sigmoid"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    shape_rule: ClassVar[ShapeRule | None] = same_floats
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    @classmethod
    def in_unit_interval(cls) -> bool:
        return True
