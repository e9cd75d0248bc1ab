"""The base class of primitive ops: attributes, shape rule, parameters and cost.

Fields are the attributes, in positional order, checked by pydantic (strictly: no `2.0` or `true`
for an int). `infer` is pure. A field that may be a free dimension is declared `int | Dim`; one that
may be a symbol while a signature is checked is declared as described in `archspec.ops.symbols`; all
others are numbers. Sequences are tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, field_validator

from archspec.frozen import frozen
from archspec.ops.absent import without_value
from archspec.ops.advice import Advice
from archspec.ops.channel_layout import ChannelLayout
from archspec.types.condition import TRUE, Condition, at_least, equal
from archspec.types.dim import ZERO, Dim, DimLike
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import DType, TensorType

if TYPE_CHECKING:  # few passes need these, and creating their classes takes time
    from archspec.ops.channels import ChannelMap, LinearLayer
    from archspec.ops.dropping import KeptMean, Skipped


class OpError(Exception):
    """The op does not accept these inputs or attributes.

    `attribute` is the name of the invalid argument, `input` the index of the invalid input, and
    `fix` a short hint. The elaborator adds spans and the types of all inputs.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "E0401",
        attribute: str | None = None,
        input: int | None = None,
        notes: Sequence[str] = (),
        fix: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.attribute = attribute
        self.input = input
        self.notes = tuple(notes)
        self.fix = fix


@frozen
class Need:
    """A condition on sizes that the op requires, with a reason in one clause.

    `chosen` means that the spec itself sets this limit, by an axis of fixed size that is sliced or
    by a `where`: then finitely many valid sizes are no error. If others leave only finitely many,
    the shapes agree by accident. `hint` is a fix for a need that never holds.
    """

    condition: Condition
    reason: str
    training_only: bool = False
    chosen: bool = False
    hint: str | None = None


@dataclass
class Check:
    """Collects the needs of an op; the elaborator decides them.

    While a signature is checked it is `symbolic`: a size that must be a number may be a symbol.
    """

    needs: list[Need] = field(default_factory=list)
    symbolic: bool = False

    def is_number(self, size: Dim) -> bool:
        """Whether a size is a number, or a symbol for one."""
        return self.symbolic or size.constant is not None

    def require(
        self,
        condition: Condition,
        reason: str,
        *,
        training_only: bool = False,
        chosen: bool = False,
        hint: str = "",
    ) -> None:
        """State a need. `reason` reads after "because": "`add` needs equal dims on axis 2"."""
        if condition != TRUE:
            self.needs.append(Need(condition, reason, training_only, chosen, hint or None))

    def require_nonnegative(self, rest: Dim, reason: str, *, of: Dim | None) -> None:
        """State that `rest`, which is left by an attribute, is not negative.

        `of` is the axis whose positions the attribute selects, or None if the attribute is a size.
        An axis of fixed size, and a size that is an attribute, are limits that the spec sets.
        """
        self.require(at_least(rest, 0), reason, chosen=of is None or of.constant is not None)

    def require_equal(self, left: DimLike, right: DimLike, reason: str, hint: str = "") -> None:
        """State that two sizes are equal."""
        self.require(equal(left, right), reason, hint=hint)


@frozen
class Parameter:
    """A tensor that an instance owns. `learnable` is False for buffers.

    `parametrises` is "weight" for the tensor of a parametrisation that is initialised like it.
    """

    name: str
    shape: tuple[int, ...]
    initialiser: Initialiser | None = None
    dtype: DType = DType.F32
    learnable: bool = True
    persistent: bool = True
    parametrises: str = ""


@frozen
class Window:
    """What one output position sees along one axis: `kernel` (including dilation) and `stride`.

    For a transposed convolution `stride` is a fraction, given as `(1, factor)` in `scale`.
    """

    kernel: int
    stride: int = 1
    scale: int = 1


Arithmetic: TypeAlias = Literal["sum", "difference", "product", "quotient", ""]

Seen: TypeAlias = tuple[Window, ...] | Literal["pointwise", "all", "unknown"]
"""A window for each spatial axis; "all" for up to everything; "unknown" if axes are mixed."""


