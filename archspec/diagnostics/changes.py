"""The lines that the edits of a fix change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from archspec.diagnostics.model import Edit
from archspec.frozen import frozen
from archspec.source import Source, Span

_COMPARED = 10_000  # maximum product of the numbers of lines that are compared one by one
_NEAR = 2  # unchanged lines between two changes that are shown


@frozen
class LineChange:
    """A line that is removed (`-`), added (`+`) or kept between two changes (a space)."""

    sign: str
    number: int
    """The line in the text before the edits if it is removed, and after them otherwise."""
    text: str
    old: int
    """The line in the text before the edits at which the change is made."""


def apply(edits: Iterable[Edit], within: Span) -> str:
    """The text of `within` after the edits; of two overlapping edits the first is applied."""
    text = within.source.text
    pieces: list[str] = []
    at = within.start
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if edit.span.start >= at:
            pieces.extend((text[at : edit.span.start], edit.text))
            at = edit.span.end
    pieces.append(text[at : max(within.end, at)])
    return "".join(pieces)


def line_changes(edits: Sequence[Edit]) -> list[LineChange]:
    """The changes that the edits of one file make, in order of the lines."""
    if not edits:
        return []
    source = edits[0].span.source
    changes: list[LineChange] = []
    moved = 0
    for group in _by_lines([edit for edit in edits if edit.span.source is source]):
        first = min(edit.span.line for edit in group)
        last = max(source.position(edit.span.end)[0] for edit in group)
        start = source.line_starts[first - 1]
        end = start + len("\n".join(source.line(n) for n in range(first, last + 1)))
        old = source.text[start:end].split("\n")
        new = apply(group, Span(source, start, end)).split("\n")
        changes.extend(_between(changes, source, first, moved))
        changes.extend(_compared(old, new, first, moved))
        moved += len(new) - len(old)
    return changes


def _by_lines(edits: Iterable[Edit]) -> list[list[Edit]]:
    """The edits in groups between which lines are unchanged."""
    groups: list[list[Edit]] = []
    last = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if edit.span.line > last + 1 or not groups:
            groups.append([])
        groups[-1].append(edit)
        last = max(last, edit.span.source.position(edit.span.end)[0])
    return groups


def _between(
    changes: Sequence[LineChange], source: Source, first: int, moved: int
) -> list[LineChange]:
    """The unchanged lines from the last change up to line `first`, if they are few."""
    after = changes[-1].old + 1 if changes else first
    if first - after > _NEAR:
        return []
    return [LineChange(" ", n + moved, source.line(n), n) for n in range(after, first)]


def _compared(old: Sequence[str], new: Sequence[str], first: int, moved: int) -> list[LineChange]:
    """The changes from some lines to others, from line `first` on."""
    steps = [("replace", 0, len(old), 0, len(new))]
    if len(old) * len(new) <= _COMPARED:
        steps = [*SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]
    found: list[LineChange] = []
    for kind, start, stop, begin, end in steps:
        if kind == "equal":
            kept = range(start, stop)
            found.extend(
                LineChange(" ", first + moved + n - start + begin, old[n], first + n) for n in kept
            )
            continue
        found.extend(LineChange("-", first + n, old[n], first + n) for n in range(start, stop))
        at = first + max(stop - 1, start)
        found.extend(LineChange("+", first + moved + n, new[n], at) for n in range(begin, end))
    return _without_ends(found)


def _without_ends(changes: list[LineChange]) -> list[LineChange]:
    """The changes without unchanged lines before the first and behind the last."""
    changed = [at for at, change in enumerate(changes) if change.sign != " "]
    return changes[changed[0] : changed[-1] + 1] if changed else []
