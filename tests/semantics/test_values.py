"""Compile-time values (P4): exact integers, IEEE doubles, strings, lists, rules as functions."""

from __future__ import annotations

import pytest

from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from tests.semantics.specs import compiled, errors, layer, output, weights

GOOD = {
    "1 + 2 * 3": 7,
    "(1 + 2) * 3": 9,
    "-7 // 2 + 8": 4,
    "-7 % 4": 1,
    "7 // -2 + 10": 6,
    "2 ** 10": 1024,
    "-2 ** 2 + 8": 4,
    "round(2.5)": 2,
    "round(3.5)": 4,
    "round(-2.5) + 4": 2,
    "floor(-2.5) + 4": 1,
    "ceil(2.1)": 3,
    "ceil(3 * 1.1)": 4,
    "int(7.9)": 7,
    "int(-7.9) + 10": 3,
    "ceil_div(7, 2)": 4,
    "abs(-3)": 3,
    "int(sqrt(49))": 7,
    "round(log(exp(3.0)))": 3,
    "sum([1, 2, 3])": 6,
    "sum([]) + 1": 1,
    "sum(1..4)": 6,
    "max(1, 5, 2)": 5,
    "min([4, 3, 9])": 3,
    "len([1, 2, 3])": 3,
    "len(2..7)": 5,
    'len("abc")': 3,
    "[5, 6, 7][1]": 6,
    "[5, 6, 7][-1]": 7,
    "[5, 6, 7][1..3][0]": 6,
    "sum([5, 6, 7][0..2])": 11,
    "[1, ...[2, 3], 4][2]": 3,
    "sum([i * i for i in 0..4])": 14,
    "sum([i for i in 0..10 if i % 2 == 0])": 20,
    "sum([a * b for a, b in zip([1, 2], [3, 4])])": 11,
    "sum([i * v for i, v in enumerate([7, 8, 9])])": 26,
    "[1, 2, 3, ...reversed([4, 5])][3]": 5,
    "if 3 > 2 and not false then 8 else 9": 8,
    "if 1 == 1.0 then 2 else 3": 2,
    'if "a" < "b" then 2 else 3': 2,
    "9223372036854775807 - 9223372036854775800": 7,
    "if 0.1 + 0.2 == 0.3 then 1 else 2": 2,
    "if 3 in [1, 3] then 8 else 9": 8,
    "if 2 + 1 not in [1, 3] then 8 else 9": 9,
    "if not 3 in [1, 3] then 8 else 9": 9,
    "if 1.0 in [1, 3] then 8 else 9": 8,
    "if true in [1, 3] then 8 else 9": 9,
    'if "b" in ["a", "b"] and "b" not in [] then 8 else 9': 8,
    "if 3 in 0..3 then 8 else 9": 9,
    "if 3 in 2.. and true not in 0..3 then 8 else 9": 8,
    "if [1, 2] in [[1], [1, 2]] then 8 else 9": 8,
    "len([i for i in 0..9 if i in [2, 3, 11]])": 2,
}


@pytest.mark.parametrize(("expression", "value"), GOOD.items(), ids=GOOD.keys())
def test_integers(expression: str, value: int) -> None:
    assert weights(layer(f"c: conv({expression}, 1, bias=false)"))["c.weight"] == (value, 4, 1, 1)


BAD = {
    "9223372036854775807 + 1": "E0314",
    "2 ** 63": "E0314",
    "3 ** 1000000000": "E0314",
    "4 // 0": "E0309",
    "4 % 0": "E0309",
    "1 / 0": "E0309",
    '1 + "a"': "E0309",
    "true + 1": "E0309",
    "sqrt(-1)": "E0309",
    "[1][3]": "E0311",
    "max([])": "E0309",
    "sum(0..)": "E0313",
    "zip([1], [1, 2])": "E0309",
    "1 < true": "E0309",
    "not 3": "E0309",
    "7 / 2": "E0301",
    "nothing": "E0210",
    "if 1 in 3 then 8 else 9": "E0309",
    'if "a" in "ab" then 8 else 9': "E0309",
    "if relu in [relu] then 8 else 9": "E0307",
    "if x in [1] then 8 else 9": "E0309",
    "if 1 in x then 8 else 9": "E0309",
    "if H in [1, 9] then 8 else 9": "E0312",
}


@pytest.mark.parametrize(("expression", "code"), BAD.items(), ids=BAD.keys())
def test_expressions_without_a_value(expression: str, code: str) -> None:
    assert errors(layer(f"conv({expression}, 1)")) == [code]


