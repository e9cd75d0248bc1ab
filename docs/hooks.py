"""Pages of the site that are generated from the source: ops, standard library, diagnostics.

Text that exists in the code is not repeated here.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pygments.lexers import LEXERS

from archspec.cli.library import library
from archspec.diagnostics import catalogue
from archspec.ops.base import Op
from archspec.ops.page import op_page
from archspec.ops.registry import all_ops

ROOT = Path(__file__).resolve().parent.parent


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Teach Pygments to colour `.arch` code."""
    sys.path.insert(0, str(Path(__file__).parent))
    LEXERS["ArchLexer"] = ("arch_lexer", "arch", ("arch",), ("*.arch",), ())
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {
        "ops.md": ops_page(),
        "std.md": standard_library_page(),
        "diagnostics.md": diagnostics_page(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


# ---------------------------------------------------------------------- ops


def ops_page() -> str:
    """All primitive ops by category, from their classes."""
    by_category: dict[str, list[type[Op]]] = defaultdict(list)
    for op in all_ops().values():
        by_category[op.category].append(op)
    parts = [
        "# Primitive ops",
        f"The {len(all_ops())} layers and functions that are built into the language. Blocks that "
        "are composed of them, such as `conv_bn_relu`, are in the [standard library](std.md). "
        "Attributes are given by position in this order, or by name; those after `*` by name only. "
        "The number of input channels is inferred: `nn.Conv2d(3, 64, 3)` is `conv(64, 3)`, "
        "`nn.BatchNorm2d(64)` is `batch_norm`. [From PyTorch](from-pytorch.md) lists equivalents.",
        _op_index(by_category),
    ]
    for category in sorted(by_category):
        parts.append(f"## {category.capitalize()}")
        ops = sorted(by_category[category], key=lambda op: op.name)
        parts.extend(op_page(op, level=3) for op in ops)
    return "\n\n".join(parts) + "\n"


def _op_index(by_category: Mapping[str, Sequence[type[Op]]]) -> str:
    """A table with a row for each category, with links to its ops."""
    rows = ["| category | ops |", "|---|---|"]
    for category in sorted(by_category):
        names = sorted(op.name for op in by_category[category])
        links = ", ".join(f"[{name}](#{_anchor(name, by_category)})" for name in names)
        rows.append(f"| {category} | {links} |")
    return "\n".join(rows)


def _anchor(name: str, by_category: Mapping[str, Sequence[type[Op]]]) -> str:
    """The anchor of an op; a category of this name has a heading before it."""
    return f"{name}_1" if name in by_category else name


# ---------------------------------------------------------------------- standard library


def standard_library_page() -> str:
    """The blocks and rules of each module of the standard library."""
    entries = library().values()
    parts = [
        "# Standard library",
        f"The {len(entries)} blocks and rules that come with archspec, written in the language "
        "itself. `use std.cnn { conv_bn_relu }` imports one; those of `std.combinators` are always "
        "available. `archspec explain std` lists them, and `archspec explain conv_bn_relu` prints "
        "one of these sections.",
    ]
    for module, members in groupby(entries, key=lambda entry: entry.module):
        parts += [f"## {module.name}", module.doc]
        parts += [entry.page(level=3) for entry in members]
    return "\n\n".join(parts) + "\n"


# ---------------------------------------------------------------------- diagnostics


def diagnostics_page() -> str:
    """All pages of `archspec explain`."""
    parts = [
        "# Diagnostics",
        "Each diagnostic has a stable code: E for an error, W for a warning, N for a note. "
        "`archspec explain CODE` prints the same pages.",
    ]
    parts.extend(_demoted(page.text) for page in catalogue.pages().values())
    return "\n\n".join(parts) + "\n"


def _demoted(text: str) -> str:
    """Headings one level down, those of sections as bold words, so that codes make the contents."""
    parts = re.split(r"(^```.*?^```$)", text.strip(), flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else _demoted_prose(part) for part in parts)


def _demoted_prose(text: str) -> str:
    text = re.sub(r"^## (.+)$", r"**\1**", text, flags=re.MULTILINE)
    return re.sub(r"^# ", "## ", text, flags=re.MULTILINE)
