"""What a primitive op is: one class with its attributes, shape rule, parameters and cost.

Fields are the attributes, in positional order, checked by pydantic (strictly: no `2.0` or `true`
where an int is asked). `infer` is pure. A field that may hold a free dimension is declared
`int | Dim`; one that may be a symbol while a signature is checked is declared as
`archspec.ops.symbols` says; all others get numbers only. Sequences arrive as tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from archspec.frozen import frozen
from archspec.ops.passage import Passage
from archspec.types.condition import TRUE, Condition, at_least, equal
from archspec.types.dim import ZERO, Dim, DimLike
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import DType, TensorType

if TYPE_CHECKING:  # few passes ask for these, and making their classes takes time
    from archspec.ops.channels import ChannelMap, LinearLayer
    from archspec.ops.dropping import KeptMean, Skipped


class OpError(Exception):
    """The op cannot take these inputs or attributes.

    `attribute` names the argument at fault, `input` the index of the input at fault, `fix` says
    what to do in a few words. The elaborator adds spans and the types of all inputs.
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
    """A condition on sizes under which the op runs, and in one clause why.

    `chosen` says that the spec itself set this limit, by an axis of fixed size that is read as far
    as needed or by a `where`: it may leave finitely many sizes. Where other needs leave finitely
    many, they agree by accident.
    """

    condition: Condition
    reason: str
    training_only: bool = False
    chosen: bool = False


@dataclass
class Check:
    """Collects what an op needs of the sizes; the elaborator decides it.

    While a signature is checked it is `symbolic`: a size that must be a number may be a symbol.
    """

    needs: list[Need] = field(default_factory=list)
    symbolic: bool = False

    def is_number(self, size: Dim) -> bool:
        """Whether a size is a number, or the symbol of one."""
        return self.symbolic or size.constant is not None

    def require(
        self,
        condition: Condition,
        reason: str,
        *,
        training_only: bool = False,
        chosen: bool = False,
    ) -> None:
        """State a need. `reason` reads after "because": "`add` needs equal dims on axis 2"."""
        if condition == TRUE:
            return
        self.needs.append(Need(condition, reason, training_only, chosen))

    def require_room(self, room: Dim, reason: str, *, of: Dim | None) -> None:
        """State that what an attribute asks for leaves `room`, which is not negative.

        `of` is the axis that it asks positions of, None where it asks for a size by itself. An axis
        of fixed size, and a size that stands for itself, are limits that the spec sets.
        """
        self.require(at_least(room, 0), reason, chosen=of is None or of.constant is not None)

    def require_equal(self, left: DimLike, right: DimLike, reason: str) -> None:
        """State that two dimensions are the same."""
        self.require(equal(left, right), reason)


@frozen
class Parameter:
    """A tensor that an instance owns. `learnable` is False for buffers.

    Where a parametrisation computes the weight of a layer, `stands_for` is the name of the weight,
    `weight`, on the tensor whose first values are those of the weight.
    """

    name: str
    shape: tuple[int, ...]
    initialiser: Initialiser | None = None
    dtype: DType = DType.F32
    learnable: bool = True
    persistent: bool = True
    stands_for: str = ""


@frozen
class Window:
    """What one output position sees along one axis: `kernel` (dilation counted in) and `stride`.

    For a transposed convolution `stride` is a fraction, given as `(1, factor)` in `scale`.
    """

    kernel: int
    stride: int = 1
    scale: int = 1


Arithmetic: TypeAlias = Literal["sum", "difference", "product", "quotient", ""]

Seen: TypeAlias = tuple[Window, ...] | Literal["pointwise", "all", "unknown"]
"""A window for each spatial axis; "all" for up to everything; "unknown" where axes are mixed or
exchanged, so that windows cannot say it."""


@frozen
class Example:
    """Attributes and input types that the op takes, for tests and documentation."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("f32[2, 8, 16, 16]",)
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For ops that take layers: the types that each layer yields."""

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """The inputs as types."""
        return tuple(type_of_text(text) for text in self.inputs)

    @property
    def region_types(self) -> dict[str, tuple[TensorType, ...]]:
        """What the layers yield, as types."""
        return {
            name: tuple(type_of_text(text) for text in texts)
            for name, texts in self.regions.items()
        }


