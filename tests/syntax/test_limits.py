"""Files beyond a limit are rejected immediately; files just below it are read."""

import pytest

from archspec.source import Source
from archspec.syntax import limits, parse
from tests.timing import within


def body(text):
    return f"block a {{\n{text}\n}}\n"


def nested(depth, opener="(", closer=")"):
    return body(opener * depth + "x" + closer * depth)


N = limits.MAX_NESTING - 1  # the body is nested in a bracket, too
UNDER = {
    "characters": "#" * 99 + "\n" + ("# " + "x" * 97 + "\n") * 4_999,
    "line": body("x = [" + "1, " * 1_660 + "1]"),
    "tokens": body("[" + "1,1,1,1,1,1,1,1,1,1\n,1,1,1,1,1,1,1,1,1," * 2_100 + "]"),
    "parentheses": nested(N),
    "brackets": nested(N, "[", "]"),
    "braces": nested(N, "{", "}"),
    "calls": body("f(" * N + ")" * N),
    "sum": body("x = " + "1 + " * (limits.MAX_DEPTH - 10) + "1"),
    "powers": body("x = " + "2 ** " * (limits.MAX_DEPTH - 10) + "2"),
    "chain": body("f\n" + "-> f\n" * 10_000),
    "else if": body("if a { b }" + " else if a { b }" * 50),
    "digits": body("x = " + "9" * limits.MAX_DIGITS),
    "string": body('x = "' + "a" * limits.MAX_STRING + '"'),
    "name": body("x" * limits.MAX_NAME),
    "templates": body('x = "{a + 1}{a + 1}{a + 1}{a + 1}"\n' * 2_400),
    "statements": body("x = y\n" * 15_000),
}
OVER = {
    "characters": ("x" * 600_000, "E0101"),
    "line": (body("#" * 1_000_000), "E0101"),
    "line alone": (body("#" * 100_000), "E0102"),
    "tokens": (body("[" + "1,1,1,1,1,1,1,1,1,1\n,1,1,1,1,1,1,1,1,1," * 2_200 + "]"), "E0106"),
    "templates": (body('x = "{a + 1}{a + 1}{a + 1}{a + 1}"\n' * 6_000), "E0106"),
    "parentheses": (nested(N + 1), "E0103"),
    "many parentheses": (body("(\n" * 10_000 + "x" + "\n)" * 10_000), "E0103"),
    "open parentheses": (body("(\n" * 10_000), "E0103"),
    "braces": (nested(2_000, "{", "}"), "E0103"),
    "sum": (body("x = " + "1 + " * 1_000 + "1"), "E0104"),
    "long sum": (body("x = " + "1 +\n" * 39_000 + "1"), "E0104"),
    "minuses": (body("x = " + ("- " * 1_000 + "\n") * 60 + "1"), "E0104"),
    "not": (body("x = " + "not " * 1_000 + "1"), "E0104"),
    "powers": (body("x = " + "2 ** " * 900 + "2"), "E0104"),
    "else if": (body("if a { b }" + " else if a { b }" * 300), "E0104"),
    "digits": (body("x = " + "9" * 4_900), "E0105"),
    "string": (body('x = "' + "a" * 4_000 + '"'), "E0105"),
    "name": (body("x" * 4_000), "E0105"),
}
SECONDS = 10  # two on an idle machine, in a process with little memory in use


@pytest.mark.parametrize("name", UNDER)
def test_just_under_a_limit(name):
    with within(SECONDS):
        result = parse(Source("test.arch", UNDER[name]))
    assert result.diagnostics == ()


@pytest.mark.parametrize("name", OVER)
def test_beyond_a_limit(name):
    text, code = OVER[name]
    with within(SECONDS):
        result = parse(Source("test.arch", text))
    assert code in [item.code for item in result.diagnostics]
    assert len(result.diagnostics) <= 2


@pytest.mark.parametrize(
    "text",
    [
        "$ % & ( ) [ } {\n" * 5_000,
        "x y z w\n" * 15_000,
        body("x y z w\n" * 15_000),
        body("x = y -> conv(3\n" * 5_000),
        ")" * 4_000 + "\n" + "}\n" * 20_000,
        "{\n" * 60,
        '"' * 4_000,
        body('x = "' + "{" * 999 + '"'),
        '"""\n' + "a\n" * 50_000,
        "/*\n" + "a\n" * 50_000,
        body("f(a " * 60 + ")" * 60),
        "block a(" * 2_000,
        "rule f(n) if n =>\n" * 10_000,
        "@\n" * 20_000,
        "\x00\x01\u2028\ud800" * 1_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_garbage_is_refused_quickly(text):
    with within(SECONDS):
        result = parse(Source("test.arch", text))
    assert 0 < len(result.diagnostics) <= limits.MAX_ERRORS
