"""Every shipped spec has no errors, is formatted, and cites its source."""

import re
from itertools import takewhile
from pathlib import Path

import pytest

from archspec.fmt import format_source
from archspec.semantics.compile import check
from archspec.shipped import folder, heads, networks
from archspec.source import Source

SPECS = sorted(folder().glob("*.arch"))
STANDARD = sorted(Path(check.__code__.co_filename).parents[1].glob("stdlib/*.arch"))


def names(path):
    return [name for _, name in heads(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_nothing_is_reported(path):
    """Neither for networks nor for presets: `check` compiles all of them."""
    assert [f"{item.code}: {item.message}" for item in check(path).diagnostics] == []


@pytest.mark.parametrize("path", [*SPECS, *STANDARD], ids=lambda path: path.stem)
def test_formatted(path):
    text = path.read_text(encoding="utf-8")
    assert format_source(Source(str(path), text)) == text


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_begins_with_the_paper(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["language 1", ""]
    head = list(takewhile(lambda line: line.startswith("#"), lines[2:]))
    assert re.search(r"\b(19|20)\d\d\b|arXiv:\d{4}", " ".join(head))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_short(path):
    """A spec that is long, without its presets, suggests a feature that the language lacks."""
    text = re.sub(r"(?m)^preset .*(\n[ )].*)*", "", path.read_text(encoding="utf-8"))
    assert sum(bool(line) and not line.startswith("#") for line in text.splitlines()) <= 120


def test_every_name_is_unique():
    """A shipped network is found by its name alone."""
    found = [name for path in SPECS for name in names(path)]
    assert len(found) == len(set(found))
    assert set(found) == set(networks())


@pytest.mark.parametrize("path", STANDARD, ids=lambda path: path.stem)
def test_the_standard_library_is_documented(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    opens = ("block ", "inline ", "rule ")
    undocumented = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line.startswith(opens)
        and not before.startswith("#")
        and before.split("(")[0] != line.split("(")[0]  # another clause of a rule
    ]
    assert undocumented == []
