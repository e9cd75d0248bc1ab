"""Processor time of a piece of work, apart from what other tests left in memory."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Require that the work takes less than this much processor time.

    The garbage collector is off: in a process that ran thousands of tests, its passes over their
    objects take several times as long as the work.
    """
    was_on = gc.isenabled()
    gc.disable()
    start = time.process_time()
    try:
        yield
        taken = time.process_time() - start
    finally:
        if was_on:
            gc.enable()
    assert taken < seconds
