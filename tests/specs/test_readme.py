"""The table in `specs/README.md` is up to date. ARCHSPEC_UPDATE=1 writes it again."""

import os

from archspec.shipped import folder
from tests.specs.families import NAMES
from tests.specs.readme import BEGIN, END, README, table


def test_every_spec_has_its_file():
    assert set(NAMES) == {path.stem for path in folder().glob("*.arch")}


def test_table_of_papers():
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    shown, after = rest.split(END)
    if os.environ.get("ARCHSPEC_UPDATE") == "1":
        README.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
        return
    assert shown == table()
