"""`archspec list`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from archspec import shipped
from archspec.cli.console import coloured, page_width, write, write_json
from archspec.cli.entries import Entry, by_topic, entries, read, sentence_case
from archspec.cli.guard import WrongUsage
from archspec.cli.spec import SUFFIX, files
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic
from archspec.diagnostics.paint import paint
from archspec.diagnostics.printable import printable, width
from archspec.diagnostics.suggest import nearest

LEAST_PARAMETERS = 24
"""Columns that parameters have in a narrow terminal, beside descriptions."""

MOST_PARAMETERS = 60
"""Maximum width of the parameters of an entry, in columns."""

FILE_WIDTH = 120
"""Maximum width of the line of a file where the output is not a terminal."""

HEADING = ("name", "parameters, or definition of a preset", "description")
"""The heading of the first table of entries."""


def run(word: str | None, as_json: bool, everything: bool) -> None:
    """List the networks and presets in a file or folder, or the shipped ones that match a word.

    A file, or a folder that contains specs, takes precedence over a word. Without a word there is a
    line for each shipped file, unless `everything` is set.
    """
    faults: dict[tuple[str, int, str, str], Diagnostic] = {}
    if word is not None and _is_place(word):
        found = _below(word, faults)
        name: Callable[[Path], str] = str
    else:
        found = _shipped(word)
        name = _file_name
    if as_json and not faults:
        write_json([_json(entry) for entry in found])
    elif not as_json and word is None and not everything:
        _write_files(found)
    elif not as_json:
        _write(found, name)
    if faults:
        raise CompileFailed(faults.values())


def _is_place(text: str) -> bool:
    """Whether the text is a path: one with specs, or one that cannot be a word."""
    path = Path(text)
    if not text or text.endswith(SUFFIX) or "/" in text or "\\" in text or text in (".", ".."):
        return True
    if shipped.is_file(path):
        return True
    return shipped.is_folder(path) and next(path.rglob(f"*{SUFFIX}"), None) is not None


def _file_name(path: Path) -> str:
    return path.name


# ---------------------------------------------------------------------- what is listed


def _below(text: str, faults: dict[tuple[str, int, str, str], Diagnostic]) -> list[Entry]:
    """The entries of the files at or below a path; their errors are added to `faults`."""
    from archspec.semantics.compile import Compilation
    from archspec.semantics.program.definitions import networks

    places = list(files([text]))
    found: list[Entry] = []
    if not places:
        raise WrongUsage(f"there is no {SUFFIX} file in {text}")
    for file in places:
        compilation = Compilation()
        scope = compilation.load(file)
        found += entries(file, scope.tree, networks(scope).keys())
        if compilation.sink.failed:
            faults.update({item.sort_key: item for item in compilation.sink.diagnostics})
    return found


def _shipped(word: str | None) -> list[Entry]:
    """The shipped entries with a word in the name of the entry or file, else in their texts."""
    known = shipped.networks()
    if word is None:
        return read(dict.fromkeys(known.values()))
    wanted = word.lower()
    by_name = [
        path for name, path in known.items() if wanted in name.lower() or wanted in path.stem
    ]
    if by_name:
        by_name.sort(key=lambda path: (path.stem != wanted, not path.stem.startswith(wanted)))
        found = read(dict.fromkeys(by_name))
        return [one for one in found if wanted in one.name.lower() or wanted in one.file.stem]
    words = wanted.split()
    everything = read(dict.fromkeys(known.values()))
    found = [one for one in everything if _has(words, _description(one))]
    if not found:
        raise WrongUsage(f"no shipped network has `{word}` in its name or description", _hint(word))
    return found


def _description(entry: Entry) -> str:
    family = entry.family
    return f"{family.heading} {family.citation} {entry.summary}".lower()


def _has(words: Sequence[str], text: str) -> bool:
    return all(word in text for word in words)


def _hint(word: str) -> str:
    """The hint for a word without any match: the most similar names, or the whole list."""
    near = [f"`{name}`" for name in nearest(word, shipped.networks())]
    if not near:
        return "`archspec list` lists all; a file ends in .arch, and a folder has a `/`"
    if len(near) == 1:
        return f"did you mean {near[0]}?"
    return f"the most similar names are {', '.join(near[:-1])} and {near[-1]}"


# ---------------------------------------------------------------------- output


def _json(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "file": str(entry.file),
        "kind": entry.kind,
        "parameters": list(entry.parameters),
        "value": entry.value or None,
        "summary": entry.summary,
        "family": entry.family.name,
        "description": entry.family.description,
        "citation": entry.family.citation,
        "topic": entry.family.topic or None,
        "year": entry.family.year,
    }


def _write_files(found: Sequence[Entry]) -> None:
    """Write a line for each file, by topic and year, and how to see the entries of a file."""
    limit, colour = page_width(sys.stdout) or FILE_WIDTH, coloured(sys.stdout)
    listed = [list(group) for _, group in groupby(found, key=lambda entry: entry.file)]
    listed.sort(key=lambda group: by_topic(group[0]))
    left = max(width(group[0].file.stem) for group in listed)
    heading = f"  {_pad('file', left)}  year  networks  description"
    write(paint(_cut(heading, limit), "bold", colour) + "\n")
    for topic, files_ in groupby(listed, key=lambda group: group[0].family.topic):
        write("\n" + paint(printable(sentence_case(topic)), "bold", colour) + "\n")
        for group in files_:
            family = group[0].family
            start = f"  {_pad(group[0].file.stem, left)}  {family.year or '':>4}  {len(group):>8}"
            write(_cut(f"{start}  {printable(family.heading)}".rstrip(), limit) + "\n")
    write(f"\n{len(found)} networks and presets in {len(listed)} files.\n")
    write("`archspec list resnet` lists those of this name, `archspec list --all` all.\n")


def _write(found: Sequence[Entry], name: Callable[[Path], str]) -> None:
    """Write a line for each file, its citation and each entry, cut to the width of a terminal."""
    limit, colour = page_width(sys.stdout), coloured(sys.stdout)
    for number, (file, group) in enumerate(groupby(found, key=lambda entry: entry.file)):
        listed = list(group)
        head = name(file)
        family = listed[0].family
        heading = _cut(f"  {printable(family.heading)}".rstrip(), limit and limit - width(head))
        write(("\n" if number else "") + paint(printable(head), "bold", colour) + heading + "\n")
        if family.citation:
            write(_cut(printable(family.citation), limit) + "\n")
        for line in _table(listed, limit, heading=not number):
            write(_cut(line, limit) + "\n")


def _table(listed: Sequence[Entry], limit: int | None, heading: bool) -> list[str]:
    """The lines of the entries of a file, with aligned columns.

    A comment on several presets is a line above them, and a comment on one entry is in its row.
    """
    first = [HEADING] if heading else []
    left = max(width(name) for name in (*(one.name for one in listed), *(row[0] for row in first)))
    common = {place for place in range(len(listed)) if _heads_group(listed[place : place + 2])}
    space = MOST_PARAMETERS if limit is None else min(MOST_PARAMETERS, limit - left - 4)
    if limit is not None and any(one.summary for one in listed):
        space = min(space, max(LEAST_PARAMETERS, (limit - left) // 2))  # the rest describes them
    rows: list[tuple[str, str, str]] = [*first]
    rows += [
        (one.name, printable(one.call(space)), "" if place in common else one.summary)
        for place, one in enumerate(listed)
    ]
    middle = max(width(row[1]) for row in rows)
    lines = [
        f"  {_pad(name, left)}  {_pad(call, middle)}  {printable(summary)}".rstrip()
        for name, call, summary in rows
    ]
    for place in sorted(common, reverse=True):
        lines.insert(place + len(first), printable(listed[place].summary))
    return lines


def _heads_group(pair: Sequence[Entry]) -> bool:
    """Whether the first of two presets has a comment, and the second continues its group."""
    if len(pair) < 2 or any(one.kind != "preset" for one in pair):
        return False
    return bool(pair[0].summary) and not pair[1].summary


def _cut(text: str, limit: int | None) -> str:
    """The text, cut after a word to `limit` columns with `..` at the end if it is longer."""
    if limit is None or width(text) <= limit:
        return text
    while text and width(text) > limit - 3:
        shorter = text.rpartition(" ")[0].rstrip(" ,")
        text = shorter if shorter.strip() else text[:-1]
    return f"{text} .."


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))
