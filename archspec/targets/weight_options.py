"""Validates the user's options for reading weights before any file is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archspec.targets.weights import Taking


def taking(
    entry: str | None = None,
    ignore: str | Sequence[str] = (),
    rename: Mapping[str, str] | Sequence[tuple[str, str]] = (),
) -> Taking:
    """The selection arguments of `Network.read_weights` as one object.

    Raises TypeError for values of a wrong type, and ValueError for values that suit no file.
    """
    if entry is not None and not isinstance(entry, str):
        raise TypeError(f"entry must be a name, not {entry!r}")
    if entry == "":
        raise ValueError("entry is empty: name an entry of the file, or remove it")
    patterns = _patterns((ignore,) if isinstance(ignore, str) else ignore)
    pairs = _pairs(rename.items() if isinstance(rename, Mapping) else rename)
    return Taking(entry.removesuffix(".") if entry else None, patterns, pairs)


def _patterns(given: object) -> tuple[str, ...]:
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise TypeError(f"ignore must be a pattern or a sequence of patterns, not {given!r}")
    found = tuple(given)
    for pattern in found:
        if not isinstance(pattern, str):
            raise TypeError(f"a pattern of ignore must be a string, not {pattern!r}")
        if not pattern:
            raise ValueError("a pattern of ignore is empty")
    return found


def _pairs(given: object) -> tuple[tuple[str, str], ...]:
    message = "rename must be a mapping or a sequence of pairs of names"
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise TypeError(f"{message}, not {given!r}")
    found: list[tuple[str, str]] = []
    for pair in given:
        if not isinstance(pair, tuple | list) or [type(name) for name in pair] != [str, str]:
            raise TypeError(f"{message}, but one is {pair!r}")
        try:
            found.append(renaming(*pair))
        except ValueError as fault:
            raise ValueError(f"rename {pair[0]!r} to {pair[1]!r}: {fault}") from None
    return tuple(found)


def renaming(old: str, new: str) -> tuple[str, str]:
    """The old and the new prefix of names, each without a `.` at its end.

    Raises ValueError for a pair that renames nothing or could make names empty, or if the new name
    has more `*` than the old one.
    """
    stars = old.count("*")
    if new.count("*") > stars:
        raise ValueError(
            "each `*` of the new name is replaced by the text that one in the old name matches"
        )
    if stars and not new:
        raise ValueError("names would be empty; to remove a prefix, write it without `*`")
    if not stars:
        old, new = old.removesuffix("."), new.removesuffix(".")
    if old.strip() == new.strip():
        raise ValueError("this renames nothing; an empty side removes or adds a prefix")
    return old, new
