"""The tables that are shipped are those of the grammar, and they are read without Lark."""

import subprocess
import sys

import pytest

from archspec.syntax import build_tables


def test_tables_are_fresh():
    """Renew them by `python -m archspec.syntax.build_tables`."""
    grammar = build_tables.GRAMMAR.read_text("utf-8")
    assert build_tables.render(build_tables.build(grammar)) == build_tables.TABLES.read_text(
        "utf-8"
    )


def test_the_grammar_has_no_conflicts():
    from lark import GrammarError

    grammar = build_tables.GRAMMAR.read_text("utf-8")
    build_tables.build(grammar)  # raises for a reduce/reduce conflict
    with pytest.raises(GrammarError):
        build_tables.build(grammar + "\nclash: operand\nstage: clash | operand\n")


def test_every_action_of_the_grammar_has_a_function():
    from archspec.syntax import engine, tables

    actions = {action for _, _, action in tables.load().rules if action}
    assert all(engine._function(action) for action in actions)


def test_parsing_imports_neither_lark_nor_what_only_errors_need():
    code = (
        "import sys; from archspec.source import Source; from archspec.syntax import parse;"
        "assert not parse(Source('a', 'block a { relu }')).diagnostics;"
        "print(*sorted({'lark', 'difflib', 'archspec.syntax.mistakes'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
