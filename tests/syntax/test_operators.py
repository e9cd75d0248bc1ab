"""Operators have the precedence of Python, whose parser is used for comparison."""

import ast as python

from hypothesis import given
from hypothesis import strategies as st

from archspec.source import Source
from archspec.syntax import ast, parse

OPERATORS = {
    python.Add: "+",
    python.Sub: "-",
    python.Mult: "*",
    python.Div: "/",
    python.Mod: "%",
    python.FloorDiv: "//",
    python.Pow: "**",
    python.And: "and",
    python.Or: "or",
    python.USub: "-",
    python.Not: "not",
    python.Eq: "==",
    python.Lt: "<",
    python.In: "in",
    python.NotIn: "not in",
}

signed = st.tuples(st.sampled_from(["", "-", "- -"]), st.sampled_from("abc")).map(" ".join)
arithmetic = st.lists(
    st.tuples(signed, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])), max_size=12
)
sums = st.tuples(arithmetic, signed).map(
    lambda both: " ".join([*(" ".join(pair) for pair in both[0]), both[1]])
)
comparisons = st.one_of(
    sums, st.tuples(sums, st.sampled_from(["==", "<", "in", "not in"]), sums).map(" ".join)
)
clauses = st.tuples(st.sampled_from(["", "not", "not not"]), comparisons).map(" ".join)
conditions = st.tuples(
    st.lists(st.tuples(clauses, st.sampled_from(["and", "or"])), max_size=5), clauses
).map(lambda both: " ".join([*(" ".join(pair) for pair in both[0]), both[1]]))


def expected(node, text):
    """Python's tree of an expression, each node with its text."""
    covers = python.get_source_segment(text, node)
    if isinstance(node, python.Name):
        return (covers,)
    if isinstance(node, python.UnaryOp):
        return (covers, OPERATORS[type(node.op)], expected(node.operand, text))
    if isinstance(node, python.BinOp):
        parts = (expected(node.left, text), expected(node.right, text))
        return (covers, OPERATORS[type(node.op)], *parts)
    if isinstance(node, python.Compare):
        parts = (expected(node.left, text), expected(node.comparators[0], text))
        return (covers, OPERATORS[type(node.ops[0])], *parts)
    start = node.values[0]
    left = expected(start, text)
    for value in node.values[1:]:  # Python has a single node for `a and b and c`
        covers = text[start.col_offset : value.end_col_offset]
        left = (covers, OPERATORS[type(node.op)], left, expected(value, text))
    return left


def found(node):
    """The same for our tree."""
    covers = node.span.text
    if isinstance(node, ast.Name):
        return (covers,)
    if isinstance(node, ast.Unary):
        return (covers, node.operator, found(node.operand))
    return (covers, node.operator, found(node.left), found(node.right))


@given(conditions)
def test_expressions_parse_as_in_python(text):
    text = " ".join(text.split())
    result = parse(Source("a.arch", f"rule r() => {text}"))
    assert result.diagnostics == ()
    (rule,) = result.module.definitions
    assert found(rule.value) == expected(python.parse(text, mode="eval").body, text)


def test_ranges_bind_between_sums_and_comparisons():
    (rule,) = parse(
        Source("a.arch", "rule r() => not -1 + 2..3 * n == ..4 or b")
    ).module.definitions
    either = rule.value
    assert either.operator == "or"
    assert either.left.operator == "not"
    equal = either.left.operand
    assert (equal.operator, equal.left.span.text, equal.right.span.text) == (
        "==",
        "-1 + 2..3 * n",
        "..4",
    )
    assert isinstance(equal.left, ast.Range)
