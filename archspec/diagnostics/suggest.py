"""Finds the most similar existing name, for "did you mean"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from archspec.diagnostics.model import Edit, Fix
from archspec.source import Span

LIKE = 0.7
"""Minimum similarity (0 to 1) of two names for one to be a probable misspelling of the other."""

MAX_LIKE = 60
"""Maximum length of names that are compared: long ones take too much time."""

_RANK = re.compile("[123]d$")
"""The suffix of names of torch layers such as `Conv2d`; here one op serves all ranks."""


def closest(word: str, candidates: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The candidate most similar to `word`, ignoring case, or None if none is similar enough."""
    found = nearest(word, candidates, most=1, cutoff=cutoff)
    return found[0] if found else None


def nearest(
    word: str, candidates: Iterable[str], *, most: int = 3, cutoff: float = 0.6
) -> list[str]:
    """At most `most` candidates that are similar to `word`, ignoring case, most similar first."""
    from difflib import get_close_matches  # only needed after an error

    by_fold = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    return [
        by_fold[fold]
        for fold in get_close_matches(word.casefold()[:100], by_fold, n=most, cutoff=cutoff)
    ]


def suggestion(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate probably meant by a name in a spec, or None; stricter than `closest`."""
    if len(name) > MAX_LIKE:
        return None
    from difflib import SequenceMatcher, get_close_matches

    pool = sorted({candidate for candidate in candidates if len(candidate) <= MAX_LIKE})
    for candidate in get_close_matches(name, pool, n=3, cutoff=0.6):
        ratio = SequenceMatcher(None, name, candidate).ratio()
        if ratio >= LIKE or candidate.startswith(name) or name.startswith(candidate):
            return candidate
        if sorted(candidate) == sorted(name):
            return candidate
    folded = {candidate.replace("_", "").lower(): candidate for candidate in pool}
    plain = name.replace("_", "").lower()
    if len(plain) < 2:
        return None  # `h` is not a misspelling of the size `H`
    return folded.get(plain) or folded.get(_RANK.sub("", plain))


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """The result of `suggestion` as the text of a fix, or None."""
    return meant(suggestion(name, candidates))


def meant(found: str | None) -> str | None:
    """The text of a fix that suggests `found`; None for None."""
    return f"did you mean `{found}`?" if found else None


def renamed(place: Span, found: str | None) -> Fix | None:
    """The fix that replaces the name at `place` by `found`; None for None."""
    return Fix(f"did you mean `{found}`?", (Edit(place, found),)) if found else None


def rename(place: Span, name: str, candidates: Iterable[str]) -> Fix | None:
    """The fix that replaces the name at `place` by its `suggestion`, or None."""
    return renamed(place, suggestion(name, candidates))


def beginning(place: Span, name: str) -> Span:
    """The span of `name` at the beginning of `place`, such as an argument `name=value`."""
    return Span(place.source, place.start, place.start + len(name))
