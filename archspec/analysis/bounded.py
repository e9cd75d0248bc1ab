"""Analyses end soon: their work on symbolic sizes is counted, and refused beyond a budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.graph.compiled import Compiled
from archspec.types.atoms import OutsideFragment
from archspec.types.meter import BudgetExceeded, Meter

T = TypeVar("T")

STEPS = 150_000
"""Steps that the sizes of one report may take, some five microseconds each."""


def bounded(compiled: Compiled, work: Callable[[], T]) -> T:
    """The result of an analysis of a network.

    Raises CompileFailed (E0411) if its sums and products of sizes are not sizes, or too much work.
    """
    try:
        return Meter(STEPS).run(work)
    except (BudgetExceeded, OutsideFragment) as fault:
        reason = str(fault)
    message = f"the costs of `{compiled.name}` cannot be computed for symbolic sizes: {reason}"
    raise CompileFailed([diagnostic("E0411", message, compiled.inference.origin.span)])
