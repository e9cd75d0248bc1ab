"""What the compiler says about each file of the corpus, word for word.

`corpus/NAME.arch` is checked and what is printed must be `corpus/NAME.txt`. After a change of
words, `ARCHSPEC_UPDATE=1 pytest tests/errors` writes the texts anew: read the difference as a
user would.
A name begins with the code that the file is about; every code of the front end has a file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from archspec.cli.check import examine
from archspec.diagnostics import catalogue
from archspec.diagnostics.model import Diagnostic
from archspec.diagnostics.text import render

CORPUS = Path(__file__).resolve().parent / "corpus"
FILES = sorted(CORPUS.glob("*.arch"))
UPDATE = os.environ.get("ARCHSPEC_UPDATE") == "1"
NOT_CHECKED = re.compile(r"E0521|E0701|E080|E081|E0824|E083|E084|E0901|E091")
"""Codes of building, drawing and passes: `check` never gives them."""
NEEDS_MORE = {
    "E0204": "a link in the file system: test_modules",
    "E0101": "a file of half a million characters: tests/syntax/test_limits",
    "E0102": "a line of five thousand characters: tests/syntax/test_limits",
    "E0106": "a hundred thousand words: tests/syntax/test_limits",
    "E0822": "is said of what the compiler does not share: tests/backends/test_shared",
    "E0507": "is never shown: what it would say was said where the fault is",
}


@pytest.fixture(autouse=True)
def _in_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORPUS)


def checked(path: Path) -> tuple[Diagnostic, ...]:
    """The diagnostics of a file, shown under its bare name."""
    return examine(Path(path.name)).diagnostics


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_what_is_said(path: Path) -> None:
    items = checked(path)
    drawn = render(items, width=100)
    snapshot = path.with_suffix(".txt")
    if UPDATE:
        snapshot.write_text(drawn, encoding="utf-8")
    assert drawn == snapshot.read_text(encoding="utf-8")
    code = path.stem.partition("_")[0]
    if re.fullmatch(r"[EWN]\d{4}", code):
        assert code in {item.code for item in items}
    assert (code == "fine") <= (not items)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_form(path: Path) -> None:
    """Messages are one short sentence in the reader's words, at a place in the file."""
    for item in checked(path):
        assert item.primary is not None
        assert item.primary.span.source.text
        assert len(item.message) < 200, item.message
        assert not item.message.endswith("."), item.message
        for text in (item.message, *item.notes, item.fix.message if item.fix else ""):
            assert "Dim(" not in text
            assert "<class" not in text
            assert "None" not in text


def test_every_code_of_the_front_end_has_a_file() -> None:
    have = {path.stem.partition("_")[0] for path in FILES}
    wanted = {code for code in catalogue.pages() if not NOT_CHECKED.match(code)}
    assert sorted(wanted - have - NEEDS_MORE.keys()) == []


def test_no_snapshot_without_a_file() -> None:
    assert {path.stem for path in CORPUS.glob("*.txt")} == {path.stem for path in FILES}
