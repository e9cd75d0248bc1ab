"""Extensions provided by installed packages through entry points: passes, analyses, targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points
from typing import get_type_hints

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.diagnostics.suggest import closest
from archspec.frozen import frozen

OURS = frozenset({"archspec", "archspec_torch", "archspec_torchscript"})
"""The packages of this distribution."""


@frozen
class Kind:
    """One kind of extension: its noun, its entry-point group, and the code for its errors.

    The name of an entry point is the name of the extension; its value is an object that satisfies
    the protocol `contract`. `bundled` lists the extensions of this distribution, which are found
    even in a checkout that is not installed. `hints` maps names to what to install if imports fail.
    """

    noun: str
    group: str
    code: str
    bundled: Mapping[str, str]
    hints: Mapping[str, str]
    contract: type


def available(kind: Kind) -> tuple[str, ...]:
    """The names of all extensions of a kind, sorted. Imports nothing."""
    return tuple(sorted({*kind.bundled, *(point.name for point in entry_points(group=kind.group))}))


def load(kind: Kind, name: str) -> object:
    """Load the extension with a name.

    Raises CompileFailed, with the code of its kind, if no package or more than one provides the
    name, if it cannot be imported, or if a third-party extension does not satisfy the contract.
    """
    point = _point(kind, name)
    try:
        found: object = point.load()
    except ImportError as error:
        raise _not_importable(kind, point, error) from error
    except Exception as error:
        if _is_ours(kind, point):
            raise
        raise _broken(kind, point, kind.code, "cannot be loaded", error) from error
    if not _is_ours(kind, point):
        _require_contract(kind, point, found)
    return found


@contextmanager
def attributing_failures(kind: Kind, name: str, code: str, does: str = "failed") -> Iterator[None]:
    """Report exceptions of a third-party extension as its errors, as CompileFailed with `code`.

    `does` is the verb of the message ("failed"). A CompileFailed passes through unchanged, and so
    do exceptions of an extension of this distribution, which are bugs of archspec.
    """
    try:
        yield
    except CompileFailed:
        raise
    except Exception as error:
        point = _point(kind, name)
        if _is_ours(kind, point):
            raise
        raise _broken(kind, point, code, does, error) from error


@contextmanager
def importing(kind: Kind, name: str, fix: str | None = None) -> Iterator[None]:
    """Report an import that fails while an extension runs, with the code of its kind.

    Loading an extension imports nothing heavy, so a missing library shows up here. An ImportError
    for a module of this distribution is a bug and passes through. `fix` describes what works
    without the library.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        raise _not_importable(kind, _point(kind, name), error, fix) from error


def _not_importable(
    kind: Kind, point: EntryPoint, error: ImportError, fix: str | None = None
) -> CompileFailed:
    """The error with what to install for an extension; in one line if a package is missing."""
    hint = kind.hints.get(point.name, f"pip install the package that provides {point.value}")
    who, module = f"the {kind.noun} `{point.name}`", (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and module and point.name in kind.hints:
        return _failed(kind, f"{who} needs {module}, which is not installed: {hint}", fix)
    return _failed(kind, f"{who} cannot be loaded: {error}", hint)


def _point(kind: Kind, name: str) -> EntryPoint:
    """The entry point with a name. Raises CompileFailed unless there is exactly one."""
    points = {point.value: point for point in entry_points(group=kind.group, name=name)}
    if name in kind.bundled:
        own = EntryPoint(name, kind.bundled[name], kind.group)
        points.setdefault(own.value, own)
    if not points:
        known = ", ".join(f"`{one}`" for one in available(kind))
        near = closest(name, available(kind))
        fix = f"write `{near}`" if near else None
        message = f"there is no {kind.noun} `{name}`; there are {known}"
        raise _failed(kind, message, fix, _summaries(kind))
    if len(points) > 1:
        places = " and ".join(sorted(points))
        message = f"two packages provide the {kind.noun} `{name}`: {places}"
        raise _failed(kind, message, "uninstall one of them")
    (point,) = points.values()
    return point


def _summaries(kind: Kind) -> Iterator[str]:
    """The summaries of the extensions of a kind, if the kind has them and they can be loaded."""
    if "summary" not in get_type_hints(kind.contract):
        return
    for name in available(kind):
        with suppress(CompileFailed):
            yield f"`{name}`: {getattr(load(kind, name), 'summary', '')}"


def _is_ours(kind: Kind, point: EntryPoint) -> bool:
    return kind.bundled.get(point.name) == point.value


def _named(kind: Kind, point: EntryPoint) -> str:
    return f"the {kind.noun} `{point.name}` ({point.value})"


def _require_contract(kind: Kind, point: EntryPoint, found: object) -> None:
    """Raise CompileFailed if an object lacks a member of the contract or has a wrong type."""
    from pydantic import TypeAdapter, ValidationError  # only needed for third-party extensions

    named = _named(kind, point)
    if isinstance(found, type):
        fix = f"the entry point must refer to an object, as in `{point.attr} = {found.__name__}()`"
        raise _failed(kind, f"{named} is a class, not an object", fix)
    hints = get_type_hints(kind.contract)
    methods = [one for one in vars(kind.contract) if not one.startswith("_") and one not in hints]
    missing = [f"`{one}`" for one in (*hints, *methods) if not hasattr(found, one)]
    if missing:
        raise _failed(kind, f"{named} has no {', '.join(missing)}", None)
    for one, hint in hints.items():
        try:
            TypeAdapter(hint).validate_python(getattr(found, one))
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Input ")
            raise _failed(kind, f"`{one}` of {named} {reason}", None) from None
    if (own := getattr(found, "name", point.name)) != point.name:
        raise _failed(kind, f"{named} calls itself `{own}`", f"set its `name` to `{point.name}`")


def _broken(kind: Kind, point: EntryPoint, code: str, does: str, error: Exception) -> CompileFailed:
    """The error for an unexpected exception in an extension, with the place where it was raised."""
    reason = ": ".join(filter(None, (type(error).__name__, " ".join(str(error).split()))))
    place = _place(error, point.module.partition(".")[0])
    notes = [f"raised in {place}"] if place else []
    message = f"{_named(kind, point)} {does}: {reason}"
    return CompileFailed([diagnostic(code, message, notes=notes)])


def _place(error: Exception, package: str) -> str | None:
    """File, line and function of the last frame in `package`, else of the last not in ours."""
    from traceback import walk_tb  # rarely needed

    others: list[str] = []
    own: list[str] = []
    for frame, line in walk_tb(error.__traceback__):
        top = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        place = f"{frame.f_code.co_filename}:{line}, in `{frame.f_code.co_name}`"
        if top == package:
            own.append(place)
        elif top not in OURS:
            others.append(place)
    found = own or others
    return found[-1] if found else None


def _failed(kind: Kind, message: str, fix: str | None, notes: Iterable[str] = ()) -> CompileFailed:
    return CompileFailed([diagnostic(kind.code, message, fix=fix, notes=notes)])
