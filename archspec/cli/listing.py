"""`archspec list`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from archspec import shipped
from archspec.cli.console import coloured, page_width, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.cli.spec import SUFFIX, files
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic
from archspec.diagnostics.paint import paint
from archspec.diagnostics.printable import printable, width
from archspec.diagnostics.suggest import closest, meant
from archspec.frozen import frozen
from archspec.source import Source
from archspec.syntax import ast, parse

MOST_PARAMETERS = 60
"""Maximum width of the parameters of an entry, in columns."""

_COMMENT = re.compile(r"(?:^#.*\n)+", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


@frozen
class Entry:
    """A network with its parameters, or a preset with its value, and its description.

    `title` is the first paragraph of its file.
    """

    name: str
    kind: str
    file: Path
    parameters: tuple[str, ...]
    value: str
    summary: str
    title: str

    @property
    def call(self) -> str:
        """`classes=10, drop=0.5` for a network, `resnet(basic, [2, 2, 2, 2])` for a preset."""
        return self.value or ", ".join(self.parameters)


def run(word: str | None, as_json: bool) -> None:
    """List the networks and presets in a file or folder, or the shipped ones that match a word.

    A file, or a folder that contains specs, takes precedence over a word.
    """
    faults: dict[tuple[str, int, str, str], Diagnostic] = {}
    if word is not None and _is_place(word):
        entries = _below(word, faults)
        name: Callable[[Path], str] = str
    else:
        entries = _shipped(word)
        name = _file_name
    if as_json and not faults:
        write_json([_json(entry) for entry in entries])
    elif not as_json:
        _write(entries, name)
    if faults:
        raise CompileFailed(faults.values())


def _is_place(text: str) -> bool:
    """Whether the text is a path: one with specs, or one that cannot be a word."""
    path = Path(text)
    if not text or text.endswith(SUFFIX) or "/" in text or "\\" in text or text in (".", ".."):
        return True
    return path.is_file() or (path.is_dir() and next(path.rglob(f"*{SUFFIX}"), None) is not None)


def _file_name(path: Path) -> str:
    return path.name


# ---------------------------------------------------------------------- entries


def _below(text: str, faults: dict[tuple[str, int, str, str], Diagnostic]) -> list[Entry]:
    """The entries of the files at or below a path; their errors are added to `faults`."""
    from archspec.semantics.compile import Compilation
    from archspec.semantics.program.definitions import networks

    places = list(files([text]))
    entries: list[Entry] = []
    if not places:
        raise WrongUsage(f"there is no {SUFFIX} file in {text}")
    for file in places:
        compilation = Compilation()
        scope = compilation.load(file)
        entries += _entries(file, scope.tree, networks(scope).keys())
        if compilation.sink.failed:
            faults.update({item.sort_key: item for item in compilation.sink.diagnostics})
    return entries


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
        found = read(dict.fromkeys(by_name))
        return [one for one in found if wanted in one.name.lower() or wanted in one.file.stem]
    found = [
        one
        for one in read(dict.fromkeys(known.values()))
        if wanted in f"{one.title} {one.summary}".lower()
    ]
    if not found:
        near = closest(word, known)
        hint = meant(near) or "`archspec list` lists all; a path has a `/` or ends in .arch"
        where = "its name or description"
        message = f"there is no file or folder {word}, and no shipped network has it in {where}"
        raise WrongUsage(message, hint)
    return found


def read(paths: Iterable[Path]) -> list[Entry]:
    """The entries of shipped files, which are only parsed, since they are known to be correct."""
    found: list[Entry] = []
    for path in paths:
        tree = parse(Source(path.name, path.read_text(encoding="utf-8"))).module
        found += _entries(path, tree)
    return found


def _entries(file: Path, tree: ast.Module, names: Iterable[str] | None = None) -> Iterator[Entry]:
    wanted = None if names is None else set(names)
    comment = _COMMENT.search(tree.source.text)
    title = _first_paragraph(comment[0].replace("#", " ")) if comment else ""
    for node in tree.definitions:
        if wanted is not None and getattr(node, "name", None) not in wanted:
            continue
        match node:
            case ast.BlockDef(is_network=True, name=name, parameters=parameters):
                taken = tuple(map(_parameter, parameters))
                yield Entry(name, "network", file, taken, "", _summary(node.doc, title), title)
            case ast.Preset(name=name, value=value):
                stands_for = _written(value)
                yield Entry(name, "preset", file, (), stands_for, _summary(node.doc, title), title)


def _parameter(parameter: ast.Parameter) -> str:
    """`classes=10`, or only the name of a required parameter."""
    if parameter.default is None:
        return parameter.name or "_"
    return f"{parameter.name}={_written(parameter.default)}"


def _written(expression: ast.Expr) -> str:
    """The source text of an expression on one line, without the commas that line breaks need."""
    text = re.sub(r"(?<=[(\[])\s+|,?\s+(?=[)\]])", "", expression.span.text)
    return _on_one_line(text)


def _summary(doc: str, title: str) -> str:
    """The first sentence of a comment, skipping the title of the file if it begins with that."""
    head, _, rest = doc.partition("\n\n")
    text = rest if title and _on_one_line(head) == title else doc
    return _SENTENCE.split(_first_paragraph(text), maxsplit=1)[0]


def _first_paragraph(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    return _on_one_line(" ".join(lines[: lines.index("")] if "" in lines else lines))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------------- output


def _json(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "file": str(entry.file),
        "kind": entry.kind,
        "parameters": list(entry.parameters),
        "value": entry.value or None,
        "summary": entry.summary,
    }


def _write(entries: Sequence[Entry], name: Callable[[Path], str]) -> None:
    """Write a line for each file and each of its entries, cut to the width of a terminal."""
    room, colour = page_width(sys.stdout), coloured(sys.stdout)
    for number, (file, group) in enumerate(groupby(entries, key=lambda entry: entry.file)):
        listed = list(group)
        head = name(file)
        title = _cut(f"  {printable(listed[0].title)}".rstrip(), room and room - width(head))
        write(("\n" if number else "") + paint(printable(head), "bold", colour) + title + "\n")
        calls = [_cut(printable(entry.call), MOST_PARAMETERS) for entry in listed]
        left = max(width(entry.name) for entry in listed)
        middle = max(map(width, calls))
        for entry, call in zip(listed, calls, strict=True):
            line = f"  {_pad(entry.name, left)}  {_pad(call, middle)}  {printable(entry.summary)}"
            write(_cut(line.rstrip(), room) + "\n")


def _cut(text: str, room: int | None) -> str:
    """The text, cut to `room` columns with `..` at the end if it is longer."""
    if room is None or width(text) <= room:
        return text
    while text and width(text) > room - 3:
        text = text[:-1]
    return f"{text.rstrip(' ,')} .."


def _pad(text: str, room: int) -> str:
    return text + " " * (room - width(text))
