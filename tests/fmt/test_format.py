"""The formatter: pairs of texts, its guarantees on every program, comments in random positions."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archspec.diagnostics.failure import CompileFailed
from archspec.fmt import FormatterFault, format_source
from archspec.fmt.check import same, same_comments
from archspec.source import Source
from archspec.syntax import parse
from archspec.syntax.lexer import scan

ROOT = Path(__file__).parents[2]
CASES = sorted(Path(__file__).with_name("cases").glob("*.arch"))
PROGRAMS = sorted((ROOT / "tests/syntax/programs").glob("*.arch"))
SHIPPED = sorted([*ROOT.glob("specs/*.arch"), *ROOT.glob("archspec/stdlib/*.arch")])


def formatted(text):
    return format_source(Source("test.arch", text))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_pairs(path):
    """A case is a text and, after `# output`, its formatted form, which formatting keeps."""
    before, _, after = path.read_text("utf-8").rpartition("# output\n")
    assert formatted(before) == after
    assert formatted(after) == after


@pytest.mark.parametrize("path", [*PROGRAMS, *SHIPPED], ids=lambda path: path.name)
def test_programs(path):
    """Idempotent, with the same meaning, in lines of up to 100 characters unless a token is
    longer."""
    text = path.read_text("utf-8")
    once = formatted(text)
    assert formatted(once) == once
    before, after = (parse(Source("test.arch", t)).module for t in (text, once))
    assert same(before, after)
    assert same_comments(before, after)
    assert all(len(line) <= 100 for line in once.splitlines() if "#" not in line)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_line_breaks_of_the_author_do_not_matter(path):
    """Without its comments and inner line breaks, a file is formatted the same."""
    once = formatted(path.read_text("utf-8"))
    module = parse(Source("test.arch", once)).module
    bare = once
    for comment in reversed(module.comments):
        bare = bare[: comment.span.start] + bare[comment.span.end :]
    joined = re.sub(r"\n *->", " ->", re.sub(r"([\[(,])\n *", r"\1", bare))
    assert len(joined.splitlines()) < len(bare.splitlines()) or "->" not in bare
    assert formatted(joined) == formatted(bare)


def test_syntax_errors_are_reported_not_formatted():
    with pytest.raises(CompileFailed) as failure:
        formatted("block a {\n  conv(3\n}")
    assert [item.code for item in failure.value.diagnostics] == ["E0114"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("block a { f -> g }", "block a { g -> f }"),
        ("block a { l: (f) }", "block a { l: f }"),
        ("block a { (f) }", "block a { f }"),
        ("block a { f(1) }", "block a { f(1.0) }"),
        ("block a { (x,) }", "block a { (x) }"),
        ("# d\nblock a { f }", "# e\nblock a { f }"),
        ('block a { "x" }', "block a { x }"),
    ],
)
def test_the_check_sees_differences(one, other):
    trees = [parse(Source("test.arch", text)).module for text in (one, other)]
    assert same(trees[0], trees[0])
    assert not same(*trees)


def test_a_formatter_that_changes_the_meaning_is_stopped(monkeypatch):
    from archspec.fmt import format as module

    monkeypatch.setattr(module, "_layout", lambda tree: "block b { f }\n")
    with pytest.raises(FormatterFault):
        formatted("block a { f }")


def test_empty_files():
    assert formatted("") == ""
    assert formatted("\n\n  \n") == ""
    assert formatted("\n\n# a\n\n\n\n# b") == "# a\n\n# b\n"


DEFINITIONS = [
    definition.span.text
    for path in PROGRAMS
    for definition in parse(Source(path.name, path.read_text("utf-8"))).module.definitions
]


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_comments_are_kept_anywhere(data):
    """Comments inserted between any two tokens, if the file still parses, are kept by
    formatting."""
    text = data.draw(st.sampled_from(DEFINITIONS))
    tokens, _ = scan(text, 0, len(text))
    count = data.draw(st.integers(1, 6))
    places = data.draw(st.sets(st.integers(0, len(tokens) - 1), max_size=count))
    put = 0
    for at in sorted(places, reverse=True):
        end = tokens[at].end
        own_line = "\n" if data.draw(st.booleans()) else ""
        changed = f"{text[:end]}{own_line} # mark {at}\n{text[end:]}"
        if not parse(Source("test.arch", changed)).diagnostics:
            text, put = changed, put + 1
    assume(put)
    once = formatted(text)
    assert once.count("# mark") == text.count("# mark") == put
    assert formatted(once) == once


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_space_does_not_matter(data):
    text = data.draw(st.sampled_from(DEFINITIONS))
    assume("#" not in text)
    tokens, _ = scan(text, 0, len(text))
    wide = text
    for at in sorted(data.draw(st.sets(st.sampled_from([t.start for t in tokens]))), reverse=True):
        wide = f"{wide[:at]}  {wide[at:]}"
    assert formatted(wide) == formatted(text)
