"""Snapshots of formatted diagnostics, and properties of all of them."""

import re
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.diagnostics.changes import apply
from archspec.diagnostics.model import Edit, Fix, Frame, Severity, diagnostic
from archspec.diagnostics.text import render, render_one
from archspec.source import NOWHERE, Source, Span


def place(source, text, nth=0):
    at = -1
    for _ in range(nth + 1):
        at = source.text.index(text, at + 1)
    return Span(source, at, at + len(text))


def drawn(item, width=80):
    return render_one(item, width=width)


def expected(text):
    return dedent(text).lstrip("\n")


MLP = Source(
    "specs/mlp.arch",
    "block f(n: int) {\n"
    "  skip = x -> linear(64)\n"
    "  a = skip\n"
    "  b = a\n"
    "  y = skip + (x -> linear(128))\n"
    "  for i in 0..n {\n"
    "    linear(i)\n"
    "    relu\n"
    "    relu\n"
    "    relu\n"
    "    relu\n"
    "  }\n"
    "}\n",
)


def test_primary_and_secondary_span_in_one_file():
    item = diagnostic(
        "E0401",
        "`add` needs equal dims, but axis 1 is 64 and 128",
        place(MLP, "+"),
        "[B, 128] here",
        secondary=[(place(MLP, "linear(64)"), "this branch has [B, 64]")],
        notes=["only a literal 1 broadcasts"],
    )
    assert drawn(item) == expected("""
        error[E0401]: `add` needs equal dims, but axis 1 is 64 and 128
         --> specs/mlp.arch:5:12
          |
        2 |   skip = x -> linear(64)
          |               ---------- this branch has [B, 64]
        ...
        5 |   y = skip + (x -> linear(128))
          |            ^ [B, 128] here
          |
          = note: only a literal 1 broadcasts
    """)


def test_labels_on_one_line_are_stacked():
    item = diagnostic(
        "E0401",
        "differ",
        place(MLP, "+"),
        "sum",
        secondary=[
            (place(MLP, "skip", 2), "[B, 64]"),
            (place(MLP, "(x -> linear(128))"), "[B, 128]"),
        ],
    )
    assert drawn(item) == expected("""
        error[E0401]: differ
         --> specs/mlp.arch:5:12
          |
        5 |   y = skip + (x -> linear(128))
          |       ---- ^ ------------------ [B, 128]
          |       |    |
          |       |    sum
          |       [B, 64]
    """)


def test_a_span_in_another_file():
    other = Source("specs/std.arch", "block g { relu }\n")
    item = diagnostic(
        "E0203",
        "`f` is defined twice",
        place(MLP, "f"),
        "here",
        secondary=[(place(other, "g"), "and here")],
    )
    assert drawn(item) == expected("""
        error[E0203]: `f` is defined twice
         --> specs/mlp.arch:1:7
          |
        1 | block f(n: int) {
          |       ^ here
         ::: specs/std.arch:1:7
          |
        1 | block g { relu }
          |       - and here
    """)


def test_a_span_of_several_lines_that_begins_its_line():
    start, end = MLP.text.index("for i"), MLP.text.index("  }\n") + 4
    item = diagnostic("E0501", "too long", Span(MLP, start, end), "this loop")
    assert drawn(item) == expected("""
        error[E0501]: too long
          --> specs/mlp.arch:6:3
           |
         6 | /   for i in 0..n {
         7 | |     linear(i)
        ...  |
        11 | |     relu
        12 | |   }
           | |___^ this loop
    """)


def test_nested_spans_of_several_lines():
    body = Span(MLP, MLP.text.index("{"), len(MLP.text))
    item = diagnostic(
        "E0502", "body", body, "this body", secondary=[(place(MLP, "relu\n    relu\n"), "these")]
    )
    assert drawn(item) == expected("""
        error[E0502]: body
          --> specs/mlp.arch:1:17
           |
         1 |     block f(n: int) {
           |  ___________________^
         2 | |     skip = x -> linear(64)
        ...  |
         8 | | /     relu
         9 | | |     relu
           | | |________- these
        ...  |
        12 | |     }
        13 | |   }
           | |___^ this body
    """)


