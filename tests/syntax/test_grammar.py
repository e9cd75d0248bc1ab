"""The saved tables are those that Lark computes from the grammar."""

import logging
import subprocess
import sys
from pathlib import Path

import lark
import pytest
from lark import GrammarError

from archspec.source import Source
from archspec.syntax import grammar, parse, tree
from tests.syntax.tree import show

TEXT = Path(grammar.GRAMMAR).read_text("utf-8")
PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.arch"))


def test_saved_tables_are_up_to_date():
    """Update them by `python -m archspec.syntax.save_grammar`."""
    assert Path(grammar.SAVED).read_bytes().startswith(grammar.stamp(TEXT))


def modules():
    return [show(parse(Source("a.arch", path.read_text("utf-8"))).module) for path in PROGRAMS]


@pytest.mark.parametrize("version", ["0.0.0", ""])
def test_tables_of_another_lark_version_are_not_read(version, tmp_path, monkeypatch):
    shipped = modules()
    old = tmp_path / "grammar.bin"
    old.write_bytes(f"{version} 0\n".encode() + b"not for this one")
    monkeypatch.setattr(grammar, "SAVED", str(old))
    grammar._lark.cache_clear()
    try:
        assert modules() == shipped
    finally:
        grammar._lark.cache_clear()


def test_the_grammar_has_one_intended_conflict(caplog, monkeypatch):
    """In `[... for` the loop is spread. Lark resolves the ambiguity silently."""
    monkeypatch.setattr(lark.logger, "level", logging.DEBUG)
    grammar.compiled(TEXT, debug=True)
    conflicts = [line for line in caplog.messages if "conflict" in line.lower()]
    assert len(conflicts) == 1
    assert "Shift/Reduce conflict for terminal FOR" in conflicts[0]
    with pytest.raises(GrammarError):
        grammar.compiled(TEXT + "\nclash: operand\nwhen: clash | operand\n")


def test_every_production_has_its_function():
    assert grammar.productions() == tree.PRODUCTIONS


def test_parsing_does_not_import_error_handling():
    code = (
        "import sys; from archspec.source import Source; from archspec.syntax import parse;"
        "assert not parse(Source('a', 'block a { relu }')).diagnostics;"
        "print(*sorted({'difflib', 'archspec.syntax.mistakes'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
