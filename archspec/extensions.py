"""What installed packages bring, by entry point: passes, analyses, targets."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.frozen import frozen


@frozen
class Kind:
    """One sort of extension: what it is called, its entry-point group, and a code for faults.

    The name of an entry point is that of the extension, its value the object. `bundled` are those
    of this distribution, found in a checkout that is not installed too. `hints` say by name what to
    install where the imports of one fail.
    """

    noun: str
    group: str
    code: str
    bundled: Mapping[str, str]
    hints: Mapping[str, str]


def available(kind: Kind) -> tuple[str, ...]:
    """Names of all that are there, sorted. Nothing is imported."""
    return tuple(sorted({*kind.bundled, *(point.name for point in entry_points(group=kind.group))}))


def load(kind: Kind, name: str) -> object:
    """The extension of a name.

    Raises CompileFailed, with the code of its kind, for a name that nobody provides or that two
    packages provide, and where it cannot be imported.
    """
    points = {point.value: point for point in entry_points(group=kind.group, name=name)}
    if name in kind.bundled:
        own = EntryPoint(name, kind.bundled[name], kind.group)
        points.setdefault(own.value, own)
    if not points:
        known = ", ".join(f"`{one}`" for one in available(kind))
        near = closest(name, available(kind))
        fix = f"write `{near}`" if near else None
        raise _failed(kind, f"there is no {kind.noun} `{name}`; there are {known}", fix)
    if len(points) > 1:
        places = " and ".join(sorted(points))
        message = f"two packages provide the {kind.noun} `{name}`: {places}"
        raise _failed(kind, message, "uninstall one of them")
    (point,) = points.values()
    try:
        return point.load()
    except ImportError as error:
        hint = kind.hints.get(name, f"pip install the package that provides {point.value}")
        message = f"the {kind.noun} `{name}` cannot be loaded: {error}"
        raise _failed(kind, message, hint) from error


def _failed(kind: Kind, message: str, fix: str | None) -> CompileFailed:
    return CompileFailed([diagnostic(kind.code, message, fix=fix)])
