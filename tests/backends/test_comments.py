"""Which comments of a spec are in the generated source, and which imports it has."""

import ast
import inspect

import pytest

from archspec_torch.code.comments import doc_lines, without_names
from archspec_torch.module import load_source
from archspec_torch.source import python_source
from tests.specs.compiled import shipped
from tests.specs.families import NAMES, family, options


def test_comments_are_kept_whole(network):
    words = " ".join(f"word{number}" for number in range(60))
    net = network(
        f"""
# Says "this" and \'\'\'that\'\'\', C:\\new, and \"\"\"three\"\"\" quotes.
#
# {words}
block unit {{ linear(4) -> relu }}

# The whole.
network net {{
  input x: f32[B = 1, 4]
  output x -> unit -> unit
}}
"""
    )
    text, name = python_source(net.compiled)
    assert max(map(len, text.splitlines())) <= 100
    module = load_source(text)
    found = inspect.getdoc(module.Unit).split("\n", 2)[2]
    assert " ".join(found.split()) == (
        f"""Says "this" and \'\'\'that\'\'\', C:\\new, and \"\"\"three\"\"\" quotes. {words}"""
    )
    assert "The whole." in inspect.getdoc(getattr(module, name))


def test_paragraphs_that_fit_are_unchanged():
    table = "a   1\nbb  2\n\n- item"
    assert doc_lines(table, 40) == ["a   1", "bb  2", "", "- item"]
    assert doc_lines("one two three\nfour", 8) == ["one two", "three", "four"]
    assert doc_lines("\u202e\x07", 8) == []


def test_a_rule_has_the_first_comment_of_its_clauses(network):
    net = network(
        """
rule f(0) => identity
# A line each.
rule f(n) => linear(4) -> f(n - 1)
network net {
  input x: f32[B = 1, 4]
  output x -> f(2)
}
"""
    )
    text, _ = python_source(net.compiled)
    assert text.count("A line each.") == 1


@pytest.mark.parametrize("stem", NAMES)
def test_source_of_a_spec_is_clean(stem):
    """Every import is used, only torch and typing are imported, and every class has a docstring."""
    run = family(stem)["run"]
    text, _ = python_source(shipped(run["network"], **options(run)).compiled)
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in tree.body:
        if isinstance(node, ast.Import):
            assert {item.name.split(".")[0] for item in node.names} <= {"torch", "math"}
            assert {item.asname or item.name for item in node.names} <= used
        elif isinstance(node, ast.ImportFrom):
            assert node.module in {"torch", "typing", "collections"}
            assert {item.name for item in node.names} <= used
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            assert ast.get_docstring(node)


HIDDEN = """
# Channel attention: twice. `act` follows each convolution, as in the paper. It is fixed here.
# `width` is that of the output.
block gates(width: int, act: layer = relu) { conv(width, 3) -> act }
network net {
  input x: f32[B = 1, 4, H = 8, W = 8]
  output x -> a: gates(4) -> b: gates(6) -> global_avg_pool -> linear(3)
}
"""


def test_docstrings_omit_sentences_about_absent_arguments(network):
    kind = type(network(HIDDEN).to_torch().a)
    assert [*inspect.signature(kind).parameters] == ["in_channels", "width"]
    words = " ".join(inspect.getdoc(kind).split())
    assert words.endswith("Channel attention: twice. `width` is that of the output.")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("First. With `a`, more. Without it, less. Last `b`.", "First. Last `b`."),
        ("One `a`.\n\nTwo, as\n  a list", "Two, as\n  a list"),
        ("`a` is one.", ""),
        ("Nothing about a.", "Nothing about a."),
    ],
)
def test_sentences_about_a_name(text, kept):
    assert without_names(text, ["a"]) == kept
