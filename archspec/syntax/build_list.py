"""Productions to lists, from which other productions make nodes."""

from __future__ import annotations

from typing import Any


def nothing(_c: list[Any]) -> None:
    """An optional part that is absent."""


def empty(_c: list[Any]) -> list[Any]:
    """A list without items."""
    return []


def first(c: list[Any]) -> list[Any]:
    """A list of one item."""
    return [c[0]]


def pair(c: list[Any]) -> list[Any]:
    """A list of the two items around a sign."""
    return [c[0], c[2]]


def append(c: list[Any]) -> list[Any]:
    """A list with the item after a sign appended."""
    items: list[Any] = c[0]
    items.append(c[2])
    return items


def second(c: list[Any]) -> Any:
    """The item after a sign or word."""
    return c[1]
