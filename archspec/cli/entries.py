"""The networks and presets in files, with what `archspec list` says about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from archspec.diagnostics.printable import width
from archspec.frozen import frozen
from archspec.source import Source
from archspec.syntax import ast, parse

_COMMENT = re.compile(r"(?:^#.*\n)+", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_TOPIC = re.compile(r"^[ ]*Topic: (.+?)\.?[ ]*$", re.MULTILINE)
_YEAR = re.compile(r"(?<!arXiv:)\b(?:19|20)\d\d\b")
_PREPRINT = re.compile(r"arXiv:(\d\d)")
_TOKEN = re.compile(r"\"[^\"]*\"|[\[({]|[\])}]|,|[^\"\[({\])},]+|.")


@frozen
class Family:
    """What the first comment of a file says about all of its networks.

    Its first paragraph is the name, up to a full stop, and the citation; the description is the
    first sentence of the second paragraph. A line `Topic: ..` groups the files of a list.
    """

    name: str
    citation: str
    description: str
    topic: str

    @property
    def year(self) -> int | None:
        """The first year in the citation, or that of its first preprint."""
        if (found := _YEAR.search(self.citation)) is not None:
            return int(found[0])
        preprint = _PREPRINT.search(self.citation)
        return 2000 + int(preprint[1]) if preprint is not None else None

    @property
    def heading(self) -> str:
        """`ResNet. Each block learns a residual ..`."""
        return ". ".join(filter(None, (self.name, self.description)))


@frozen
class Entry:
    """A network with its parameters or a preset with its value.

    `summary` is the first sentence of the comment above it.
    """

    name: str
    kind: str
    file: Path
    parameters: tuple[str, ...]
    value: str
    summary: str
    family: Family

    def call(self, columns: int) -> str:
        """`classes=10, drop=0.5` for a network, `resnet(basic, [2, 2, 2, 2])` for a preset.

        If that needs more than `columns` columns, `..` replaces the last arguments.
        """
        if not self.value:
            return _elided("", self.parameters, "", columns)
        name, bracket, rest = self.value.partition("(")
        arguments = _arguments(rest.removesuffix(")"))
        if not bracket or not rest.endswith(")") or arguments is None:
            return self.value if width(self.value) <= columns else ".."
        return _elided(f"{name}(", arguments, ")", columns)


def read(paths: Iterable[Path]) -> list[Entry]:
    """The entries of shipped files, which are only parsed, since they are known to be correct."""
    found: list[Entry] = []
    for path in paths:
        tree = parse(Source(path.name, path.read_text(encoding="utf-8"))).module
        found += entries(path, tree)
    return found


def by_topic(entry: Entry) -> tuple[str, int, str]:
    """The key that sorts files by topic, then by year."""
    return entry.family.topic, entry.family.year or 0, entry.file.stem


def sentence_case(topic: str) -> str:
    """A topic as a heading."""
    return topic[:1].upper() + topic[1:]


def entries(file: Path, tree: ast.Module, names: Iterable[str] | None = None) -> Iterator[Entry]:
    """The networks and presets of a file, or those of them in `names`."""
    wanted = None if names is None else set(names)
    comment = _COMMENT.search(tree.source.text)
    family, title = _family(comment[0].replace("#", " ") if comment else "")
    for node in tree.definitions:
        if wanted is not None and getattr(node, "name", None) not in wanted:
            continue
        match node:
            case ast.BlockDef(is_network=True, name=name, parameters=parameters):
                taken = tuple(map(_parameter, parameters))
                yield Entry(name, "network", file, taken, "", _summary(node.doc, title), family)
            case ast.Preset(name=name, value=value):
                text, summary = _written(value), _summary(node.doc, title)
                yield Entry(name, "preset", file, (), text, summary, family)


def _family(comment: str) -> tuple[Family, str]:
    """What a comment says about a file, and its first paragraph."""
    text = _TOPIC.sub("", comment).strip()
    head, _, rest = re.sub(r"\n\s*\n", "\n\n", text).partition("\n\n")
    title = _on_one_line(head)
    name, _, citation = title.partition(". ")
    sentence = _SENTENCE.split(_first_paragraph(rest), maxsplit=1)[0]
    topic = _TOPIC.search(comment)
    return Family(name.removesuffix("."), citation, sentence, topic[1] if topic else ""), title


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


# ---------------------------------------------------------------------- the text of an entry


def _elided(start: str, arguments: Sequence[str], end: str, columns: int) -> str:
    """The arguments between `start` and `end`: as many as fit, then `..`."""
    for kept in range(len(arguments), -1, -1):
        rest = [] if kept == len(arguments) else [".."]
        text = start + ", ".join([*arguments[:kept], *rest]) + end
        if width(text) <= columns:
            return text
    return ".."


def _arguments(text: str) -> list[str] | None:
    """The arguments of a call, split at the commas outside brackets; None for unequal ones."""
    found, depth = [""], 0
    for token in _TOKEN.findall(text):
        depth += (token in ("(", "[", "{")) - (token in (")", "]", "}"))
        if depth < 0:
            return None
        if token == "," and not depth:
            found.append("")
        else:
            found[-1] += token
    return [argument.strip() for argument in found] if not depth else None
