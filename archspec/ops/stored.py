"""Ops without inputs whose tensors a module owns: parameters and buffers. Sizes are fixed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from archspec.ops.base import Check, Example, Op, OpError, Parameter
from archspec.ops.shape_rules import fixed
from archspec.ops.source import checked_shape
from archspec.types.dim import DimLike, dim
from archspec.types.initialiser import Initialiser, Normal, zeros
from archspec.types.tensor import DType, TensorType

_NO_INPUT = (0, 0)


class Param(Op):
    """A learnable tensor of the module's element type: `param pos: f32[1, 197, 768] = zeros`.

    Its shape is fixed. It is initialised with zeros by default.

    shape: fixed sizes.
    init: the initialiser.
    """

    name: ClassVar[str] = "param"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (1, 5, 8)}, ()),
        Example({"shape": (), "init": Normal(std=0.02)}, ()),
    )

    shape: tuple[int, ...]
    init: Initialiser | None = None

    @property
    def yields_parameter(self) -> str | None:
        return ""

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return TensorType(DType.F32, checked_shape(self.name, check, self.shape))

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        return (Parameter("", self.shape, self.init or zeros()),)


class ComputedOnce:
    """What ops have in common that own one tensor, whose value is a layer without inputs.

    The layer runs when a module is created or initialised, before the inputs of the network are
    known, and never in a forward pass.
    """

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        """The tensor."""
        raise NotImplementedError

    @property
    def type(self) -> TensorType:
        """The declared type."""
        (own,) = self.parameters()
        return TensorType(own.dtype, tuple(map(dim, own.shape)))

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        """The declared type."""
        return self.type

    def region_inputs(self, region: str, inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        """None."""
        return ()

    def infer_regions(
        self,
        check: Check,
        inputs: tuple[TensorType, ...],
        regions: Mapping[str, tuple[TensorType, ...]],
    ) -> TensorType:
        """The declared type. Raises OpError if the layer yields another one."""
        (own,), found, declared = self.parameters(), regions["value"], self.type
        what = "parameter" if own.learnable else "buffer"
        if len(found) != 1:
            raise OpError(f"a {what} is one tensor, but its value is {len(found)}")
        for axis, size in enumerate(found[0].shape):
            fix = f"a {what} is computed before the input is known"
            fixed(size, f"axis {axis} of a {what}", fix=fix)
        if found[0] != declared:
            raise OpError(f"the {what} is declared as {declared}, but its value is {found[0]}")
        return declared

    def region_runs(self, region: str, inputs: tuple[TensorType, ...]) -> DimLike | None:
        """Never in a forward pass."""
        return 0


class ComputedParam(ComputedOnce, Op):
    """A learnable tensor whose initial value is computed: `param p: f32[3, 3] = eye(3) * 0.5`.

    `value` is a layer without inputs. It is computed when the module is created or initialised.

    shape: fixed sizes.
    """

    name: ClassVar[str] = "computed_param"
    written_as: ClassVar[str] = "param"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    regions: ClassVar[tuple[str, ...]] = ("value",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (2, 3)}, (), {"value": ("f32[2, 3]",)}),
    )

    shape: tuple[int, ...]

    @property
    def yields_parameter(self) -> str | None:
        return ""

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        return (Parameter("", self.shape),)


class Buffer(ComputedOnce, Op):
    """A constant tensor, computed once when the module is created: `buffer i: i64[4] = arange(4)`.

    `value` is a layer without inputs. The tensor is part of the state dict unless it is transient.

    shape: fixed sizes.
    dtype: its element type.
    transient: whether it is excluded from the state dict.
    """

    name: ClassVar[str] = "buffer"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    regions: ClassVar[tuple[str, ...]] = ("value",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (4,), "dtype": "i64"}, (), {"value": ("i64[4]",)}),
        Example({"shape": (2, 3), "transient": True}, (), {"value": ("f32[2, 3]",)}),
    )

    shape: tuple[int, ...]
    dtype: Annotated[DType, Field(strict=False)] = DType.F32
    transient: bool = False

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        persistent = not self.transient
        buffer = Parameter("", self.shape, dtype=self.dtype, learnable=False, persistent=persistent)
        return (buffer,)


class InitialisedBuffer(Op):
    """A constant tensor that an initialiser fills: `buffer b: f32[4, 4] = normal(std=1.0)`.

    It is drawn when the module is created or initialised, is part of the state dict, and does not
    learn. No tensor expression can say this: their values are the same in each module.

    shape: fixed sizes.
    init: the initialiser.
    """

    name: ClassVar[str] = "initialised_buffer"
    written_as: ClassVar[str] = "buffer"
    arity: ClassVar[tuple[int, int | None]] = _NO_INPUT
    category: ClassVar[str] = "source"
    pointwise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"shape": (2, 3), "init": Normal(std=0.02)}, ()),
    )

    shape: tuple[int, ...]
    init: Initialiser

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return TensorType(DType.F32, checked_shape(self.name, check, self.shape))

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        return (Parameter("", self.shape, self.init, learnable=False),)
