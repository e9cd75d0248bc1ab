"""Finding backends by entry point: each installed package may bring some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from importlib.metadata import EntryPoint
from typing import cast

from archspec import extensions
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.targets.base import Backend, LiveBackend
from archspec.targets.weights import WeightStore

BUNDLED: Mapping[str, str] = {
    "torch": "archspec_torch:BACKEND",
    "torchscript": "archspec_torchscript:BACKEND",
}
"""Backends of this distribution, found in a checkout that is not installed too.

Where any backend will do that can do a thing, the first of these that can is taken.
"""

HINTS: Mapping[str, str] = {
    "torch": "pip install 'archspec-nn[torch]'",
    "torchscript": "pip install 'archspec-nn[torch]'",
}
"""What to install where a backend's own imports fail."""

KIND = extensions.Kind("target", "archspec.backends", "E0801", BUNDLED, HINTS, Backend)


def available() -> tuple[str, ...]:
    """Names of all targets, sorted. Nothing is imported."""
    return extensions.available(KIND)


def bundled() -> Iterator[Backend]:
    """The backends of this distribution, without a look at what else is installed."""
    for name, value in BUNDLED.items():
        yield EntryPoint(name, value, KIND.group).load()


def installed() -> Iterator[Backend]:
    """Every backend that can be loaded."""
    for name in available():
        with suppress(CompileFailed):
            yield backend(name)


def backend(name: str) -> Backend:
    """The backend of a target.

    Raises CompileFailed (E0801) for a name that nobody provides or that two packages provide,
    and where it cannot be imported or is no backend.
    """
    return cast(Backend, extensions.load(KIND, name))


def importing(name: str, fix: str | None = None) -> AbstractContextManager[None]:
    """Report (E0801) what a backend cannot import while it works, with what to install."""
    return extensions.importing(KIND, name, fix)


def weight_store(name: str | None = None) -> WeightStore:
    """The backend of a target, else the first that can, which reads and folds weights.

    Raises CompileFailed (E0801) where it cannot.
    """
    for found in _candidates(name):
        if isinstance(found, WeightStore):
            return found
    raise _unable(name, "reads no weights")


def live_backend(name: str | None = None) -> LiveBackend:
    """The backend of a target, else the first that can, which makes live modules.

    Raises CompileFailed (E0801) where it cannot.
    """
    for found in _candidates(name):
        if isinstance(found, LiveBackend):
            return found
    raise _unable(name, "makes no live modules")


def without_weights() -> str | None:
    """The first target whose artefacts hold no weights, and so need no memory for them."""
    for name in _names():
        with suppress(CompileFailed):
            if not backend(name).holds_weights:
                return name
    return None


def _names() -> tuple[str, ...]:
    """All targets, those of this distribution first."""
    return tuple(dict.fromkeys((*BUNDLED, *available())))


def _candidates(name: str | None) -> Iterator[Backend]:
    """The backend of a target, or all in order. One that cannot be loaded is said at the end."""
    faults: list[CompileFailed] = []
    for one in _names() if name is None else (name,):
        try:
            yield backend(one)
        except CompileFailed as fault:
            faults.append(fault)
    if faults:
        raise faults[0]


def _unable(name: str | None, what: str) -> CompileFailed:
    who = f"the target `{name}`" if name is not None else "every target that is installed"
    return CompileFailed([diagnostic("E0801", f"{who} {what}")])
