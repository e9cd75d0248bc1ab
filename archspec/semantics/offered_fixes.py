"""Fixes that are offered are tried first: an edit that makes things worse is withdrawn.

An edit is right where the file, with the edit applied, has not the fault any more and no other that
it had not before. What was withdrawn still says in words what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from archspec.diagnostics.model import Diagnostic, Fix
from archspec.diagnostics.text import apply
from archspec.semantics.program.definitions import ModuleScope
from archspec.source import Source, Span

CHARACTERS = 400_000
"""Characters that are read to try the fixes of a file; those behind get no edits."""

Checked = Callable[[Source], Iterable[Diagnostic]]
"""What is wrong with another text of the file. All calls together use a bounded number of steps."""


def tried(found: Sequence[Diagnostic], scope: ModuleScope, check: Checked) -> list[Diagnostic]:
    """The diagnostics of a file, without the edits that do not help."""
    source = scope.tree.source
    words = Counter(map(_words, found))
    kept: list[Diagnostic] = []
    left = CHARACTERS
    for item in found:
        if item.fix is None or not item.fix.edits:
            kept.append(item)
            continue
        left -= len(source.text)
        helps = left >= 0 and _helps(item, source, words, check)
        kept.append(item if helps else replace(item, fix=Fix(item.fix.message)))
    return kept


def _helps(
    item: Diagnostic, source: Source, words: Counter[tuple[str, str]], check: Checked
) -> bool:
    assert item.fix is not None
    if any(edit.span.source is not source for edit in item.fix.edits):
        return False
    text = apply(item.fix.edits, Span(source, 0, len(source.text)))
    after = Counter(map(_words, check(Source(source.name, text))))
    return after <= words - Counter([_words(item)])


def _words(item: Diagnostic) -> tuple[str, str]:
    return item.code, item.message