def test_the_end_of_the_text_is_shown_after_its_last_line():
    source = Source("a.arch", "network a {\n  relu\n\n")
    end = len(source.text)
    assert drawn(diagnostic("E0101", "missing `}`", Span(source, end, end), "here")) == expected("""
        error[E0101]: missing `}`
         --> a.arch:2:7
          |
        2 |   relu
          |       ^ here
    """)


def test_tabs_and_wide_characters_keep_carets_in_place():
    source = Source("a.arch", "\tx = 漢字 -> cnov(3)\n")
    assert drawn(diagnostic("E0201", "unknown name `cnov`", place(source, "cnov"))) == expected("""
        error[E0201]: unknown name `cnov`
         --> a.arch:1:12
          |
        1 |     x = 漢字 -> cnov(3)
          |                 ^^^^
    """)


def test_a_fix_shows_the_line_before_and_after():
    source = Source("a.arch", "block b {\n  cnov(3) -> relu\n}\n")
    word = place(source, "cnov")
    fix = Fix("did you mean `conv`?", (Edit(word, "conv"),))
    assert drawn(diagnostic("E0201", "unknown name `cnov`", word, fix=fix)) == expected("""
        error[E0201]: unknown name `cnov`
         --> a.arch:2:3
          |
        2 |   cnov(3) -> relu
          |   ^^^^
          |
        help: did you mean `conv`?
          |
        2 -   cnov(3) -> relu
        2 +   conv(3) -> relu
    """)


def test_a_fix_that_only_inserts_lines_shows_only_those():
    source = Source("a.arch", "network b {\n  output x\n}\n")
    at = source.text.index("  output")
    fix = Fix("declare an input", (Edit(Span(source, at, at), "  input x: [B, 3]\n"),))
    assert drawn(diagnostic("E0701", "no input", place(source, "x"), fix=fix)).endswith(
        "help: declare an input\n  |\n2 +   input x: [B, 3]\n"
    )


def test_a_fix_without_edits_is_a_remark():
    item = diagnostic("E0401", "no", place(MLP, "+"), fix="requires H % 2 == 0")
    assert drawn(item).endswith("  |\n  = help: requires H % 2 == 0\n")


def test_long_expansion_chain_is_truncated_in_the_middle():
    at = place(MLP, "linear(i)")
    frames = [Frame(f"columns({n})", at) for n in range(40)]
    text = drawn(diagnostic("E0501", "too deep", at, expansion=frames))
    assert "in `columns(0)`, expanded at specs/mlp.arch:7:5" in text
    assert "... 34 more expansions ..." in text
    assert "in `columns(39)`" in text
    assert "columns(20)" not in text


def test_diagnostic_without_a_location():
    assert drawn(diagnostic("E0801", "no such backend", notes=["install it"])) == (
        "error[E0801]: no such backend\n  = note: install it\n"
    )
    assert "<built in>" in drawn(diagnostic("E0801", "broken", NOWHERE))


def test_very_long_line_is_truncated_around_the_mark():
    source = Source("a.arch", "x" * 1_000_000 + "?" + "y" * 1_000_000)
    text = drawn(diagnostic("E0102", "odd", Span(source, 1_000_000, 1_000_001), "here"))
    source_line, carets = text.splitlines()[3:5]
    assert len(source_line) <= 80
    assert source_line.index("?") == carets.index("^")
    assert source_line.startswith("1 | …x")
    assert source_line.endswith("y…")


def test_last_line_counts_diagnostics_and_suggests_a_page():
    warning = diagnostic("W0402", "maybe", severity=Severity.WARNING)
    errors = [diagnostic("E0401", "one"), diagnostic("E0201", "two")]
    last = render([warning, *errors]).splitlines()[-1]
    assert last == "found 2 errors and 1 warning (`archspec explain E0401` says more)"
    assert render([]) == ""


