"""One run reports all errors; everything that is complete is read; nothing raises."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.diagnostics.text import render
from archspec.source import Source
from archspec.syntax import ast, limits, parse, reader
from archspec.syntax.visit import walk
from tests.syntax.tree import show

PROGRAMS = [
    p.read_text("utf-8") for p in sorted(Path(__file__).with_name("programs").glob("*.arch"))
]
SIGNS = list("()[]{},:=.;#\"'\\é-*\n\t ")
WORDS = ["if", "then", "else", "for", "in", "not", "where", "input", "output", "block", "rule", "x"]
PIECES = [*SIGNS, *WORDS, "=>", "->", "..", "...", "**", "//", "/*", "{a}", "3", "network"]


def faults(text):
    return [(d.code, d.primary.span.line) for d in parse(Source("test.arch", text)).diagnostics]


def test_all_errors_of_a_file():
    text = """
network n {
  x = conv(3
  y = [relu
  z = conv(3) relu
  w = x && y
  for i of 0..3 { f }
  v = if c 1 else 2
  output z ->
}
rule f(n) = conv(n)
block b(n int { relu }
preset p = n(3,, 4)
def g(x):
    return x
block last { relu }
"""
    assert faults(text) == [
        ("E0114", 3), ("E0114", 4), ("E0117", 5), ("E0111", 6), ("E0131", 7), ("E0131", 8),
        ("E0116", 9), ("E0117", 11), ("E0114", 12), ("E0116", 13), ("E0118", 14),
    ]  # fmt: skip


def test_the_rest_of_a_broken_statement_is_read():
    text = "block a {\n  y: [B, C] = x -> first: conv(3 $ 4) -> second: relu\n}"
    (block,) = parse(Source("test.arch", text)).module.definitions
    (statement,) = block.body.statements
    assert show(statement) == (
        "Bind([NameTarget(y TypeExpr(- [DimExpr(B -) DimExpr(C -)]))] "
        "{x -> first: Call(conv [Argument(3 -) Argument(4 -)]) -> second: relu})"
    )


def test_names_bound_by_a_broken_statement_are_known():
    text = "block a {\n  y, ...z = = 3\n  output y\n}"
    (block,) = parse(Source("test.arch", text)).module.definitions
    bind = block.body.statements[0]
    assert isinstance(bind, ast.Bind)
    assert isinstance(bind.value, ast.Missing)
    assert [target.name for target in bind.targets] == ["y", "z"]


def test_definition_with_a_broken_signature_keeps_its_name():
    text = "block a(n: int) -> [B] {\n  f\n}\nnetwork b + { f }\npreset c(3)\nrule d(n): [B] => n\n"
    module = parse(Source("test.arch", text)).module
    assert [(d.name, d.damaged) for d in module.definitions] == [
        ("a", True), ("b", True), ("c", True), ("d", True),
    ]  # fmt: skip
    assert module.definitions[1].is_network


def test_unreadable_parameter_is_dropped():
    text = "block a(x: int, +, y) { f }\nrule b(1, +, z) => f\nrule c(+): [B] -> [B]\n"
    module = parse(Source("test.arch", text)).module
    assert [d.damaged for d in module.definitions] == [True] * 3
    assert [[p.name for p in d.parameters] for d in module.definitions] == [
        ["x", "y"],
        [None, "z"],
        [],
    ]


def test_discarded_parts_leave_no_trace():
    """The chain was already reduced when the second `=` turns out to be wrong."""
    (block,) = parse(Source("test.arch", "block a {\n  y = x -> f -> g = o\n}")).module.definitions
    assert [show(statement) for statement in block.body.statements] == [
        "Bind([y] {x -> f -> g: o})"
    ]


def test_an_error_in_a_discarded_part_is_not_reported():
    """The tuple in parentheses was already reduced when `in` is inserted."""
    assert faults("block a {\n  y = (for u(b, c=0))\n}") == [("E0131", 2), ("E0110", 2)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_results_do_not_depend_on_the_copying_interval(data):
    """The tokens since the last copy are read again after an error."""
    text = data.draw(st.sampled_from(PROGRAMS))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at:]
    once = check(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_STEP", data.draw(st.sampled_from([1, 2, 7, 100_000])))
        again = check(text)
    assert render(once.diagnostics, width=100) == render(again.diagnostics, width=100)
    assert show(once.module) == show(again.module)


def check(text):
    """Properties for any input."""
    result = parse(Source("test.arch", text))
    assert len(result.diagnostics) <= limits.MAX_ERRORS
    for item in result.diagnostics:
        assert 0 <= item.primary.span.start <= item.primary.span.end <= len(text)
        assert item.code.startswith("E01")
    missing = [n for n in walk(result.module) if isinstance(n, ast.Missing)]
    assert result.diagnostics or not missing
    return result


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutations_of_valid_programs(data):
    """Parts inserted, removed or doubled: no exception, and every gap in the tree is reported."""
    text = data.draw(st.sampled_from(PROGRAMS))
    start = data.draw(st.integers(0, max(0, len(text) - 600)))
    text = text[start : start + 600]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        to = at + data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from([*PIECES, ""])) + text[to:]
    check(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join))
def test_any_sequence_of_tokens(text):
    check(text)
    check(f"block a {{\n{text}\n}}\n")


def test_file_that_begins_with_an_invalid_token():
    check("\\ ' then } .. .. } , . } \n \u00e9 if = }")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text):
    check(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(PROGRAMS) - 1), st.data())
def test_missing_bracket_affects_one_definition(index, data):
    """Without any one bracket, at most two definitions are affected, and the file has an error."""
    text = PROGRAMS[index]
    whole = parse(Source("test.arch", text)).module.definitions
    places = [i for i, c in enumerate(text) if c in "()[]" and _in_code(text, i)]
    at = data.draw(st.sampled_from(places))
    result = check(text[:at] + text[at + 1 :])
    assert result.diagnostics
    line = text.count("\n", 0, at) + 1
    owner = next(d for d in whole if d.span.start <= at < d.span.end)
    first, last = owner.span.line, owner.span.line + owner.span.text.count("\n")
    assert all(first <= d.primary.span.line <= last for d in result.diagnostics), line
    assert len(result.module.definitions) >= len(whole) - 1


def _in_code(text, at):
    start = text.rfind("\n", 0, at) + 1
    before = text[start:at]
    return "#" not in before and before.count('"') % 2 == 0
