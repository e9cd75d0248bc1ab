"""Tries fixes before they are offered, and withdraws edits that do not help.

An edit is right if the file with the edit applied has lost the error and gained no other. The text
of a withdrawn fix is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from archspec.diagnostics.changes import apply
from archspec.diagnostics.model import Diagnostic, Edit, Fix
from archspec.semantics.program.definitions import ModuleScope
from archspec.source import Source, Span

CHARACTERS = 100_000
"""Number of characters that are parsed to try the fixes of a file; further fixes get no edits."""

Checked = Callable[[Source], Iterable[Diagnostic]]
"""The diagnostics of another text of the file. All calls share a limited number of steps."""


def tried(found: Sequence[Diagnostic], scope: ModuleScope, check: Checked) -> list[Diagnostic]:
    """The diagnostics of a file, without edits that do not help."""
    source = scope.tree.source
    words = Counter(map(_words, found))
    kept: list[Diagnostic] = []
    left = CHARACTERS
    for item in found:
        if item.fix is None or not item.fix.edits:
            kept.append(item)
            continue
        offered: tuple[Edit, ...] = ()
        for edits in (item.fix.edits, item.fix.instead):
            left -= len(source.text)
            if edits and not offered and left >= 0:
                offered = edits if _helps(item, edits, source, words, check) else ()
        kept.append(replace(item, fix=Fix(item.fix.message, offered)))
    return kept


def _helps(
    item: Diagnostic,
    edits: Sequence[Edit],
    source: Source,
    words: Counter[tuple[str, str]],
    check: Checked,
) -> bool:
    if any(edit.span.source is not source for edit in edits):
        return False
    text = apply(edits, Span(source, 0, len(source.text)))
    after = Counter(map(_words, check(Source(source.name, text))))
    return after <= words - Counter([_words(item)])


def _words(item: Diagnostic) -> tuple[str, str]:
    return item.code, item.message
