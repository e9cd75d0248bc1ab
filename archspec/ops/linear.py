"""Linear maps over the last axis, with their own weights or with data as weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from archspec.ops.advice import Application, Doubt
from archspec.ops.base import Check, Example, Op, OpError, Parameter, Seen
from archspec.ops.broadcasting import require_equal_dims
from archspec.ops.shape_rules import float_input, free_names, index_input, mixed
from archspec.ops.symbols import Count, number
from archspec.ops.weights import Parametrization, bias_parameter, weight_parameters
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim
from archspec.types.initialiser import Initialiser, TruncatedNormal, Zeros
from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.ops.channels import LinearLayer


class Linear(Op):
    """Affine map over the last axis, `y = x @ weight.T + bias`, as `torch.nn.Linear`.

    The other axes are unchanged; the size of the last one must be a fixed number, because the shape
    of the weight depends on it.

    width: size of the last axis of the result.
    bias: whether a bias is added.
    weight_init, bias_init: initialisers; by default those of PyTorch.
    parametrization: `weight_norm` splits the weight into `weight_g` and `weight_v`
        (Salimans and Kingma 2016); `spectral_norm` divides it by its largest singular value,
        which is updated by one step of power iteration in each forward pass of training (Miyato
        et al. 2018), as `torch.nn.utils.parametrizations.spectral_norm` does.
    """

    name: ClassVar[str] = "linear"
    category: ClassVar[str] = "linear"
    positions: ClassVar[int | None] = 1
    inferred: ClassVar[int | None] = 0
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"width": 10}, ("f32[2, 8]",)),
        Example({"width": 10, "bias": False}, ("f32[2, 5, 8]",)),
        Example(
            {"width": 10, "weight_init": TruncatedNormal(std=0.02), "bias_init": Zeros()},
            ("f32[2, 4, 4, 8]",),
        ),
        Example({"width": 10, "parametrization": "weight_norm"}, ("f32[8]",)),
        Example({"width": 10, "parametrization": "spectral_norm"}, ("f32[8]",)),
    )

    width: Count
    bias: bool = True
    weight_init: Initialiser | None = None
    bias_init: Initialiser | None = None
    parametrization: Parametrization = "none"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x = float_input(self.name, inputs)
        if not (x.rank and check.is_number(x.shape[-1])):
            self._features(x)
        return x.with_shape(*x.shape[:-1], dim(self.width))

    def _features(self, x: TensorType) -> int:
        """The size of the last axis. Raises OpError if there is no axis, or no fixed size."""
        if not x.rank:
            raise OpError("`linear` takes an input with at least one axis, but it has none")
        size = x.shape[-1]
        if size.constant is not None:
            return size.constant
        free = free_names(size)
        fix = (
            f"give {free} a fixed size, or pool first: `global_avg_pool`, or "
            "`adaptive_avg_pool(n)` before `flatten`"
        )
        if x.rank > 2 and x.shape[1].constant is not None:
            fix = (
                "for a whole image pool first: `global_avg_pool`, or `adaptive_avg_pool(n)` before "
                f"`flatten`; for the channels at each position write `conv({self.width}, 1)`"
            )
        raise OpError(
            f"`linear` needs a last axis of fixed size, but that of `{x}` is `{size}`, "
            f"which depends on {free}",
            code="E0403",
            input=0,
            notes=("the weight has one column for each position of the last axis",),
            fix=fix,
        )

    def doubt(self, use: Application) -> Doubt | None:
        return self._after_reduction(use) or self._along_the_width(use)

    def _along_the_width(self, use: Application) -> Doubt | None:
        """A map of the width of an image, in a chain whose channels are on axis 1."""
        x, before = use.inputs[0], use.origin(0)
        if x.rank < 4 or before is None or before.channel_axis != "first":
            return None
        return Doubt(
            f"`linear` maps the last axis, which is the width of `{x}`; channels are on axis 1",
            f"for one vector write `flatten -> linear({self.width})`, for the channels at each "
            f"position `conv({self.width}, 1)`",
        )

    def _after_reduction(self, use: Application) -> Doubt | None:
        x, source = use.inputs[0], use.source(0)
        if source is None or getattr(source, "keepdim", False) is not True:
            return None
        if x.rank < 3 or any(size.constant != 1 for size in x.shape[2:]):
            return None
        return Doubt(
            f"`linear` maps the last axis, which has size 1 in `{x}`",
            f"remove `keepdim=true` of `{source.name}`",
        )

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        width = number(self.width)
        shape = (width, self._features(inputs[0]))
        weight = weight_parameters(shape, self.weight_init, self.parametrization)
        return (*weight, *bias_parameter(self.bias, width, shape, self.bias_init))

    def linear_layer(self, *inputs: TensorType) -> LinearLayer | None:
        from archspec.ops.channels import LinearLayer  # noqa: PLC0415  (start-up)

        if self.parametrization != "none":
            return None
        last = inputs[0].rank - 1
        return LinearLayer(last, last, number(self.width), self.bias, rows=())

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return inputs[0].elements * self.width

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


class Affine(Op):
    """`x @ weight.T + bias` with data as weights, as `torch.nn.functional.linear`.

    The inputs are (x, weight) or (x, weight, bias): x is [..., N], weight is [M, N], bias is [M];
    the result is [..., M]. This is for a weight that several layers share or that is computed.
    """

    name: ClassVar[str] = "affine"
    arity: ClassVar[tuple[int, int | None]] = (2, 3)
    category: ClassVar[str] = "linear"
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 5, 8]", "f32[10, 8]")),
        Example({}, ("f32[8]", "f32[10, 8]", "f32[10]")),
    )

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x, weight = float_input(self.name, inputs), float_input(self.name, inputs, 1)
        if not x.rank:
            raise OpError("`affine` takes an input with at least one axis, but it has none")
        if weight.rank != 2:
            raise OpError(f"`affine` takes a weight of rank 2, but it is `{weight}`", input=1)
        width, features = weight.shape
        turned = x.shape[-1] == width
        check.require_equal(
            x.shape[-1],
            features,
            "`affine` needs the last axes of input and weight to be equal",
            hint=f"the weight is [out, in], here `f32[{features}, {width}]`; one that is [in, out] "
            "is used by `(x, weight) -> matmul`"
            if turned
            else "",
        )
        if len(inputs) == 3:
            bias = float_input(self.name, inputs, 2)
            if bias.rank != 1:
                raise OpError(f"`affine` takes a bias of rank 1, but it is `{bias}`", input=2)
            check.require_equal(
                bias.shape[0], width, "`affine` needs a number of the bias per row of its weight"
            )
        return x.with_shape(*x.shape[:-1], width)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return inputs[0].elements * inputs[1].shape[0]

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


class RoutedAffine(Op):
    """`(x, route, weight) -> routed_affine`: applies one of several affine maps to each row.

    x is [..., N]; `route` is [...] and gives the index, from 0, of one of E maps for each row;
    weight is [E, M, N], and an optional bias is [E, M]. The result is [..., M]. Each map is
    computed only on the rows that are routed to it, so the MACs are those of one map per row,
    however many maps there are. The maps have no capacity limit: no row is dropped.

    This is for mixtures of experts (Shazeer et al. 2017, arXiv:1701.06538), for which x contains
    each token k times, once for each of its experts: see `std.experts`.
    """

    name: ClassVar[str] = "routed_affine"
    arity: ClassVar[tuple[int, int | None]] = (3, 4)
    category: ClassVar[str] = "linear"
    weight_layers: ClassVar[int] = 1
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ("f32[2, 5, 8]", "i64[2, 5]", "f32[9, 10, 8]")),
        Example({}, ("f32[6, 8]", "i32[6]", "f32[9, 4, 8]", "f32[9, 4]")),
    )

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        x, weight = float_input(self.name, inputs), float_input(self.name, inputs, 2)
        route = index_input(self.name, inputs, 1)
        if route.rank + 1 != x.rank:
            raise OpError(
                f"`routed_affine` needs a route for each row of {x.shape_text}, but got "
                f"{route.shape_text}",
                input=1,
            )
        for axis in range(route.rank):
            require_equal_dims(self.name, check, axis, x, route, 1)
        if weight.rank != 3:
            raise OpError(
                f"`routed_affine` takes a weight of rank 3, but it is `{weight}`", input=2
            )
        count, width, features = weight.shape
        check.require_equal(
            x.shape[-1],
            features,
            "`routed_affine` needs the last axes of input and weight to be equal",
        )
        if len(inputs) == 4:
            bias = float_input(self.name, inputs, 3)
            if bias.rank != 2:
                raise OpError(
                    f"`routed_affine` takes a bias of rank 2, but it is `{bias}`", input=3
                )
            for axis in range(2):
                require_equal_dims(self.name, check, axis, weight, bias, 3)
        check.require(at_least(count, 1), "`routed_affine` needs a map")
        return x.with_shape(*x.shape[:-1], width)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return inputs[0].elements * inputs[2].shape[1]

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        """Each row is mapped independently."""
        return mixed(inputs[:1])
