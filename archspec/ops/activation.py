"""Activations without weights and without settings: pointwise functions of a floating tensor."""

from __future__ import annotations

from typing import ClassVar

from archspec.ops.base import Check, Example, Op
from archspec.ops.shape_rules import float_input
from archspec.types.tensor import TensorType


class Relu(Op):
    """Rectified linear unit, `max(x, 0)` (Nair and Hinton 2010)."""

    name: ClassVar[str] = "relu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class Relu6(Op):
    """Rectified linear unit cut at 6, `min(max(x, 0), 6)` (Howard et al. 2017)."""

    name: ClassVar[str] = "relu6"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class Selu(Op):
    """Scaled exponential linear unit with the constants of Klambauer et al. 2017."""

    name: ClassVar[str] = "selu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class Silu(Op):
    """Sigmoid linear unit or swish, `x * sigmoid(x)` (Elfwing et al. 2017)."""

    name: ClassVar[str] = "silu"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class Mish(Op):
    """`x * tanh(softplus(x))` (Misra 2019)."""

    name: ClassVar[str] = "mish"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class Sigmoid(Op):
    """Logistic function, `1 / (1 + exp(-x))`."""

    name: ClassVar[str] = "sigmoid"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class LogSigmoid(Op):
    """`log(1 / (1 + exp(-x)))`."""

    name: ClassVar[str] = "log_sigmoid"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class Tanh(Op):
    """Hyperbolic tangent."""

    name: ClassVar[str] = "tanh"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class TanhShrink(Op):
    """`x - tanh(x)`."""

    name: ClassVar[str] = "tanh_shrink"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class Softsign(Op):
    """`x / (1 + abs(x))`."""

    name: ClassVar[str] = "softsign"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class HardSwish(Op):
    """`x * min(max(x + 3, 0), 6) / 6` (Howard et al. 2019)."""

    name: ClassVar[str] = "hard_swish"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)


class HardSigmoid(Op):
    """`min(max(x + 3, 0), 6) / 6` (Howard et al. 2019)."""

    name: ClassVar[str] = "hard_sigmoid"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (Example(),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return float_input(self.name, inputs)
