"""Every mistake in the table: its message and location, and no other message."""

import re
from pathlib import Path

import pytest

from archspec.diagnostics.changes import apply
from archspec.diagnostics.model import Edit
from archspec.source import Source, Span
from archspec.syntax import parse
from archspec.syntax.mistakes import MISTAKES

# code, words of the message, the text with the reported place between guillemets
CASES = [
    (
        "E0114",
        "`)` is missing",
        "block a {\n  x = y -> conv(3, bias=«false»\n  output x -> relu\n}",
    ),
    (
        "E0114",
        "`)` is missing",
        "block a {\n  x = y -> conv(«3»\n    -> relu\n    -> tanh\n  z = 1\n}",
    ),
    ("E0114", "`]` is missing", "block a {\n  x = [conv(3), «relu»\n  output x -> relu\n}"),
    (
        "E0114",
        "never closed",
        "block a {\n  x = «[»\n    conv(3),\n    relu,\n  output x -> relu\n}",
    ),
    ("E0114", "`)` is missing", "rule f(«n» => conv(n)"),
    ("E0114", "`)` is missing", "block a(x: «int» {\n  relu\n}\nblock b { relu }"),
    (
        "E0114",
        "never closed",
        "block a {\n  for i in 0..3 «{»\n    f\n  -> relu\n}\nblock b { relu }",
    ),
    ("E0114", "never closed", "block a {\n  relu\n}\nblock b «{»\n  relu\n"),
    ("E0114", "never closed", "block a «{»\n  relu\nblock b { relu }"),
    ("E0115", "matches no opening bracket", "block a {\n  x = y -> conv(3)«)»\n  output x\n}"),
    (
        "E0115",
        "matches no opening bracket",
        "block a {\n  if c { f }\n  «}»\n  output x\n}\nblock b { f }",
    ),
    ("E0115", "`[` is closed by `)`", "block a {\n  y = conv([1, 2«)», 3)\n}"),
    ("E0115", "matches no opening bracket", "block a { f }\n«}»\nblock b { f }"),
    ("E0112", "no closing quote", 'block a {\n  x = «"abc»\n  y = 1\n}'),
    ("E0112", "double quotes", "block a {\n  x = «'abc'»\n  y = 1\n}"),
    ("E0112", "single line", 'block a {\n  «"""»What\n  it does.\n  """\n  y = 1\n}'),
    ("E0112", "`{` in this string", 'block a {\n  x = "a«{»b"\n}'),
    ("E0112", "`}` in a string", 'block a {\n  x = "a«}»b"\n}'),
    ("E0112", "between the braces", 'block a {\n  x = "a«{}»b"\n}'),
    ("E0116", "missing after `+`", 'block a {\n  x = "{a «+»}"\n}'),
    ("E0111", "`and`", "block a {\n  x = y «&&» z\n}"),
    ("E0111", "`or`", "block a {\n  x = y «||» z\n}"),
    ("E0111", "`not`", "block a {\n  x = «!»z\n}"),
    ("E0111", "`**`", "block a {\n  x = 2 «^» z\n}"),
    ("E0111", "`->`", "block a {\n  f «→» g\n}"),
    ("E0111", "bound once", "block a {\n  «x +=» 1\n}"),
    ("E0111", "`=`", "block a {\n  x «:=» 1\n}"),
    ("E0111", "ends with its line", "block a {\n  x = 1«;»\n  y = 2\n}"),
    ("E0111", "ends with its line", "block a {\n  x = 1«;» y = 2\n}"),
    ("E0111", "letters from a to z", "block a {\n  «größe» = 1\n}"),
    ("E0111", "matmul", "block a {\n  x = a «@» b\n}"),
    ("E0111", "no meaning", "block a {\n  x = «$»a\n}"),
    ("E0111", "`#`", "«//» about it\nblock a { f }"),
    ("E0111", "`#`", "block a {\n  x = 3 «//» the width\n  y = x // 2\n}"),
    ("E0111", "`#`", "«/* about\n it */»\nblock a { f }"),
    ("E0118", "decorators", "«@»jit\nblock a { f }"),
    ("E0113", "neither a number nor a name", "block a {\n  «3x3»: conv(3)\n}"),
    ("E0113", "not grouped", "block a {\n  x = «1_000»\n}"),
    ("E0113", "missing after the decimal point", "block a {\n  x = «1.»\n}"),
    ("E0120", "on the left of `=`", "block a {\n  «f(a)» = 3\n}"),
    ("E0120", "on the left of `=`", "block a {\n  «x -> f» = 3\n}"),
    ("E0120", "a string cannot be bound", 'block a {\n  «"l": [3]» = y\n}'),
    ("E0120", "has one binding", "block a {\n  «a = 1», b = 2\n}"),
    ("E0121", "a tuple", "block a {\n  («x = 3»)\n}"),
    ("E0121", "a list", "block a {\n  [«x = 3»]\n}"),
    ("E0122", "must be a shape", "block a {\n  x: «int» = 3\n}"),
    ("E0122", "must be a shape", "block a {\n  input x: «f32»\n}"),
    ("E0123", "given with `=`", "block a {\n  conv(«kernel: 3»)\n}"),
    ("E0123", "single word", "block a {\n  conv(«a.b»=3)\n}"),
    ("E0124", "comes before", "block a {\n  y = («...», x)\n}"),
    ("E0124", "needs a name", "block a {\n  input «...»\n}"),
    ("E0124", "write `(...name)`", "block a {\n  «...x»\n}"),
    ("E0125", "index is missing", "block a {\n  z = f«[]»\n}"),
    ("E0126", "several values", "block a {\n  «a, b»\n}"),
    ("E0126", "takes one value", "block a {\n  output «a, b»\n}"),
    ("E0127", "no default", "block a {\n  input «x = [B, C]»\n}"),
    ("E0127", "an input is written", "block a {\n  input «x [B, C]»\n}"),
    ("E0127", "plain name", "block a {\n  output «y: [B]» = x\n}"),
    ("E0127", "declared as", "block a {\n  param «p» = zeros\n}"),
    ("E0127", "needs a value", "block a {\n  buffer «q: i64[2]»\n}"),
    ("E0127", "shared name = value", "block a {\n  shared «x»\n}"),
    ("E0127", "draw name = value", "block a {\n  draw «x»\n}"),
    ("E0127", "init op.parameter", "block a {\n  init «conv = 3»\n}"),
    ("E0128", "first line", "block a { f }\n«language 1»"),
    ("E0128", "language 1, not 7", "«language 7»"),
    ("E0128", "use path", "use std.cnn.«{» a }\nblock a { f }"),
    ("E0129", "a signature is written", "rule f(n): «[B]»"),
    ("E0130", "match literals", "block f(«3») { f }"),
]

