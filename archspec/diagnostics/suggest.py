"""The nearest word that exists, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, candidates: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The candidate most like `word`, or None if none is near. Case does not count."""
    from difflib import get_close_matches  # only needed once something is wrong

    by_fold = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    found = get_close_matches(word.casefold()[:100], by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None
