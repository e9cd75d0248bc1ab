"""The exact messages for each file of the corpus, and a check that the offered fixes are right.

`corpus/NAME.arch` is checked, and the output must be equal to `corpus/NAME.txt`. After a change of
messages, `ARCHSPEC_UPDATE=1 pytest tests/errors` rewrites these texts: review the diff as a user
would. In `corpus` itself, a file name begins with the code that the file is about; every code of
the front end has a file. The subfolders have mistakes of people who come from PyTorch, Keras or
Python, mistakes in shapes and logic, and mistakes in the language.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from archspec.cli.check import examine
from archspec.diagnostics import catalogue
from archspec.diagnostics.changes import apply
from archspec.diagnostics.model import Diagnostic
from archspec.diagnostics.text import render
from archspec.source import Span

CORPUS = Path(__file__).resolve().parent / "corpus"
FILES = sorted(CORPUS.rglob("*.arch"))
IDS = [str(path.relative_to(CORPUS).with_suffix("")) for path in FILES]
UPDATE = os.environ.get("ARCHSPEC_UPDATE") == "1"
NOT_CHECKED = re.compile(r"E0521|E0701|E080|E081|E0824|E083|E084|E0901|E091")
"""Codes of building, drawing and passes, which `check` never reports."""
NEEDS_MORE = {
    "E0204": "a link in the file system: test_modules",
    "E0101": "a file of half a million characters: tests/syntax/test_limits",
    "E0102": "a line of five thousand characters: tests/syntax/test_limits",
    "E0106": "a hundred thousand words: tests/syntax/test_limits",
    "E0822": "is said of what the compiler does not share: tests/backends/test_shared",
    "E0507": "is never shown: what it would say was said where the fault is",
}


Checked = Callable[[Path], tuple[Diagnostic, ...]]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Checked:
    """The diagnostics of a file, printed with its bare name."""

    def check(path: Path) -> tuple[Diagnostic, ...]:
        monkeypatch.chdir(path.parent)
        return examine(Path(path.name)).diagnostics

    return check


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_messages(path: Path, checked: Checked) -> None:
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


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_form(path: Path, checked: Checked) -> None:
    """Messages are one short sentence in the reader's terms, with a location in the file."""
    for item in checked(path):
        assert item.primary is not None
        assert item.primary.span.source.text
        assert len(item.message) < 200, item.message
        assert not item.message.endswith("."), item.message
        assert item.fix is None or len(item.fix.message) > 8, item.fix
        for text in (item.message, *item.notes, item.fix.message if item.fix else ""):
            assert "Dim(" not in text
            assert "<class" not in text
            assert text.count("`") % 2 == 0, text
            assert "None" not in text.replace("`None`", "").replace("`= None`", "")


USED = re.compile(r"^use (\w+)", re.MULTILINE)


OTHER = "\nblock beside { input x: [B, C, H, W]\n  output x -> conv(8, 3, nonsense=1) }\n"
"""A block with an error of its own."""


@pytest.mark.parametrize("other", ["", OTHER], ids=["alone", "beside_another_error"])
@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_each_fix_removes_its_error_and_adds_none(
    path: Path, other: str, checked: Checked, tmp_path: Path
) -> None:
    given = tmp_path / path.name
    given.write_bytes(path.read_bytes() + other.encode())
    _copy_used(path, given, tmp_path)
    before = checked(given if other else path)
    words = Counter((item.code, item.message) for item in before)
    for item in before:
        if item.fix is None or not item.fix.edits:
            continue
        source = item.fix.edits[0].span.source
        text = apply(item.fix.edits, Span(source, 0, len(source.text)))
        given.write_text(text, "utf-8")
        _copy_used(path, given, tmp_path)
        after = Counter((found.code, found.message) for found in checked(given))
        assert after <= words - Counter([(item.code, item.message)]), item.message


def _copy_used(path: Path, given: Path, folder: Path) -> None:
    """Copy the files that `given` uses from the folder of the original."""
    for name in USED.findall(given.read_text("utf-8")):
        if (beside := path.with_name(f"{name}.arch")).is_file():
            shutil.copy(beside, folder)


def test_every_code_of_the_front_end_has_a_file() -> None:
    have = {path.stem.partition("_")[0] for path in FILES}
    wanted = {code for code in catalogue.pages() if not NOT_CHECKED.match(code)}
    assert sorted(wanted - have - NEEDS_MORE.keys()) == []


def test_no_snapshot_without_a_file() -> None:
    assert {path.with_suffix(".arch") for path in CORPUS.rglob("*.txt")} == {*FILES}
