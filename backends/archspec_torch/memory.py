"""What torch raises where there is too little memory. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise MemoryError where torch finds too little memory: it raises a RuntimeError that says so.

    Only its words tell that error from others.
    """
    try:
        yield
    except RuntimeError as fault:
        if "allocate memory" not in str(fault):
            raise
        raise MemoryError(str(fault)) from fault
