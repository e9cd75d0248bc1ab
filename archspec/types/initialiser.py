"""Initialisers of parameters, as in `torch.nn.init`: data that a backend carries out."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

FanMode: TypeAlias = Literal["fan_in", "fan_out"]


class Initialiser(BaseModel):
    """How the first value of a parameter is made. `name` is its name in the language."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    name: ClassVar[str] = ""


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
    std: float = 1.0
    mean: float = 0.0


class Uniform(Initialiser):
    """Uniform in [low, high]."""

    name: ClassVar[str] = "uniform"
    low: float = 0.0
    high: float = 1.0


class TruncatedNormal(Initialiser):
    """Gaussian, redrawn outside [low, high] (absolute bounds, as torch)."""

    name: ClassVar[str] = "trunc_normal"
    std: float = 1.0
    mean: float = 0.0
    low: float = -2.0
    high: float = 2.0


class XavierUniform(Initialiser):
    """Glorot and Bengio 2010, uniform."""

    name: ClassVar[str] = "xavier_uniform"
    gain: float = 1.0


class XavierNormal(Initialiser):
    """Glorot and Bengio 2010, Gaussian."""

    name: ClassVar[str] = "xavier_normal"
    gain: float = 1.0


class KaimingUniform(Initialiser):
    """He et al. 2015, uniform; `slope` is that of the leaky ReLU that follows."""

    name: ClassVar[str] = "kaiming_uniform"
    mode: FanMode = "fan_in"
    nonlinearity: Literal["relu", "leaky_relu", "linear", "tanh", "sigmoid", "selu"] = "leaky_relu"
    slope: float = 0.0


class KaimingNormal(Initialiser):
    """He et al. 2015, Gaussian; `slope` is that of the leaky ReLU that follows."""

    name: ClassVar[str] = "kaiming_normal"
    mode: FanMode = "fan_in"
    nonlinearity: Literal["relu", "leaky_relu", "linear", "tanh", "sigmoid", "selu"] = "leaky_relu"
    slope: float = 0.0


class Orthogonal(Initialiser):
    """Saxe et al. 2013."""

    name: ClassVar[str] = "orthogonal"
    gain: float = 1.0


class Dirac(Initialiser):
    """A convolution that starts as the identity."""

    name: ClassVar[str] = "dirac"
    groups: int = 1


class Eye(Initialiser):
    """The identity matrix."""

    name: ClassVar[str] = "eye"


class FanInUniform(Initialiser):
    """Uniform in +-1/sqrt(fan), torch's default for biases; `fan` is the weight's fan-in."""

    name: ClassVar[str] = "fan_in_uniform"
    fan: int


class NormOf(Initialiser):
    """The norms of the parameter `of` over all axes but the first, kept as axes of size 1.

    The first value of `weight_g` in weight normalisation (Salimans and Kingma 2016). Made by
    ops, not written in a spec.
    """

    name: ClassVar[str] = "norm_of"
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
