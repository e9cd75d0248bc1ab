"""Finding passes by entry point: each installed package may bring some."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.passes.base import Pass

GROUP = "archspec.passes"
"""Entry-point group; the name of a point is the name of the pass, its value the object."""

BUNDLED: Mapping[str, str] = {
    "extract": "archspec.passes.standard:EXTRACT",
    "fold": "archspec.passes.standard:FOLD",
    "no_dropout": "archspec.passes.no_dropout:NO_DROPOUT",
    "prune": "archspec.passes.standard:PRUNE",
    "strip": "archspec.passes.standard:STRIP",
    "swap": "archspec.passes.swap:SWAP",
}
"""Passes of this package."""


def available() -> tuple[str, ...]:
    """Names of all passes, sorted. Nothing is imported."""
    return tuple(sorted({*BUNDLED, *(point.name for point in entry_points(group=GROUP))}))


def pass_named(name: str) -> Pass:
    """The pass of a name.

    Raises CompileFailed (E0910) for a name that nobody provides or that two packages provide, and
    where it cannot be imported.
    """
    if name in BUNDLED:
        found: Pass = EntryPoint(name, BUNDLED[name], GROUP).load()
        return found
    points = {point.value: point for point in entry_points(group=GROUP, name=name)}
    if not points:
        raise _failed(f"there is no pass `{name}`; there are {_listed()}", _near(name))
    if len(points) > 1:
        places = " and ".join(sorted(points))
        raise _failed(f"two packages provide the pass `{name}`: {places}", "uninstall one of them")
    (point,) = points.values()
    try:
        loaded: Pass = point.load()
    except ImportError as error:
        hint = f"pip install the package that provides {point.value}"
        raise _failed(f"the pass `{name}` cannot be loaded: {error}", hint) from error
    return loaded


def _listed() -> str:
    return ", ".join(f"`{one}`" for one in available())


def _near(name: str) -> str | None:
    near = closest(name, available())
    return f"write `{near}`" if near else None


def _failed(message: str, fix: str | None) -> CompileFailed:
    return CompileFailed([diagnostic("E0910", message, fix=fix)])
