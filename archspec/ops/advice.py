"""What messages say of an op besides its attributes and shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from archspec.frozen import frozen
from archspec.types.tensor import TensorType


class Advice:
    """Base of ops with what diagnostics say of them. An op overrides what applies to it."""

    name: ClassVar[str] = ""
    """Its name in the language and the default name of its instances."""

    def doubt(self, use: Application) -> Doubt | None:
        """Why this application is valid, but rarely meant; None for the usual case."""
        return None


@frozen
class Application:
    """An op at its place: the types of its inputs, the ops that compute them, and what is written.

    A source is None for an input of the network and wherever the op is not known. `explicit` has
    the names of the attributes that the spec gives.
    """

    inputs: tuple[TensorType, ...]
    source: Callable[[int], Advice | None]
    explicit: frozenset[str]


@frozen
class Doubt:
    """Why an application is doubtful, and what is probably meant, each as one clause."""

    message: str
    fix: str
