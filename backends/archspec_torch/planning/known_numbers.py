"""The names of a body that have a number."""

from __future__ import annotations

from typing import Any

from archspec.graph.model import Graph
from archspec.types.dim import Dim


def known_numbers(graph: Graph) -> dict[str, Any]:
    """Names of the body with their numbers; lists are included."""
    names = {name: number(value) for name, value in graph.names.items()}
    found = {**_unnamed(graph), **graph.arguments, **names}
    return {name: value for name, value in found.items() if value is not None}


def counts(graph: Graph) -> frozenset[int]:
    """The values of the names that are numbers of iterations in the body, and nothing else."""
    names = (name for name, kind in graph.decisive().items() if kind == "count")
    values = map(known_numbers(graph).get, names)
    return frozenset(value for value in values if type(value) is int)


def _unnamed(graph: Graph) -> dict[str, int | None]:
    """Sizes of inputs by position, for those without a name."""
    return {
        place(at, axis): size.constant
        for at, kind in enumerate(graph.input_types)
        for axis, size in enumerate(kind.shape)
    }


def place(at: int, axis: int) -> str:
    """The name of a size by its position among the inputs."""
    return f"{at}:{axis}"


def number(value: Any) -> Any:
    """A constant size as an integer; other values as they are."""
    return value.constant if isinstance(value, Dim) else value