@frozen
class Example:
    """Attributes and input types that the op accepts, for tests and documentation."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("f32[2, 8, 16, 16]",)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For ops that hold layers: the output types of each layer."""

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """The inputs as types."""
        return tuple(type_of_text(text) for text in self.inputs)

    @property
    def region_types(self) -> dict[str, tuple[TensorType, ...]]:
        """The output types of the layers."""
        return {
            name: tuple(type_of_text(text) for text in texts)
            for name, texts in self.regions.items()
        }


def type_of_text(text: str) -> TensorType:
    """The type of a text such as `f32[2, 8, H]`, with numbers and bare symbols only."""
    dtype, _, rest = text.partition("[")
    sizes = [size.strip() for size in rest.rstrip("] ").split(",") if size.strip()]
    shape = (Dim.constant_of(int(s)) if s.isdecimal() else Dim.symbol(s) for s in sizes)
    return TensorType(DType(dtype.strip()), tuple(shape))


ShapeRule: TypeAlias = Callable[[Any, Check, tuple[TensorType, ...]], TensorType]
"""The type of the output, computed from the op, a check for its needs, and its inputs."""


class Made(Enum):
    """What a value depends on."""

    DATA = "data"  # inputs of the network, and possibly weights
    WEIGHTS = "weights"  # learned weights, but not inputs
    CONSTANTS = "constants"


