"""The form of a row of the table of mistakes."""

from __future__ import annotations

from collections.abc import Callable

from archspec.diagnostics.model import Edit
from archspec.frozen import frozen
from archspec.syntax.site import Repair, Site


@frozen
class Mistake:
    """A row. `message` and `fix` may use <word>, <before> (the token before), <meant> and <edit>.

    `edits` mends the text where no repair does; <edit> is what the first of them writes.
    """

    code: str
    when: Callable[[Site], bool]
    message: str
    example: str
    fix: str = ""
    repair: Repair | None = None
    points: tuple[int, int] = (0, 0)
    meant: Callable[[Site], str] | None = None
    edits: Callable[[Site], tuple[Edit, ...]] | None = None


def insert(*types: str) -> Repair:
    """Read on as if these stood in front."""
    return Repair(types)


def replace(*types: str) -> Repair:
    """Read on as if these stood instead."""
    return Repair(types, replace=True)


DROP = Repair((), replace=True)
BEFORE = (-1, -1)
_WITHBEFORE = (-1, 0)