def test_unknown_words_and_names() -> None:
    """One error for each; a word is only suggested if the attribute accepts words."""
    text = "conv(nothing, 1)", "conv(4, 3, 1, hlf)", "conv(4, 3, padding=hlf)", "linear(width=hlf)"
    assert [errors(layer(one)) for one in text] == [["E0210"], ["E0210"], ["E0301"], ["E0210"]]


def test_strings_are_templates() -> None:
    text = layer(
        '"a{1 + 1}_{true}_{[7, 8][1]}_{s}": conv(4, 1, bias=false)'.replace("{s}", "{f(0)}"),
        'rule f(0) => "x"',
    )
    assert list(weights(text)) == ["a2_true_8_x.weight"]


def test_doubled_braces_are_literal() -> None:
    assert list(weights(layer('"a{{b}}": conv(4, 1, bias=false)'))) == ["a{b}.weight"]


RULES = """
rule branches(13) => [[5, 1], [7, 2], [3, 3], [3, 4], [3, 5]]
rule branches(n) if n > 20 => [[n, 1]]
rule branches(_) => []
rule factorial(0) => 1
rule factorial(n) => n * factorial(n - 1)
rule kind("deep") => 9
rule kind(name) => len(name)
rule even(n) if n % 2 == 0 => true
rule even(n) => false
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("len(branches(13))", 5),
        ("branches(13)[1][0]", 7),
        ("branches(30)[0][0]", 30),
        ("len(branches(3)) + 1", 1),
        ("factorial(5)", 120),
        ('kind("deep")', 9),
        ('kind("abc")', 3),
        ("if even(4) and not even(3) then 2 else 1", 2),
    ],
)
def test_rules_are_functions(expression: str, value: int) -> None:
    text = layer(f"conv({expression}, 1, bias=false)", RULES)
    assert output(text) == f"f32[B, {value}, H, W]"


def test_infinite_intermediate_numbers_are_allowed_but_not_as_integers() -> None:
    assert errors(layer("conv(int(1e308 * 10.0), 1)")) in (["E0309"], ["E0314"])


def test_integers_beyond_64_bits_are_refused_at_their_location() -> None:
    text = layer("relu")
    assert errors(text.replace("network net {", f"network net(k: int = {2**63}) {{")) == ["E0314"]
    assert errors(text.replace("network net {", f"network net(k: int = {2**63 - 1}) {{")) == []
    given = text.replace("network net {", "network net(k: int = 3, l: list[int] = []) {")
    compiled(given, k=2**63 - 1)
    with pytest.raises(CompileFailed, match="E0314"):
        compiled(given, k=2**63)
    with pytest.raises(CompileFailed, match="E0314"):
        compiled(given, l=[1, 2**70])


def test_where_with_membership_of_sizes() -> None:
    text = """
network net {
  input x: f32[B = 1, 4, H = 8, W = 8] where H in [8, 16, 24], W in 8..20, W not in [9]
  output x -> if H in [8, 16, 24] { conv(if H // 8 in [1, 2, 3] then 4 else 5, 3) }
}
"""
    network = Network(compiled(text))
    assert [h for h in range(1, 40) if network.accepts(H=h)] == [8, 16, 24]
    assert [w for w in range(1, 40) if network.accepts(W=w)] == [8, *range(10, 20)]


def test_values_with_errors_cause_no_further_messages() -> None:
    assert errors(layer("conv(if 3 in [1, 1 / 0] then 4 else 5, 1)")) == ["E0309"]


LAYERS = """
rule layers(0) => []
rule layers(n) => [...layers(n - 1), conv(n, 3)]
rule columns(1) => [relu]
rule columns(n) => [relu, ...(columns(n - 1) -> join)]
"""


def test_a_list_of_layers_that_a_rule_yields_is_indexed_counted_and_iterated_over() -> None:
    assert weights(LAYERS + layer("layers(3)[1]")) == {
        "conv.weight": (2, 4, 3, 3),
        "conv.bias": (2,),
    }
    assert output(LAYERS + layer("conv(len(layers(3)), 1)")) == "f32[B, 3, H, W]"
    text = LAYERS + layer('for i, f in enumerate(layers(2)) { "f{i}": f }')
    assert [name for name in weights(text) if "weight" in name] == ["f0.weight", "f1.weight"]
    assert output(LAYERS + layer("layers(3)[1..][-1]")) == "f32[B, 3, H, W]"


def test_a_list_whose_length_only_its_use_tells_is_not_indexed() -> None:
    assert errors(LAYERS + layer("columns(3)[0]")) == ["E0309"]
