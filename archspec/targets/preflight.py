"""Checks before anything is built: names that targets reserve, networks that they refuse.

Nothing here imports the libraries that targets build with.
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
    """Whether a target bundled with archspec reserves this name.

    Other targets are not consulted, so names of weights do not depend on installed packages.
    """
    return any(target.keeps(name) for target in bundled())


def foreseen(compiled: Compiled) -> tuple[Diagnostic, ...]:
    """The reasons why `build` would fail for one of the installed targets, as warnings."""
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
