"""Stack space for deep recursion: nested expansions use Python's call stack."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FRAMES = 40_000
"""Maximum depth of Python calls; the budget's limit on nested expansions is reached first."""

STACK_SIZE = 2**17
"""Slots of 8 bytes on Python's stack that are allocated at once."""


def deeply(action: Callable[[], T]) -> T:
    """Run an action that recurses deeply, with a raised recursion limit."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        return _with_large_stack(action)
    finally:
        sys.setrecursionlimit(before)


def _with_large_stack(action: Callable[[], T]) -> T:
    return action()


# CPython allocates its call stack in chunks of 16 kB and frees each when it is left. A recursion
# that repeatedly crosses the end of a chunk allocates it again and again, which took a tenth of the
# time of a compilation. A frame that needs 1 MB gets a chunk of 2 MB, whose other half serves all
# calls inside. Memory that is not touched costs nothing.
_with_large_stack.__code__ = _with_large_stack.__code__.replace(co_stacksize=STACK_SIZE)
