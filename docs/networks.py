"""The page of the shipped networks, made from their specs: a hook of MkDocs.

The table of specs/README.md lists what each was verified against.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from markdown.extensions.toc import slugify
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import archspec
from archspec import shipped
from archspec.analysis.number_format import short, sizes_text
from archspec.cli.entries import Entry, by_topic, read, sentence_case
from archspec.diagram import illustration
from archspec.network import Network

ROOT = Path(__file__).resolve().parent.parent
_ROW = re.compile(r"^\| \d+ \| (.+?) \| (\[.+?) \| (.*?) \| (.*?) \|$", re.MULTILINE)

INTRODUCTION = """\
# Networks

The {count} networks and presets that ship with archspec, by topic and year: {topics}. MACs are
given for the default sizes; all valid sizes are accepted.

`archspec list` prints this list in a terminal, `archspec show resnet50` describes a network, and
`archspec.load("resnet50")` loads it in Python.

<label for="network-filter">Search by name, paper or words of the description:</label>
<input id="network-filter" type="search" placeholder="resnet, segmentation, torchvision ...">
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page, its drawings and the specs."""
    specs = dict.fromkeys(shipped.networks().values())
    text, drawings = networks_page(specs)
    files.append(File.generated(config, "networks.md", content=text))
    for name, drawing in drawings.items():
        files.append(File.generated(config, f"networks/{name}.svg", content=drawing))
    for spec in specs:  # as text, which browsers show instead of saving it
        source = spec.read_text(encoding="utf-8")
        files.append(File.generated(config, f"networks/{spec.name}.txt", content=source))
    return files


def networks_page(paths: Iterable[Path]) -> tuple[str, Mapping[str, bytes]]:
    """The page in Markdown, with a section for each file, and the drawings of these by name."""
    entries = sorted(read(paths), key=by_topic)
    drawings: dict[str, bytes] = {}
    parts: list[str] = []
    links: list[str] = []
    for topic, group in groupby(entries, key=lambda entry: entry.family.topic):
        title = sentence_case(topic)
        links.append(f"[{topic}](#{slugify(title, '-')})")
        parts += ['<div class="network-topic" markdown>', f"## {title}"]
        for file, members in groupby(group, key=lambda entry: entry.file):
            parts.append(_family(file, list(members), drawings))
        parts.append("</div>")
    head = INTRODUCTION.format(count=len(entries), topics="; ".join(links))
    return "\n\n".join([head, *parts]) + "\n", drawings


def _family(file: Path, entries: Sequence[Entry], drawings: dict[str, bytes]) -> str:
    family = entries[0].family
    rows, drawn = [], _drawn(file, entries)
    for entry in entries:
        network = archspec.load(file, entry.name)
        rows.append(_row(entry, network))
        if entry.name == drawn:
            svg, _ = illustration(network.compiled)
            if svg is not None:
                drawings[entry.name] = svg
    parts = [
        '<div class="network-family" markdown>',
        f"### {family.name}",
        family.description,
        family.citation,
    ]
    head = "| name | parameters | MACs | at | valid sizes |\n|---|--:|--:|---|---|"
    parts.append("\n".join([head, *rows]))
    parts += [f"Verified against: {text}." for text in _verified(file)]
    parts.append(f'Spec: <a href="networks/{file.name}.txt"><code>{file.name}</code></a>')
    if drawn in drawings:
        image = f'<img src="networks/{drawn}.svg" alt="Drawing of {drawn}" loading="lazy">'
        parts.append(
            f"<details><summary>Drawing of <code>{drawn}</code></summary>{image}</details>"
        )
    return "\n\n".join([*filter(None, parts), "</div>"])


def _drawn(file: Path, entries: Sequence[Entry]) -> str:
    """The network of a file that is drawn: the one named like the file, otherwise the first."""
    names = [entry.name for entry in entries]
    return file.stem if file.stem in names else names[0]


def _row(entry: Entry, network: Network) -> str:
    sizes = sizes_text(network.sizes) or "fixed sizes"
    try:
        macs = short(network.macs())
    except archspec.CompileFailed:  # not supported for symbolic sizes
        macs = "-"
    valid = str(network.valid_sizes).replace("|", "\\|")
    return f"| `{entry.name}` | {network.parameters:,} | {macs} | {sizes} | {valid} |"


def _verified(file: Path) -> list[str]:
    """What the presets of a file were verified against, each text once."""
    table = (ROOT / "specs" / "README.md").read_text(encoding="utf-8")
    rows = _ROW.findall(table)
    link = f"[{file.stem}]({file.name})"
    return list(dict.fromkeys(text for _, specs, text, _ in rows if link in specs and text))
