"""Finds backends by entry point; any installed package may provide some."""

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
"""The backends of this distribution, which are found even in a checkout that is not installed.

Where any capable backend will do, these are tried first, in this order.
"""

HINTS: Mapping[str, str] = {
    "torch": "pip install 'archspec-nn[torch]'",
    "torchscript": "pip install 'archspec-nn[torch]'",
}
"""What to install if the imports of a backend fail."""

KIND = extensions.Kind("target", "archspec.backends", "E0801", BUNDLED, HINTS, Backend)


def available() -> tuple[str, ...]:
    """The names of all targets, sorted. Imports nothing."""
    return extensions.available(KIND)


def bundled() -> Iterator[Backend]:
    """The backends of this distribution, regardless of other installed packages."""
    for name, value in BUNDLED.items():
        yield EntryPoint(name, value, KIND.group).load()


def installed() -> Iterator[Backend]:
    """All backends that can be loaded."""
    for name in available():
        with suppress(CompileFailed):
            yield backend(name)


def backend(name: str) -> Backend:
    """The backend of a target.

    Raises CompileFailed (E0801) if no package or more than one provides the name, if the backend
    cannot be imported, or if it does not satisfy the protocol.
    """
    return cast(Backend, extensions.load(KIND, name))


def importing(name: str, fix: str | None = None) -> AbstractContextManager[None]:
    """Report an import that fails while a backend runs (E0801), with what to install."""
    return extensions.importing(KIND, name, fix)


def weight_store(name: str | None = None) -> WeightStore:
    """The named backend, or the first capable one, to read and fold weights.

    Raises CompileFailed (E0801) if it cannot.
    """
    for found in _candidates(name):
        if isinstance(found, WeightStore):
            return found
    raise _unable(name, "cannot read weights")


def live_backend(name: str | None = None) -> LiveBackend:
    """The named backend, or the first capable one, to create live modules.

    Raises CompileFailed (E0801) if it cannot.
    """
    for found in _candidates(name):
        if isinstance(found, LiveBackend):
            return found
    raise _unable(name, "cannot create modules in this process")


def without_weights() -> str | None:
    """The first target whose artefacts hold no weights and so need no memory for them, or None."""
    for name in _names():
        with suppress(CompileFailed):
            if not backend(name).holds_weights:
                return name
    return None


def _names() -> tuple[str, ...]:
    """The names of all targets, those of this distribution first."""
    return tuple(dict.fromkeys((*BUNDLED, *available())))


def _candidates(name: str | None) -> Iterator[Backend]:
    """The named backend, or all in order. Load errors are raised after the last one."""
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
