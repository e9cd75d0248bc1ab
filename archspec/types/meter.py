"""The work that questions about sizes take: counted in steps, never timed, so answers do not vary.

Whatever works on sizes charges its steps to the meter that is open. A meter with a limit refuses
the steps beyond it. What is remembered charges the steps that it took when it was found, so that an
outcome never depends on what was asked before. One step is some five microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from threading import local
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

ENDLESS = 1 << 62
"""The limit of a meter that only counts."""


class BudgetExceeded(Exception):
    """The work that an exact answer takes is above its budget; the message says which."""


class Meter:
    """Steps that were taken, and how many may be."""

    __slots__ = ("limit", "steps")

    def __init__(self, limit: int = ENDLESS) -> None:
        self.limit = limit
        self.steps = 0

    @property
    def left(self) -> int:
        """Steps that may still be taken."""
        return self.limit - self.steps

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns; its steps count here and not on the meter that was open before.

        Raises BudgetExceeded when they are more than the limit.
        """
        before, _open.meter = _open.meter, self
        try:
            return work()
        finally:
            _open.meter = before


class _Open(local):
    """The meter of each thread."""

    def __init__(self) -> None:
        self.meter = Meter()


_open = _Open()


def charge(steps: int, what: str = "reasoning about sizes") -> None:
    """Count steps before they are taken. Raises BudgetExceeded, saying `what` is too much."""
    meter = _open.meter
    meter.steps += steps
    if meter.steps > meter.limit:
        raise BudgetExceeded(f"{what} is more work than the budget allows")


def left() -> int:
    """Steps that the open meter has left."""
    return _open.meter.left


def within(limit: int, work: Callable[[], T]) -> T | None:
    """What a part of the work returns, or None where it takes more steps than `limit`.

    Raises BudgetExceeded when there are fewer left and these do not do.
    """
    outer = _open.meter
    meter = Meter(min(limit, outer.left))
    try:
        return meter.run(work)
    except BudgetExceeded:
        if meter.steps > meter.limit and limit > outer.left:
            raise
        return None
    finally:
        outer.steps += min(meter.steps, meter.limit)


def remembered(size: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A memo of so many results that charges the steps each took, whenever it is asked for."""

    def remembering(function: Callable[P, T]) -> Callable[P, T]:
        memo: dict[Hashable, tuple[T, int]] = {}

        @wraps(function)
        def recall(*args: P.args, **kwargs: P.kwargs) -> T:
            assert not kwargs, "arguments of what is remembered have no names"
            found = memo.get(args)
            meter = _open.meter
            if found is not None and found[1] <= meter.left:
                meter.steps += found[1]
                return found[0]
            before = meter.steps  # what does not fit is done again up to the step that is too much
            result = function(*args, **kwargs)
            if len(memo) >= size:
                memo.clear()
            memo[args] = (result, meter.steps - before)
            return result

        return recall

    return remembering
