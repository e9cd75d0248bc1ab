"""Arithmetic on affine maps of single channels, without their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from archspec.passes.folding.steps import (
    IDENTITY,
    Chain,
    Change,
    Channelwise,
    Factor,
    Offset,
    Scale,
    Slope,
    Total,
)


def chained(first: Change, then: Change) -> Change:
    """One map after another."""
    parts: list[Change] = [*_links(first)]
    for part in _links(then):
        last = parts[-1] if parts else None
        if isinstance(part, Scale) and isinstance(last, Scale):
            parts[-1:] = _links(_scaled(last.number * part.number))
        else:
            parts.append(part)
    return parts[0] if len(parts) == 1 else Chain(tuple(parts))


def added(left: Change, right: Change) -> Change:
    """The sum of two maps of one input."""
    numbers = _number(left), _number(right)
    if numbers[0] is not None and numbers[1] is not None:
        return _scaled(numbers[0] + numbers[1])
    terms = (left.parts if isinstance(left, Total) else (left,)) + (
        right.parts if isinstance(right, Total) else (right,)
    )
    return Total(terms)


def slope(change: Change) -> Change:
    """The map without its bias."""
    return change if is_factor(change) else Slope(change)


def is_factor(change: Change) -> bool:
    """Whether nothing is added, so that zeros remain zeros."""
    match change:
        case Factor() | Scale() | Slope():
            return True
        case Channelwise():
            return change.shift is None
        case Chain(parts) | Total(parts):
            return all(map(is_factor, parts))
        case _:
            return False


def is_identity(change: Change) -> bool:
    """Whether it is the identity."""
    return change == IDENTITY


def leaves(change: Change) -> Iterator[Change]:
    """The maps that it consists of; an identity is one."""
    match change:
        case Chain(parts) | Total(parts) if parts:
            for part in parts:
                yield from leaves(part)
        case Slope(of):
            yield from leaves(of)
        case _:
            yield change


def is_longer(change: Change, count: int) -> bool:
    """Whether it consists of more than this number of maps."""
    return next(islice(leaves(change), count, None), None) is not None


def sources(change: Change) -> set[str]:
    """The norms and parameters from which its numbers come."""
    named = (Channelwise, Factor, Offset)
    return {leaf.owner for leaf in leaves(change) if isinstance(leaf, named)}


def _number(change: Change) -> float | None:
    """The number by which it multiplies, if it does nothing else."""
    if change == IDENTITY:
        return 1.0
    return change.number if isinstance(change, Scale) else None


def _scaled(number: float) -> Change:
    return Scale(number) if number != 1 else IDENTITY


def _links(change: Change) -> tuple[Change, ...]:
    return change.parts if isinstance(change, Chain) else (change,)
