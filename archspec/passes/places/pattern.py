"""Patterns of full names of instances, as in `fnmatch`: `layer*.conv1`.

`*` matches any text, including dots, `?` one character, `[12]` and `[!12]` one of these characters
or of all others. A path is matched piece by piece, so that a block with many paths is visited once
for all paths that the rest of the pattern does not distinguish.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import translate
from typing import TypeAlias

States: TypeAlias = frozenset[int]
"""The positions in a pattern that a path may have reached; empty if it cannot match any more."""

_ONE = re.compile(r"\*+|\[!?\]?[^\]]*\]|.", re.DOTALL)


class PathPattern:
    """A pattern, divided into parts."""

    def __init__(self, text: str) -> None:
        self._parts = tuple(_parts(text))
        self.start = self._closed({0})

    def after(self, states: States, text: str) -> States:
        """The positions after more text of a path."""
        for letter in text:
            found: set[int] = set()
            for at in states:
                part = self._parts[at] if at < len(self._parts) else _nothing
                if part is None:
                    found.add(at)
                elif part(letter):
                    found.add(at + 1)
            states = self._closed(found)
        return states

    def accepts(self, states: States) -> bool:
        """Whether a path that has reached these positions matches."""
        return len(self._parts) in states

    def _closed(self, states: set[int]) -> States:
        """With the positions after a `*`; earlier positions are then irrelevant."""
        last = max((at for at in states if self._is_star(at)), default=0)
        states = {at for at in states if at >= last}
        return frozenset(states | {at + 1 for at in states if self._is_star(at)})

    def _is_star(self, at: int) -> bool:
        return at < len(self._parts) and self._parts[at] is None


def _nothing(_: str) -> None:
    return None


def _parts(text: str) -> Iterator[Callable[[str], object] | None]:
    """For each part a test for a character; None for a `*`."""
    for part in _ONE.findall(text):
        yield None if part.startswith("*") else re.compile(translate(part)).match
