"""Expressions in the spec for values."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.graph.expression import (
    OPERATIONS,
    Expression,
    Name,
    Number,
    Operation,
    Size,
    evaluated,
    has_names,
    names_in,
    simplified,
    substituted,
)
from archspec.graph.walk import walk
from archspec_torch.code.expressions import expression_code
from archspec_torch.code.pieces import code
from archspec_torch.code.text import flat
from tests.specs.compiled import shipped

A, B, ONE = Name("a"), Name("b"), Number(1)
SIGNS = ["+", "-", "*", "//", "%", "ceil_div", "min", "max"]


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(st.sampled_from([A, B]), st.integers(0, 5).map(Number))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda s, x, y: Operation(s, (x, y)), st.sampled_from(SIGNS), inner, inner),
            st.builds(lambda x: Operation("neg", (x,)), inner),
            st.builds(lambda x: Operation("**", (x, Number(2))), inner),
        ),
        max_leaves=8,
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(expressions(), st.integers(1, 9), st.integers(1, 9))
def test_python_computes_the_same(expression, a, b):
    value = evaluated(expression, {"a": a, "b": b})
    text = flat(expression_code(expression, lambda name: code(name)))
    if value is not None:
        assert eval(text, {"a": a, "b": b, "min": min, "max": max}) == value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(expressions(), st.integers(1, 9), st.integers(1, 9))
def test_a_simpler_expression_has_the_same_value(expression, a, b):
    value = evaluated(expression, {"a": a, "b": b})
    simple = substituted(expression, {"b": Number(b)})
    if value is not None:
        assert evaluated(simple, {"a": a}) == value


def test_simplified():
    assert simplified(Operation("*", (A, ONE))) == A
    assert simplified(Operation("//", (Operation("*", (A, Number(64))), Number(64)))) == A
    assert simplified(Operation("+", (Number(2), Number(3)))) == Number(5)
    assert evaluated(Operation("**", (Number(2), Number(1000))), {}) is None
    assert evaluated(Operation("//", (A, Number(0))), {"a": 1}) is None
    assert set(names_in(Operation("+", (A, B)))) == {"a", "b"}
    assert has_names(Size(3))
    assert not has_names(Operation("neg", (ONE,)))
    assert evaluated(Operation("tuple", (A, ONE)), {"a": 2}) == (2, 1)
    assert OPERATIONS["ceil_div"](7, 2) == 4


def test_a_graph_stores_the_expressions_of_its_attributes():
    found = {}
    for graph in walk(shipped("swin_t").compiled.inference):
        if graph.name == "window_attention":
            written = {node.instance.key: node.instance.written for node in graph.nodes[1:]}
            found = written["qkv"]
            assert graph.names["C"] in (96, 192, 384, 768)
            assert graph.definitions["rows"] == Operation("ceil_div", (Name("H"), Name("window")))
    assert found == {"width": Operation("*", (Number(3), Name("C")))}


def test_negated_conditions_of_choices_are_inverted():
    flag, one, two = Name("flag"), Number(1), Number(2)
    choice = Operation("if", (Operation("not", (flag,)), one, two))
    assert simplified(choice) == Operation("if", (flag, two, one))
