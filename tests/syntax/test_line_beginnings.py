"""Lines that begin with a sign or word of the language: each is continued or reports why not.

The table has every terminal of the grammar, so that a new one cannot be forgotten.
"""

import pytest

from archspec.source import Source
from archspec.syntax import parse
from archspec.syntax.grammar import terminals
from tests.syntax.tree import read, show

GOES_ON = {
    **{sign: f"y = a {sign} b" for sign in ("+", "*", "**", "/", "%", "->", "..")},
    **{sign: f"y = a {sign} b" for sign in ("==", "!=", "<", "<=", ">", ">=", "and", "or", "in")},
    "not in": "y = a not in b",
    ".": "y = a . b",
    ",": "y, z = b",
    "then": "y = if a then b else c",
    "else": "y = if a then b else c",
    "where": "input x: [B, H] where H > 1",
    "when": "output y = a when b",
}
"""By the sign, a statement continued by a line that begins with the sign."""

SAYS = {
    "//": ("E0111", "a line cannot start with `//`"),
    "=": ("E0116", "a name is missing before this `=` on the same line"),
    ":": ("E0117", "a label must be on the same line as its `:`"),
    "=>": ("E0118", "`=>` belongs to rules"),
    ")": ("E0115", "this `)` matches no opening bracket"),
    "]": ("E0115", "this `]` matches no opening bracket"),
    "...": ("E0124", "`...` is allowed only inside"),
}
"""By the sign, the only message for `y = a` and a line with the sign and a value."""

FOREIGN = {"&&": "and", "||": "or", "|>": "->", "→": "->", "×": "*", "≤": "<=", "∈": "in"}
"""Signs of other languages, which are reported and read as the intended sign."""

BEGINS = {
    *("-", "not", "(", "[", "{", "NAME", "NUMBER", "STRING", "if", "for"),
    *("transient", "fixed"),
    *("input", "output", "param", "buffer", "shared", "init", "draw", "tie", "assert"),
    *("block", "network", "rule", "preset", "use", "inline", "language"),
}
"""What can be the beginning of a statement, definition or value."""

MADE_BY_LAYOUT = {"}", "NL", "ERROR", "DOTS_END"}


def body(text: str) -> str:
    return f"block a {{\n{text}\n}}\n"


def test_every_terminal_is_classified():
    placed = {*GOES_ON, *SAYS, *BEGINS, *MADE_BY_LAYOUT} - {"not in"}
    assert terminals() == placed


@pytest.mark.parametrize("comment", ["", "  # why", "\n  # why\n"])
@pytest.mark.parametrize(("sign", "whole"), GOES_ON.items(), ids=list(GOES_ON))
def test_statement_continues(sign, whole, comment):
    before, _, after = whole.partition(f" {sign} " if sign != "," else ",")
    broken = f"{before}{comment}\n    {sign} {after}"
    assert show(read(body(broken)).definitions) == show(read(body(whole)).definitions)


@pytest.mark.parametrize(("sign", "expected"), SAYS.items(), ids=list(SAYS))
@pytest.mark.parametrize("tail", ["\n  output y\n}", "\n}", " }"])
def test_line_is_refused_with_one_message(sign, expected, tail):
    result = parse(Source("a.arch", f"block a {{\n  y = a\n    {sign} b{tail}\n"))
    (fault,) = result.diagnostics
    code, words = expected
    assert fault.code == code
    assert words in fault.message
    assert fault.primary is not None
    assert fault.primary.span.line == 3


@pytest.mark.parametrize(("sign", "meant"), FOREIGN.items())
def test_statement_continues_with_the_intended_operator(sign, meant):
    result = parse(Source("a.arch", body(f"  y = a\n    {sign} b")))
    assert [fault.code for fault in result.diagnostics] == ["E0111"]
    assert f"`{meant}`" in result.diagnostics[0].message
    assert show(result.module.definitions) == show(read(body(f"y = a {meant} b")).definitions)


@pytest.mark.parametrize("text", ["// (b) }", "// see {", "f(a) // of the first\n}"])
def test_brackets_in_a_wrong_comment_close_open_ones(text):
    result = parse(Source("a.arch", f"block a {{\n  y = a\n  {text}\n"))
    codes = {fault.code for fault in result.diagnostics}
    assert codes == ({"E0111"} if "}" in text else {"E0111", "E0114"})


@pytest.mark.parametrize(
    ("text", "code", "words", "line"),
    [
        ("y = a,\n  output y", "E0116", "missing after `,`", 2),
        ("y = a,\n  z = b\n  output z", "E0126", "continues the statement", 2),
        ("y = a, b", "E0126", "a tuple is written in parentheses", 2),
        ("output y, z = a, b", "E0126", "a tuple is written in parentheses", 2),
        ("y = a, z = b", "E0120", "has one binding", 2),
        ("y = ( // the first of\n    a\n  )", "E0111", "`//` divides", 2),
    ],
)
def test_lines_that_end_with_a_comma_or_a_comment(text, code, words, line):
    (fault,) = parse(Source("a.arch", body(f"  {text}").replace("{\n\n", "{\n"))).diagnostics
    assert fault.code == code
    assert words in fault.message
    assert fault.primary is not None
    assert fault.primary.span.line == line
