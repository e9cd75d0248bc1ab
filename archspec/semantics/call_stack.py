"""Room for deep recursion: nested expansions use Python's own stack of calls."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FRAMES = 40_000
"""Python calls inside one another; the budget's depth of expansions is reached long before."""

ROOM = 2**17
"""Places on Python's stack, of 8 bytes, that are taken at once."""


def deeply(action: Callable[[], T]) -> T:
    """Carry out what recurses deeply, with a raised limit of recursion."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        return _with_room(action)
    finally:
        sys.setrecursionlimit(before)


def _with_room(action: Callable[[], T]) -> T:
    return action()


# CPython takes its stack of calls from the system in pieces of 16 kB and gives each back when it is
# left, so that a recursion which goes to and fro over an edge asks for one again and again: a tenth
# of the time of a compilation. A frame that wants 1 MB makes a piece of 2, and its other half is
# there for all calls inside. Memory that is not touched costs nothing.
_with_room.__code__ = _with_room.__code__.replace(co_stacksize=ROOM)
