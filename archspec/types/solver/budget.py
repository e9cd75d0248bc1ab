"""The work that one question may take, counted and never timed, so that answers do not vary."""

from __future__ import annotations

BUDGET = 100_000
"""Units of work that one question may take; some ten microseconds each."""


class BudgetExceeded(Exception):
    """The work that an exact answer takes is above its budget; the message says which."""


class Budget:
    """Units of work that are left; one unit is some ten microseconds.

    `limit` is the whole budget. It also bounds each comparison that is lowered, whose result is
    remembered between questions and therefore cannot draw on what is left of one.
    """

    __slots__ = ("_spent", "left", "limit")

    def __init__(self, limit: int, left: int | None = None, spent: list[int] | None = None) -> None:
        self.limit = limit
        self.left = limit if left is None else left
        self._spent = [0] if spent is None else spent  # the same list for all shares of one budget

    @property
    def used(self) -> int:
        """Units of work done, that of shares included."""
        return self._spent[0]

    def spend(self, units: int, what: str) -> None:
        """Count work before it is done. Raises BudgetExceeded, saying `what` it would be."""
        self.left -= units
        if self.left < 0:
            raise BudgetExceeded(f"{what} is more work than the budget of {self.limit} allows")
        self._spent[0] += units

    def share(self, parts: int) -> Budget:
        """A budget of its own for a piece of the work, taken from this one."""
        given = self.left // parts
        self.left -= given
        return Budget(self.limit, given, self._spent)