def type_of_text(text: str) -> TensorType:
    """The type written as `f32[2, 8, H]`: numbers and bare symbols only."""
    dtype, _, rest = text.partition("[")
    sizes = [size.strip() for size in rest.rstrip("] ").split(",") if size.strip()]
    shape = (Dim.constant_of(int(s)) if s.isdecimal() else Dim.symbol(s) for s in sizes)
    return TensorType(DType(dtype.strip()), tuple(shape))


ShapeRule: TypeAlias = Callable[[Any, Check, tuple[TensorType, ...]], TensorType]
"""The type of the output, from the op, what it needs of sizes, and its inputs."""


class Made(Enum):
    """What a value is made of."""

    DATA = "data"  # inputs of the network, perhaps with weights
    WEIGHTS = "weights"  # learnt weights, and nothing of the inputs
    CONSTANTS = "constants"


def product_depth(inputs: tuple[Made, ...]) -> int:
    """Depth of a product: 1 where data meets what is made of learnt weights alone."""
    return int(Made.DATA in inputs and Made.WEIGHTS in inputs)


class Op(BaseModel):
    """Base of all primitive ops. Subclasses are frozen data; nothing else lists them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, defer_build=True
    )

    name: ClassVar[str] = ""
    """Its name in the language and the default name of its instances."""
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Least and greatest number of inputs; None for no limit. A tuple as input is spread."""
    category: ClassVar[str] = "other"
    """Kind of op, for colours and docs: convolution, linear, normalisation, activation, pooling,
    merge, arithmetic, reduction, shape, indexing, attention, embedding, resampling, random,
    source, recurrent, signal, control."""
    examples: ClassVar[tuple[Example, ...]] = ()
    weight_layers: ClassVar[int] = 0
    """How often it multiplies what flows with weights of its own; see `depth`."""
    inner_layers: ClassVar[Mapping[str, str]] = {}
    """Layers that torch's module has inside, by name, with the op that each is: what `init` says
    of that op holds for their weights too."""
    regions: ClassVar[tuple[str, ...]] = ()
    """Names of attributes that are layers; see `region_inputs`. They are no fields, and stand
    before the fields in positional order, always."""
    yields_region: ClassVar[str | None] = None
    """The region whose outputs those of the op are made of, each of the one in its place."""
    positions: ClassVar[int | None] = None
    """How many of its attributes may be given by position, the others by name only; None for all.
    By name go those that are no architecture (`eps`, `momentum`, `affine`), and those that torch
    has in another place."""
    inferred: ClassVar[int | None] = None
    """Where torch's constructor takes the number of channels that come in, which is never written
    here: 0 in `nn.Conv2d(3, 64, 3)`, 1 in `nn.GroupNorm(32, 64)`. So a mistake can be named."""
    variadic: ClassVar[str | None] = None
    """A field that takes all positional arguments: `expand(B, 1)` gives sizes=(B, 1). A single
    argument that is a list is taken as the whole: `reshape([B, -1])` is `reshape(B, -1)`."""
    open_attributes: ClassVar[str | None] = None
    """A field that takes the keywords which are no fields, as pairs of name and value in the
    order written: `rearrange("b (h p) -> b h p", p=2)` gives axes=(("p", 2),)."""
    pointwise: ClassVar[bool] = False
    """Whether a position of the result sees one position of each input, and neighbours see
    neighbours. Positions are those along the spatial axes, from axis 2 on; what has none is
    pointwise too."""
    shape_rule: ClassVar[ShapeRule | None] = None
    """The shape rule, where several ops have the same; an op with a rule of its own defines
    `infer`."""
    transparent: ClassVar[bool] = False
    """True for `identity`: leaves no node, though it takes a number in a numbered scope."""

    def __eq__(self, other: object) -> bool:
        """Same op, same attributes; 1, 1.0 and true differ, for their element types do."""
        if type(self) is not type(other):
            return False
        mine, others = tuple(vars(self).values()), tuple(vars(other).values())
        return mine == others and _kinds(mine) == _kinds(others)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def derived(self, **attributes: object) -> Self:
        """The op with other attributes. Raises pydantic's ValidationError as a new op does."""
        return type(self)(**{**dict(self), **attributes})

    def infer(self, check: Check, *inputs: TensorType) -> TensorType | tuple[TensorType, ...]:
        """Types of the outputs. Raises OpError where none exist."""
        rule = type(self).shape_rule
        if rule is None:
            raise NotImplementedError
        return rule(self, check, inputs)

    def in_inference(self) -> Op:
        """The op as it is outside training, for a layer that is frozen.

        An op whose fields say what happens in training only gives one in which nothing does.
        """
        return self

    def vanishes(self, *inputs: TensorType) -> bool:
        """Whether it hands on these inputs as they are, so that it leaves no node.

        `identity` always does; a `join`, `add` or `concat` of one input does.
        """
        return self.transparent

    def permutation(self, rank: int) -> tuple[int, ...] | None:
        """For an input of this rank, which of its axes stands in each place of the output.

        None for an op that does more in inference than put axes in another order.
        """
        outside_training = self.in_inference()
        return None if type(outside_training) is type(self) else outside_training.permutation(rank)

    def passage(self, axis: int, *inputs: TensorType) -> Passage | None:
        """Where the channels of an axis (from 0) go, for an op that passes on affine maps of them.

        None for an op that does not, in inference. What reorders axes only does.
        """
        order = self.permutation(inputs[0].rank) if len(inputs) == 1 else None
        return Passage(order.index(axis)) if order is not None else None

    def affine_per_channel(self, *inputs: TensorType) -> ChannelMap | None:
        """The affine map of single channels that it is in inference, if it is one.

        That of a norm with running averages, or of a product with a number.
        """
        return None

    def linear_layer(self, *inputs: TensorType) -> LinearLayer | None:
        """How it is linear in its only input, for a layer with a weight of its own."""
        return None

    def with_bias(self) -> Op | None:
        """The same layer with a bias, for a `linear_layer` without; None where it takes none."""
        return self.derived(bias=True) if "bias" in type(self).model_fields else None

    # Properties, not class variables: pydantic evaluates the annotations of these for each op
    # that is imported, which a start would notice.

    @property
    def stochastic(self) -> bool:
        """Whether it draws at random in training."""
        return False

    @property
    def idempotent(self) -> bool:
        """Whether applied to what it yields it yields the same again, in inference."""
        return False

    @property
    def arithmetic(self) -> Arithmetic:
        """What it is of several inputs, which are broadcast: sum or product of all, or of two."""
        return ""

    @property
    def yields_parameter(self) -> str | None:
        """The name of a parameter that it owns and yields as it is, for an op without inputs."""
        return None

    def kept_mean(self) -> KeptMean | None:
        """Which of its inputs it drops in training, where it is the mean of the others."""
        return None

    def skipped(self) -> Skipped | None:
        """With which probability it drops its input for a whole batch, in training."""
        return None

    def region_inputs(self, region: str, inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        """Types that the region's layer is applied to."""
        raise NotImplementedError

    def infer_regions(
        self,
        check: Check,
        inputs: tuple[TensorType, ...],
        regions: Mapping[str, tuple[TensorType, ...]],
    ) -> TensorType | tuple[TensorType, ...]:
        """Like `infer`, for ops with regions: `regions` has the types each region yields."""
        return self.infer(check, *inputs)

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        """Tensors that an instance owns, in the order of `state_dict`."""
        return ()

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        """Multiply-accumulates of convolutions and matrix products; nothing else counts."""
        return ZERO

    def depth(self, inputs: tuple[Made, ...]) -> int:
        """What it adds to the depth of a path: the weight layers that a value passes in it.

        A weight layer is a sum of products of data with learnt weights: a convolution, a linear
        layer, each layer of a recurrent network (once, not at each step), or a matrix product
        with weights alone. `inputs` says what each input is made of.
        """
        return self.weight_layers

    def region_runs(self, region: str, inputs: tuple[TensorType, ...]) -> DimLike | None:
        """How often the region runs in one forward pass; None when that is not known."""
        return 1

    def region_states(self, region: str, inputs: int, outputs: int) -> Mapping[int, int]:
        """For inputs that the next step takes from this one, the output that it takes.

        `inputs` and `outputs` are how many the region has. For the first step, such an input is
        that of the op in the same place.
        """
        return {}

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        """What a position of the result sees of the inputs, along their spatial axes.

        An op says `pointwise` or defines this; nobody knows what others see.
        """
        return "pointwise" if self.pointwise else "unknown"


def _kinds(value: object) -> object:
    return tuple(map(_kinds, value)) if isinstance(value, tuple) else type(value)


def fixed(size: Dim, what: str, *, fix: str | None = None, code: str = "E0403") -> int:
    """The number that `size` is. Raises OpError naming `what` when it depends on a free dim."""
    if size.constant is None:
        raise OpError(f"{what} must be a fixed number, but it is `{size}`", code=code, fix=fix)
    return size.constant
