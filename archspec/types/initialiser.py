"""Initialisers of parameters, as in `torch.nn.init`, as data that a backend executes."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

FanMode: TypeAlias = Literal["fan_in", "fan_out"]


class Initialiser(BaseModel):
    """How a parameter is initialised. `name` is the initialiser's name in the language."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    name: ClassVar[str] = ""
    axes: ClassVar[tuple[int, int | None]] = (0, None)
    """Minimum and maximum number of axes of a tensor that it can fill; None: no maximum."""

    @property
    def is_particular(self) -> bool:
        """Whether it fills only tensors with certain numbers of axes."""
        return self.axes != (0, None)

    def shape_error(self, shape: tuple[int, ...]) -> str:
        """Why it cannot fill a tensor of this shape, or ""."""
        least, most = self.axes
        if least <= len(shape) and (most is None or len(shape) <= most):
            return ""
        wanted = f"{least} axes" if most == least else f"{least} axes or more"
        if most is not None and most != least:
            wanted = f"{least} to {most} axes"
        return f"`{self.name}` fills tensors of {wanted}, but this one is {list(shape)}"


class Zeros(Initialiser):
    """All 0."""

    name: ClassVar[str] = "zeros"


class Ones(Initialiser):
    """All 1."""

    name: ClassVar[str] = "ones"


class Constant(Initialiser):
    """All the same value."""

    name: ClassVar[str] = "constant"
    value: float


class Normal(Initialiser):
    """Gaussian."""

    name: ClassVar[str] = "normal"
    std: NonNegativeFloat = 1.0
    mean: float = 0.0


class Uniform(Initialiser):
    """Uniform in [low, high]."""

    name: ClassVar[str] = "uniform"
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        _require_order(self.low, self.high)
        return self


class TruncatedNormal(Initialiser):
    """Gaussian, redrawn outside [low, high] (absolute bounds, as in torch)."""

    name: ClassVar[str] = "trunc_normal"
    std: PositiveFloat = 1.0
    mean: float = 0.0
    low: float = -2.0
    high: float = 2.0

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        _require_order(self.low, self.high)
        return self


def _require_order(low: float, high: float) -> None:
    if low > high:
        raise ValueError(f"the lower bound {low:g} is greater than the upper bound {high:g}")


class XavierUniform(Initialiser):
    """Glorot and Bengio 2010, uniform."""

    name: ClassVar[str] = "xavier_uniform"
    axes: ClassVar[tuple[int, int | None]] = (2, None)
    gain: float = 1.0


class XavierNormal(Initialiser):
    """Glorot and Bengio 2010, Gaussian."""

    name: ClassVar[str] = "xavier_normal"
    axes: ClassVar[tuple[int, int | None]] = (2, None)
    gain: float = 1.0


class KaimingUniform(Initialiser):
    """He et al. 2015, uniform; `slope` is the slope of the leaky ReLU that follows."""

    name: ClassVar[str] = "kaiming_uniform"
    axes: ClassVar[tuple[int, int | None]] = (2, None)
    mode: FanMode = "fan_in"
    nonlinearity: Literal["relu", "leaky_relu", "linear", "tanh", "sigmoid", "selu"] = "leaky_relu"
    slope: float = 0.0


class KaimingNormal(Initialiser):
    """He et al. 2015, Gaussian; `slope` is the slope of the leaky ReLU that follows."""

    name: ClassVar[str] = "kaiming_normal"
    axes: ClassVar[tuple[int, int | None]] = (2, None)
    mode: FanMode = "fan_in"
    nonlinearity: Literal["relu", "leaky_relu", "linear", "tanh", "sigmoid", "selu"] = "leaky_relu"
    slope: float = 0.0


class Orthogonal(Initialiser):
    """Saxe et al. 2013."""

    name: ClassVar[str] = "orthogonal"
    axes: ClassVar[tuple[int, int | None]] = (2, None)
    gain: float = 1.0


class Dirac(Initialiser):
    """The identity as a convolution kernel."""

    name: ClassVar[str] = "dirac"
    axes: ClassVar[tuple[int, int | None]] = (3, 5)
    groups: PositiveInt = 1

    def shape_error(self, shape: tuple[int, ...]) -> str:
        """Why it cannot fill a tensor of this shape, or ""."""
        fault = super().shape_error(shape)
        if not fault and shape[0] % self.groups:
            return f"`dirac` cannot divide {shape[0]} channels into {self.groups} groups"
        return fault


class Eye(Initialiser):
    """The identity matrix."""

    name: ClassVar[str] = "eye"
    axes: ClassVar[tuple[int, int | None]] = (2, 2)


class FanInUniform(Initialiser):
    """Uniform in +-1/sqrt(fan), torch's default for biases; `fan` is the weight's fan-in."""

    name: ClassVar[str] = "fan_in_uniform"
    fan: PositiveInt


class NormOf(Initialiser):
    """The norms of the parameter `of` over all axes but the first, kept as axes of size 1.

    The initial value of `weight_g` in weight normalisation (Salimans and Kingma 2016). Created by
    ops, not written in a spec.
    """

    name: ClassVar[str] = "norm_of"
    of: str


class SingularVectorsOf(Initialiser):
    """The singular vectors of the largest singular value of `of`, found by power iteration.

    The initial values of the buffers of spectral normalisation (Miyato et al. 2018). Created by
    ops, not written in a spec.
    """

    name: ClassVar[str] = "singular_vectors_of"
    of: str


INITIALISERS: dict[str, type[Initialiser]] = {
    kind.name: kind
    for kind in (
        Zeros,
        Ones,
        Constant,
        Normal,
        Uniform,
        TruncatedNormal,
        XavierUniform,
        XavierNormal,
        KaimingUniform,
        KaimingNormal,
        Orthogonal,
        Dirac,
        Eye,
        FanInUniform,
    )
}


@cache
def zeros() -> Zeros:
    """All 0: one shared object."""
    return Zeros()


@cache
def ones() -> Ones:
    """All 1: one shared object."""
    return Ones()


@cache
def fan_in_uniform(fan: int) -> FanInUniform:
    """Uniform in +-1/sqrt(fan): one shared object per `fan`."""
    return FanInUniform(fan=fan)
