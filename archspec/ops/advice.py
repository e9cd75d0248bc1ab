"""What messages say of an op besides its attributes and shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias

from archspec.frozen import frozen
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType

ChannelAxis: TypeAlias = Literal["first", "last", ""]

_AXES_OF_CHANNELS: Mapping[str, ChannelAxis] = {
    "convolution": "first",
    "pooling": "first",
    "resampling": "first",
    "embedding": "last",
    "recurrent": "last",
}
"""Where ops of a category have the channels of their input and of their result."""


class Advice:
    """Base of ops with what diagnostics say of them. An op overrides what applies to it."""

    name: ClassVar[str] = ""
    """Its name in the language and the default name of its instances."""

    category: ClassVar[str] = "other"
    """Kind of op, for colours and docs, such as convolution, activation or merge."""

    @property
    def channel_axis(self) -> ChannelAxis:
        """Whether it has the channels on axis 1 or on the last axis; empty if on neither."""
        return _AXES_OF_CHANNELS.get(self.category, "")

    def doubt(self, use: Application) -> Doubt | None:
        """Why this application is valid, but rarely meant; None for the usual case."""
        return None

    def broadcast_target(self, *inputs: TensorType) -> tuple[int, tuple[Dim, ...]] | None:
        """The input that is broadcast to the shape that others make, by position, and that shape.

        None if the inputs are combined as by arithmetic, or not at all.
        """
        return None

    @property
    def over_sequence(self) -> str:
        """How a cell is written that runs over a whole sequence: `y, h = x -> gru(32)`.

        It is empty for an op that is not a step of a recurrence.
        """
        return ""

    @property
    def with_more_inputs(self) -> str | None:
        """What is written instead if it is given more inputs than it takes."""
        return None

    @classmethod
    def position_of_channels(cls, given: Sequence[object]) -> int | None:
        """Which of these positional attributes is probably the number of input channels.

        None if that is decided by the position in PyTorch's constructor.
        """
        return None

    @classmethod
    def instead_of(cls, attribute: str) -> str | None:
        """What is written instead of an attribute that the op does not have.

        The name is empty for one by position beyond the last.
        """
        return None

    @classmethod
    def padding_as_same(cls, kernel: int, stride: int) -> dict[str, int] | None:
        """The attributes that pad as `same` elsewhere, for one kernel and stride, or None."""
        return None

    @classmethod
    def in_unit_interval(cls) -> bool:
        """Whether its results are in [0, 1], so that `1 - p` is the complement of one."""
        return False


@frozen
class Application:
    """An op at its place: the types of its inputs, the ops that compute them, and what is written.

    A source is None for an input of the network and wherever the op is not known. An origin is the
    op before activations, norms and dropout. `explicit` has the names of the attributes that the
    spec gives.
    """

    inputs: tuple[TensorType, ...]
    source: Callable[[int], Advice | None]
    origin: Callable[[int], Advice | None]
    explicit: frozenset[str]


@frozen
class Doubt:
    """Why an application is doubtful, and what is probably meant, each as one clause."""

    message: str
    fix: str
