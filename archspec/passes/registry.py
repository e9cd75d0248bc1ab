"""Discovery of passes by entry point: each installed package can provide some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from archspec import extensions
from archspec.passes.base import Pass

BUNDLED: Mapping[str, str] = {
    "extract": "archspec.passes.standard:EXTRACT",
    "flatten": "archspec.passes.standard:FLATTEN",
    "fold": "archspec.passes.standard:FOLD",
    "no_dropout": "archspec.passes.no_dropout:NO_DROPOUT",
    "prune": "archspec.passes.standard:PRUNE",
    "strip": "archspec.passes.standard:STRIP",
    "swap": "archspec.passes.swap:SWAP",
}
"""Passes of this package."""

KIND = extensions.Kind("pass", "archspec.passes", "E0910", BUNDLED, {}, Pass)


def available() -> tuple[str, ...]:
    """Names of all passes, sorted. Nothing is imported."""
    return extensions.available(KIND)


def pass_named(name: str) -> Pass:
    """The pass with a name.

    Raises CompileFailed (E0910) for a name that no package or more than one package provides, and
    if it cannot be imported or is not a pass.
    """
    return cast(Pass, extensions.load(KIND, name))