EXAMPLES = [(row.code, row.message, row.example) for row in MISTAKES] + CASES


def marked(example):
    """The text, and the location of the report."""
    start, end = example.index("«"), example.index("»") - 1
    return example.replace("«", "").replace("»", ""), (start, end)


@pytest.mark.parametrize(("code", "words", "example"), EXAMPLES)
def test_one_mistake_one_report(code, words, example):
    text, place = marked(example)
    result = parse(Source("test.arch", text))
    (found,) = result.diagnostics
    assert (found.code, (found.primary.span.start, found.primary.span.end)) == (code, place)
    # placeholders of the table (<word>) are replaced
    pattern = re.sub(r"<\w+>", ".+", re.escape(words))
    assert re.search(pattern, found.message), found.message
    for text in (found.message, found.fix.message if found.fix else ""):
        assert not re.search(r"<(word|before|meant)>|\b(NAME|NL|STRING|NUMBER|\$END|ERROR)\b", text)


@pytest.mark.parametrize(("code", "words", "example"), EXAMPLES)
def test_definitions_next_to_a_mistake_are_read(code, words, example):
    """Definitions before and after the broken one are complete."""
    text, _ = marked(example)
    text = text.removeprefix("language 1").removeprefix("language 7")
    result = parse(Source("test.arch", f"block before {{ f }}\n{text}\nblock after {{ g }}\n"))
    assert {d.code for d in result.diagnostics} <= {code} | (
        {"E0128"} if "language" in text else set()
    )
    whole = {d.name for d in result.module.definitions if not d.damaged}
    assert {"before", "after"} <= whole


def edits_of(example):
    """The edits proposed by the report of an example, if it is certain of any."""
    (found,) = parse(Source("test.arch", marked(example)[0])).diagnostics
    return found.fix.edits if found.fix else ()


@pytest.mark.parametrize("example", [row[2] for row in EXAMPLES if edits_of(row[2])])
def test_edits_of_fixes_remove_the_error(example):
    text, _ = marked(example)
    source = Source("test.arch", text)
    edits = edits_of(example)
    cured = apply([Edit(Span(source, e.span.start, e.span.end), e.text) for e in edits],
                  Span(source, 0, len(text)))  # fmt: skip
    assert parse(Source("test.arch", cured)).diagnostics == ()


@pytest.mark.parametrize(
    "body",
    [
        "if c then [a: relu] else [a: relu, b: relu]",
        "for f in [a: relu, b: relu] { f }",
        "chain([f for f in [a: relu, b: relu] if not c])",
    ],
)
def test_a_list_that_begins_with_a_label_is_no_slice(body):
    text = f"block made(c: bool) {{\n  {body}\n}}\n"
    assert parse(Source("test.arch", text)).diagnostics == ()


PAGES = sorted((Path(__file__).parents[2] / "archspec/diagnostics/explain").glob("E01*.md"))
LARGE = {"E0101", "E0102", "E0106"}  # their examples would be as large as the limit


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_show_the_mistake_and_its_fix(page):
    example, instead = re.findall(r"```arch\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    codes = {d.code for d in parse(Source("example.arch", example)).diagnostics}
    assert page.stem in LARGE or page.stem in codes
    assert parse(Source("instead.arch", instead)).diagnostics == ()
