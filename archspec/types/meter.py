"""The cost of reasoning about sizes, counted in steps instead of time, so results do not vary.

Code that reasons about sizes charges its steps to the active meter. A meter with a limit refuses
steps beyond it. A cached result charges the steps of its first computation, so an outcome never
depends on earlier queries. One step is about five microseconds.
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
    """An exact answer takes more work than its budget; the message names the work."""


class Meter:
    """Counts steps up to a limit."""

    __slots__ = ("limit", "steps")

    def __init__(self, limit: int = ENDLESS) -> None:
        self.limit = limit
        self.steps = 0

    @property
    def left(self) -> int:
        """The number of remaining steps."""
        return self.limit - self.steps

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`; its steps count on this meter, not on the outer one.

        Raises BudgetExceeded when they exceed the limit.
        """
        before, _open.meter = _open.meter, self
        try:
            return work()
        finally:
            _open.meter = before


class _Open(local):
    """The active meter of each thread."""

    def __init__(self) -> None:
        self.meter = Meter()


_open = _Open()


def charge(steps: int, what: str = "reasoning about sizes") -> None:
    """Count steps in advance. Raises BudgetExceeded with `what` in its message at the limit."""
    meter = _open.meter
    meter.steps += steps
    if meter.steps > meter.limit:
        raise BudgetExceeded(f"{what} takes more work than the budget allows")


def left() -> int:
    """The number of steps left on the active meter."""
    return _open.meter.left


def within(limit: int, work: Callable[[], T]) -> T | None:
    """Return the result of `work`, or None if it takes more than `limit` steps.

    Raises BudgetExceeded when fewer than `limit` steps are left and they do not suffice.
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
    """Cache up to `size` results; every hit charges the steps of the first computation."""

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
            before = meter.steps  # a hit over the limit is recomputed, to fail at the same step
            result = function(*args, **kwargs)
            if len(memo) >= size:
                memo.clear()
            memo[args] = (result, meter.steps - before)
            return result

        return recall

    return remembering
