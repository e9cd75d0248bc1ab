"""Names and attributes of elsewhere: each table names what is there, and is asked first."""

import pytest

from archspec.ops.registry import all_ops
from archspec.semantics.arguments.layer_calls import attribute_names
from archspec.semantics.compile import check
from archspec.semantics.program import foreign_names as foreign
from archspec.source import Source

NET = "network net {{\n  input x: f32[B = 1, 3, H = 8, W = 8]\n  {}\n  output y = x -> relu\n}}\n"


def fixes(line):
    found = check(Source("a.arch", NET.format(line))).diagnostics
    return [(item.code, item.fix.message if item.fix else None) for item in found]


@pytest.mark.parametrize(("name", "op"), foreign._OPS.items())
def test_ops_of_another_name(name, op):
    assert op in all_ops()
    assert name not in all_ops()
    assert fixes(f"a = x -> {name}(2)") == [("E0210", f"did you mean `{op}`?")]
    assert fixes(f"a = nn.{name}(x, 2)") == [("E0210", f"did you mean `{op}`, without `nn.`?")]


@pytest.mark.parametrize(("name", "said"), foreign._WORDS.items())
def test_words(name, said):
    assert fixes(f"a = {name.capitalize() if name == 'none' else name}") == [("E0210", said)]


@pytest.mark.parametrize(("name", "others"), foreign._ATTRIBUTES.items())
def test_attributes_of_another_name(name, others):
    models = [op for op in all_ops().values() if {*others} & {*attribute_names(op)}]
    assert models
    for op in models:
        if name not in attribute_names(op):
            meant = foreign.meant_by_attribute(op, name, attribute_names(op))
            assert meant in {f"did you mean `{other}`?" for other in others}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a = x -> linear(8, in_features=3)", "leave it out: the number of channels"),
        ("a = x -> relu(inplace=true)", "leave it out: nothing is computed in place"),
        ("a = x -> softmax(dim=1)", "did you mean `axis`?"),
        ("a = x -> conv(8, 3, strid=1)", "did you mean `stride`?"),
        ("a = x -> self.relu", "did you mean `relu`, without `self.`?"),
        ("a = x -> for i in 3 { relu }", "a range is written `0..3`"),
        ("for i in 0..3 { relu }", "`y = x -> for ..`"),
        ("if training { a = x }", "`y = x -> if ..`"),
    ],
)
def test_what_to_write_is_said(line, said):
    ((_, fix),) = fixes(line)
    assert fix is not None
    assert said in fix


def test_a_name_that_has_nothing_like_it_is_not_guessed():
    assert fixes("a = qqq.zzz") == [("E0210", None)]
