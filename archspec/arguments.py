"""Validates arguments of the Python API: whole numbers, names, targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Literal


def whole(what: str, number: object) -> int:
    """A whole number, as an int. Raises TypeError for anything else, such as 2.0."""
    if isinstance(number, Integral) and not isinstance(number, bool):
        return int(number)
    raise TypeError(f"{what} must be a whole number, not {number!r}")


def requested(
    targets: str | Sequence[str] | Mapping[str, Mapping[str, object]],
) -> Mapping[str, Mapping[str, object]]:
    """The options of each target. Raises TypeError for a wrong type of names or options."""
    listed = names("targets", targets)
    if not isinstance(targets, Mapping):
        return {name: {} for name in listed}
    for name, options in targets.items():
        if not isinstance(options, Mapping):
            raise TypeError(f"the options of {name} must be a mapping, not {options!r}")
    return targets


def direction_of(given: object) -> Literal["TB", "LR"]:
    """The direction of data flow in a drawing. Raises ValueError for anything but TB and LR."""
    if given == "TB" or given == "LR":
        return given
    raise ValueError(f'direction must be "TB" or "LR", not {given!r}')


def names(what: str, given: str | Iterable[str]) -> tuple[str, ...]:
    """One or several names, as a tuple. Raises TypeError for anything else."""
    listed = (given,) if isinstance(given, str | bytes) else given
    if not isinstance(listed, Iterable) or not all(isinstance(item, str) for item in listed):
        raise TypeError(f"{what} must be a name or a sequence of names, not {given!r}")
    return tuple(listed)


def levels(depth: int | None) -> int | None:
    """The number of levels of blocks, None for all.

    Raises TypeError for anything but a whole number, ValueError for a negative one.
    """
    if depth is None or whole("depth", depth) >= 0:
        return depth
    raise ValueError(f"depth must be 0 or more, or None for everything, not {depth}")
