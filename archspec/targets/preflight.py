"""What can be said before anything is built: names that targets keep, networks that they refuse.

Nothing here imports what a target builds with.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from archspec.analysis.buildable import require_buildable
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, Severity
from archspec.graph.compiled import Compiled
from archspec.targets.base import Backend
from archspec.targets.lowering import unlowered
from archspec.targets.registry import bundled, installed


@cache
def is_reserved(name: str) -> bool:
    """Whether a target that comes with archspec cannot have a part of this name.

    Others are not asked: names of weights do not depend on what is installed.
    """
    return any(target.keeps(name) for target in bundled())


def foreseen(compiled: Compiled) -> tuple[Diagnostic, ...]:
    """What `build` would refuse for one of the installed targets, as warnings."""
    try:
        with_weights = any(target.holds_weights for target in _installed())
        require_buildable(compiled, with_weights=with_weights)
    except CompileFailed as failure:
        found = list(failure.diagnostics)
    else:
        coverage = {target.name: target.coverage(compiled) for target in _installed()}
        found = list(unlowered(compiled, coverage))
        found += [fault for target in _installed() for fault in target.faults(compiled)]
    return tuple(replace(item, severity=Severity.WARNING) for item in dict.fromkeys(found))


@cache
def _installed() -> tuple[Backend, ...]:
    return tuple(installed())
