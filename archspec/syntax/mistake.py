"""The class of rows in the table of mistakes."""

from __future__ import annotations

from collections.abc import Callable

from archspec.diagnostics.model import Edit
from archspec.frozen import frozen
from archspec.syntax.site import Repair, Site


@frozen
class Mistake:
    """A row. `message` and `fix` may use <word>, <before> (the previous token), <meant>, <edit>.

    `edits` repairs the text if no repair does; <edit> is the text of the first. `points` are
    the tokens to point at, from the first to the last, relative to the one that does not fit.
    """

    code: str
    when: Callable[[Site], bool]
    message: str
    example: str
    fix: str = ""
    repair: Repair | Callable[[Site], Repair] | None = None
    points: tuple[int, int] | Callable[[Site], tuple[int, int]] = (0, 0)
    meant: Callable[[Site], str] | None = None
    edits: Callable[[Site], tuple[Edit, ...]] | None = None


def insert(*types: str) -> Repair:
    """Continue as if these tokens preceded the offending one."""
    return Repair(types)


def replace(*types: str) -> Repair:
    """Continue as if these tokens replaced the offending one."""
    return Repair(types, replace=True)


DROP = Repair((), replace=True)
BEFORE = (-1, -1)
_WITHBEFORE = (-1, 0)
