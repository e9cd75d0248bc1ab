"""Applications of ops that are valid, but rarely what was meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from archspec.frozen import frozen
from archspec.types.tensor import TensorType

if TYPE_CHECKING:
    from archspec.ops.base import Op


@frozen
class Application:
    """An op at its place: the types of its inputs, the ops that compute them, and what is written.

    A source is None for an input of the network and wherever the op is not known. `explicit` has
    the names of the attributes that the spec gives.
    """

    inputs: tuple[TensorType, ...]
    source: Callable[[int], Op | None]
    explicit: frozenset[str]


@frozen
class Doubt:
    """Why an application is doubtful, and what is probably meant, each as one clause."""

    message: str
    fix: str