class Op(Advice, BaseModel):
    """Base of all primitive ops. Subclasses are frozen data; there is no other list of them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, defer_build=True
    )

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Minimum and maximum number of inputs; None for no limit. A tuple as input is unpacked."""
    examples: ClassVar[tuple[Example, ...]] = ()
    weight_layers: ClassVar[int] = 0
    """How many times it multiplies its input by its own weights; see `depth`."""
    inner_layers: ClassVar[Mapping[str, str]] = {}
    """Sub-layers of PyTorch's module, by name, with the op of each: an `init` statement for that op
    applies to their weights too."""
    regions: ClassVar[tuple[str, ...]] = ()
    """Names of attributes that are layers; see `region_inputs`. They are not fields, and always
    come before the fields in positional order."""
    yields_region: ClassVar[str | None] = None
    """The region from whose outputs those of the op are computed, position by position."""
    positions: ClassVar[int | None] = None
    """How many of its attributes may be given by position; None for all. Those that do not change
    the architecture, and those with another position in PyTorch, are given by name only."""
    inferred: ClassVar[int | None] = None
    """The position of the number of input channels in PyTorch's constructor: 0 in
    `nn.Conv2d(3, 64, 3)`, 1 in `nn.GroupNorm(32, 64)`. It is never written here, and diagnostics
    use the position to recognise the mistake."""
    variadic: ClassVar[str | None] = None
    """A field that collects all positional arguments: `expand(B, 1)` gives sizes=(B, 1). A single
    argument that is a list is used as the whole: `reshape([B, -1])` is `reshape(B, -1)`."""
    open_attributes: ClassVar[str | None] = None
    """A field that collects the keywords that are not fields, as pairs of name and value in the
    order written: `rearrange("b (h p) -> b h p", p=2)` gives axes=(("p", 2),)."""
    pointwise: ClassVar[bool] = False
    """Whether a position of the result sees one position of each input, and neighbours neighbours,
    along the spatial axes, from axis 2 on; an op without spatial axes is pointwise too."""
    shape_rule: ClassVar[ShapeRule | None] = None
    """The shape rule, if several ops share it; an op with its own rule defines `infer`."""
    written_as: ClassVar[str] = ""
    """The word of the statement that makes it, if that is not its name: `param`. Shown instead."""
    output_names: ClassVar[tuple[str, ...]] = ()  # what several outputs are called in messages
    transparent: ClassVar[bool] = False
    """True for `identity`: it creates no node, but uses a number in a numbered scope."""

    _absent = field_validator("*", mode="before")(classmethod(without_value))

    def __eq__(self, other: object) -> bool:
        """Same op and same attributes; 1, 1.0 and true differ because their element types do."""
        if type(self) is not type(other):
            return False
        mine, their = tuple(vars(self).values()), tuple(vars(other).values())
        return mine == their and _kinds(mine) == _kinds(their)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def derived(self, **attributes: object) -> Self:
        """The op with other attributes. Raises pydantic's ValidationError as a new op does."""
        return type(self)(**{**dict(self), **attributes})

    def infer(self, check: Check, *inputs: TensorType) -> TensorType | tuple[TensorType, ...]:
        """Types of the outputs. Raises OpError if the inputs are invalid."""
        rule = type(self).shape_rule
        if rule is None:
            raise NotImplementedError
        return rule(self, check, inputs)

    def in_inference(self) -> Op:
        """The op as it is in inference, for a frozen layer.

        An op with fields that apply to training only returns one without that behaviour.
        """
        return self

    def vanishes(self, *inputs: TensorType) -> bool:
        """Whether it returns these inputs unchanged, so that it creates no node.

        `identity` always does; a `join`, `add` or `concat` of one input does.
        """
        return self.transparent

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        """For an input of this rank, the axis of the input for each axis of the output.

        None for an op that does more in inference than reorder axes.
        """
        outside_training = self.in_inference()
        return None if type(outside_training) is type(self) else outside_training.permutation(rank)

    def channel_layout(self, axis: int, *inputs: TensorType) -> ChannelLayout | None:
        """Where the channels of an axis (from 0) are, for an op that commutes with affine maps.

        None for an op that does not, in inference. An op that only reorders axes does.
        """
        order = self.permutation(inputs[0].rank) if len(inputs) == 1 else None
        return ChannelLayout(order.index(axis)) if order is not None else None

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        """The affine map of each channel that the op computes in inference, if it does.

        This is the case for a norm with running averages, or a product with a number.
        """
        return None

    def linear_layer(self, *inputs: TensorType) -> LinearLayer | None:
        """The op as a linear layer with one input and its own weight, if it is one."""
        return None

    def with_bias(self) -> Op | None:
        """The same layer with a bias, for a `linear_layer` without; None if it cannot have one."""
        return self.derived(bias=True) if "bias" in type(self).model_fields else None

    # Properties, not class variables: pydantic evaluates the annotations of class variables for
    # each op that is imported, which would slow down the start.

    @property
    def stochastic(self) -> bool:
        """Whether it is random in training."""
        return False

    @property
    def idempotent(self) -> bool:
        """Whether applying it twice is the same as applying it once, in inference."""
        return False

    @property
    def shape_only(self) -> tuple[int, ...]:
        """The positions of the inputs of which it uses only the shape, not the values."""
        return ()

    @property
    def arithmetic(self) -> Arithmetic:
        """Which arithmetic operation on several broadcast inputs it is, if it is one."""
        return ""

    @property
    def yields_parameter(self) -> str | None:
        """The name of a parameter that it owns and yields unchanged, for an op without inputs."""
        return None

    def kept_mean(self) -> KeptMean | None:
        """Which of its inputs it drops in training, if it is the mean of the others."""
        return None

    def skipped(self) -> Skipped | None:
        """The probability with which it drops its input for a whole batch, in training."""
        return None

    def region_inputs(self, region: str, inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        """Types of the inputs to which the region's layer is applied."""
        raise NotImplementedError

    def infer_regions(
        self,
        check: Check,
        inputs: tuple[TensorType, ...],
        regions: Mapping[str, tuple[TensorType, ...]],
    ) -> TensorType | tuple[TensorType, ...]:
        """Like `infer`, for ops with regions: `regions` has the output types of each region."""
        return self.infer(check, *inputs)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        """Tensors that an instance owns, in the order of `state_dict`."""
        return ()

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        """Multiply-accumulates of convolutions and matrix products; nothing else counts."""
        return ZERO

    def depth(self, inputs: tuple[Made, ...]) -> int:
        """What it adds to the depth of a path: the number of weight layers on the path through it.

        A weight layer is a sum of products of data and learned weights: a convolution, a linear
        layer, each layer of a recurrent network (once, not at each step), or a matrix product
        with weights alone. `inputs` gives what each input depends on.
        """
        return self.weight_layers

    def region_runs(self, region: str, inputs: tuple[TensorType, ...]) -> DimLike | None:
        """How many times the region runs in one forward pass; None if that is unknown."""
        return 1

    def region_states(self, region: str, inputs: int, outputs: int) -> Mapping[int, int]:
        """For each input that carries state from one step to the next, the output it comes from.

        `inputs` and `outputs` are the numbers of inputs and outputs of the region. In the first
        step, such an input is the input of the op at the same position.
        """
        return {}

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        """What a position of the result sees of the inputs, along their spatial axes.

        An op sets `pointwise` or defines this; the receptive field of others is unknown.
        """
        return "pointwise" if self.pointwise else "unknown"


def _kinds(value: object) -> object:
    return tuple(map(_kinds, value)) if isinstance(value, tuple) else type(value)
