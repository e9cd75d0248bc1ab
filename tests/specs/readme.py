"""The table of papers in `specs/README.md`, generated from `families/` and `papers.toml`."""

import tomllib
from pathlib import Path

from archspec.shipped import folder, heads
from tests.specs.families import NAMES, family

README = folder() / "README.md"
PAPERS = tomllib.loads((Path(__file__).parent / "papers.toml").read_text(encoding="utf-8"))
BEGIN, END = "<!-- papers -->\n", "<!-- end of papers -->\n"


def table() -> str:
    """Rows of papers that have a spec, then the titles of those that have none yet."""
    rows = [
        f"| {row[1:].lstrip('0')} | {PAPERS[row]} | [{name}]({name}.arch): {_networks(name, data)} "
        f"| {data['verified']} | {data.get('open', '')} |"
        for row, name, data in sorted(_covered(), key=lambda item: (item[0], item[1]))
    ]
    done = {row for row, _, _ in _covered()}
    left = [f"- {row[1:].lstrip('0')}: {title}" for row, title in PAPERS.items() if row not in done]
    head = [
        "| row | paper | spec and presets | verified against | not covered |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, "", "Open are:", "", *left, ""])


def _covered():
    for name in NAMES:
        for row, entry in family(name).get("papers", {}).items():
            yield row, name, entry


def _networks(name: str, entry: dict) -> str:
    if "networks" in entry:
        return entry["networks"]
    text = (folder() / f"{name}.arch").read_text(encoding="utf-8")
    presets = [found for kind, found in heads(text) if kind == "preset"]
    return ", ".join(f"`{found}`" for found in presets or [found for _, found in heads(text)])
