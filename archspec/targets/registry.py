"""Finding backends by entry point: each installed package may bring some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.targets.base import Backend, LiveBackend
from archspec.targets.weights import WeightStore

GROUP = "archspec.backends"
"""Entry-point group; the name of a point is the name of the target, its value the object."""

BUNDLED: Mapping[str, str] = {
    "torch": "archspec_torch:BACKEND",
    "torchscript": "archspec_torchscript:BACKEND",
}
"""Backends of this distribution, found in a checkout that is not installed too."""

MAIN = "torch"
"""The backend that makes live modules, and reads weights for all."""

HINTS: Mapping[str, str] = {
    "torch": "pip install 'torch>=2.13'",
    "torchscript": "pip install 'torch>=2.13'",
}
"""What to install where a backend's own imports fail."""


def available() -> tuple[str, ...]:
    """Names of all targets, sorted. Nothing is imported."""
    return tuple(sorted({**BUNDLED, **{point.name: "" for point in _points()}}))


def bundled() -> Iterator[Backend]:
    """The backends of this distribution, without a look at what else is installed."""
    for name, value in BUNDLED.items():
        yield EntryPoint(name, value, GROUP).load()


def installed() -> Iterator[Backend]:
    """Every backend that can be loaded."""
    for name in available():
        with suppress(CompileFailed):
            yield backend(name)


def backend(name: str) -> Backend:
    """The backend of a target.

    Raises CompileFailed (E0801) for a name that nobody provides or that two packages provide,
    and where it cannot be imported.
    """
    found = {point.value: point for point in _points() if point.name == name}
    if not found and name in BUNDLED:
        found = {BUNDLED[name]: EntryPoint(name, BUNDLED[name], GROUP)}
    if not found:
        raise _unknown(name)
    if len(found) > 1:
        raise _two(name, found.values())
    (point,) = found.values()
    try:
        loaded: Backend = point.load()
    except ImportError as error:
        hint = HINTS.get(name, f"pip install the package that provides {point.value}")
        message = f"the target `{name}` cannot be loaded: {error}"
        raise CompileFailed([diagnostic("E0801", message, fix=hint)]) from error
    return loaded


def weight_store(name: str = MAIN) -> WeightStore:
    """The backend that reads and folds weights. Raises CompileFailed (E0801)."""
    found = backend(name)
    if isinstance(found, WeightStore):
        return found
    raise CompileFailed([diagnostic("E0801", f"the target `{name}` reads no weights")])


def live_backend(name: str = MAIN) -> LiveBackend:
    """The backend that makes live modules. Raises CompileFailed (E0801)."""
    found = backend(name)
    if isinstance(found, LiveBackend):
        return found
    raise CompileFailed([diagnostic("E0801", f"the target `{name}` makes no live modules")])


def _points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _unknown(name: str) -> CompileFailed:
    known = ", ".join(f"`{one}`" for one in available())
    message = f"there is no target `{name}`; there are {known}"
    return CompileFailed([diagnostic("E0801", message)])


def _two(name: str, points: Iterable[EntryPoint]) -> CompileFailed:
    places = " and ".join(sorted(point.value for point in points))
    message = f"two packages provide the target `{name}`: {places}"
    return CompileFailed([diagnostic("E0801", message, fix="uninstall one of them")])
