"""torch's errors for too little memory. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise MemoryError if torch has too little memory.

    torch raises a RuntimeError, which differs from others only in its text.
    """
    try:
        yield
    except RuntimeError as fault:
        if "allocate memory" not in str(fault):
            raise
        raise MemoryError(str(fault)) from fault