def test_colour_changes_no_text():
    item = diagnostic("E0401", "no", place(MLP, "+"), "here", notes=["why"], fix="do that")
    coloured = render([item], colour=True)
    assert coloured != render([item])
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render([item])


HOSTILE = "\x1b]0;owned\x07 \x9b31m \u202e \u2066 \u200b \x00 \r \x7f \ud800 \U000e0041"


def test_nothing_from_a_spec_reaches_the_terminal_unescaped():
    source = Source(f"a{HOSTILE}.arch", f"x = {HOSTILE}\n")
    span = Span(source, 0, len(source.text))
    fix = Fix(HOSTILE, (Edit(span, HOSTILE),))
    item = diagnostic(
        HOSTILE, HOSTILE, span, HOSTILE, notes=[HOSTILE], expansion=[Frame(HOSTILE, span)], fix=fix
    )
    text = render([item])
    assert all(character == "\n" or character.isprintable() for character in text)
    text.encode()
    assert "\\x1b]0;owned\\x07" in text
    assert "\\u202e" in text


@st.composite
def diagnostics(draw):
    text = draw(st.text(st.sampled_from("ab \n\t漢é\u0301{}\r"), max_size=60))
    source = Source("p.arch", text)
    spots = st.integers(0, len(text) + 2)

    def span():
        start, end = sorted((draw(spots), draw(spots)))
        return Span(source, start, end)

    secondary = [
        (span(), draw(st.sampled_from(["", "x", "a long label"])))
        for _ in range(draw(st.integers(0, 3)))
    ]
    return diagnostic(
        "E0101", "m", span(), draw(st.sampled_from(["", "here"])), secondary=secondary
    )


@settings(max_examples=200, deadline=None)
@given(diagnostics(), st.integers(10, 100))
def test_any_spans_can_be_drawn(item, width):
    lines = render_one(item, width=width).splitlines()
    assert lines[0] == "error[E0101]: m"
    assert all(line == line.rstrip() for line in lines)
    if item.primary.span.source.text:
        assert any("^" in line for line in lines)


@pytest.mark.parametrize(
    ("edits", "result"),
    [([(0, 1, "x")], "xbc"), ([(3, 3, "!")], "abc!"), ([(0, 2, ""), (1, 3, "z")], "c")],
)
def test_edits_apply_in_order_and_the_first_overlapping_one_wins(edits, result):
    source = Source("a", "abc")
    made = [Edit(Span(source, start, end), text) for start, end, text in edits]
    assert apply(made, Span(source, 0, 3)) == result


@pytest.mark.parametrize("blank", "\xa0\u1680\u2003\u202f\u205f\u3000\u2800\u3164\u115f\uffa0")
def test_unusual_white_space_is_shown_by_its_code_point(blank):
    source = Source("a.arch", f"x ={blank}y\n")
    drawn = render([diagnostic("E0111", "no space", Span(source, 3, 4))])
    number = f"\\x{ord(blank):02x}" if ord(blank) < 0x100 else f"\\u{ord(blank):04x}"
    assert f"x ={number}y\n" in drawn
    assert blank not in drawn
    assert "   " + "^" * len(number) + "\n" in drawn


def test_each_changed_line_has_its_own_number_and_lines_between_are_shown() -> None:
    source = Source("a.arch", "a\nb\nc\nd\n\n\n\n\ne\n")
    edits = (
        Edit(Span(source, 0, 2), ""),
        Edit(Span(source, 4, 5), "x\ny"),
        Edit(Span(source, 12, 13), "z"),
    )
    item = diagnostic("E0211", "m", Span(source, 4, 5), fix=Fix("f", edits))
    shown = render_one(item).partition("help: f\n")[2]
    assert shown.splitlines()[1:] == [
        "1 - a",
        "1   b",
        "3 - c",
        "2 + x",
        "3 + y",
        "...",
        "9 - e",
        "9 + z",
    ]
