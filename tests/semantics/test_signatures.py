"""Signatures of rules: proved once by induction, rejected with a counterexample, or deferred."""

from __future__ import annotations

import pytest

from archspec.diagnostics.model import Diagnostic, Severity
from archspec.semantics.compile import check
from archspec.source import Source

NETWORK = """
network net {{
  input x: f32[B = 1, 3, H = 32, W = 32]
  output x -> {layer}
}}
"""


def diagnostics(rules: str, layer: str = "relu") -> tuple[Diagnostic, ...]:
    return check(Source("rules.arch", rules + NETWORK.format(layer=layer))).diagnostics


def only(rules: str, layer: str = "relu") -> Diagnostic:
    (found,) = diagnostics(rules, layer)
    return found


COLUMNS = """
block unit(width: int) { conv(width, 3) -> relu }
rule columns(c: int in 1.., width: int): [B, C, H, W] -> c * [B, width, H, W]
rule columns(1, width) => [unit(width)]
"""


def test_number_of_columns_is_proved() -> None:
    step = "[unit(width), ...(columns(c - 1, width) -> join -> columns(c - 1, width))]"
    assert diagnostics(f"{COLUMNS}rule columns(c, width) => {step}", "columns(4, 8) -> join") == ()


def test_signature_wrong_only_from_13_on_is_refused() -> None:
    step = "[unit(width), ...(columns(c - 1, width) -> join -> columns(c - 1, width))]"
    more = "[unit(width), unit(width), ...(columns(c - 1, width) -> join -> columns(c - 1, width))]"
    found = only(
        f"{COLUMNS}rule columns(c, width) if c < 13 => {step}\nrule columns(c, width) => {more}"
    )
    assert found.code == "E0506"
    assert found.notes == ("it fails for c = 13",)
    assert "(c + 1) * [B, width, H, W] instead of c * [B, width, H, W]" in found.message


GROWTH = """
rule grow(n: int in 0.., g: int): [B, C, H, W] -> [B, C + n * g, H, W]
rule grow(0, g) => identity
"""


def test_growing_channels_are_proved() -> None:
    step = "[identity, conv(g, 3)] -> concat -> grow(n - 1, g)"
    assert diagnostics(f"{GROWTH}rule grow(n, g) => {step}", "grow(3, 4)") == ()


@pytest.mark.parametrize(
    ("width", "value"),
    [("g + 1", "n = 1"), ("if n >= 13 then g + 1 else g", "n = 13"), ("2 * g", "n = 1")],
)
def test_wrongly_growing_channels_are_refused(width: str, value: str) -> None:
    step = f"[identity, conv({width}, 3)] -> concat -> grow(n - 1, g)"
    found = only(f"{GROWTH}rule grow(n, g) => {step}")
    assert found.code == "E0506"
    assert any(value in note for note in found.notes)


@pytest.mark.parametrize(
    "rules",
    [
        "rule f(n: int in 0..): [B, C, H, W] -> [B, C * 2 ** n, H, W]\n"
        "rule f(0) => identity\nrule f(n) => [identity, identity] -> concat -> f(n - 1)",
        "rule f(n: int in 0.., g: layer): [B, C, H, W] -> [B, C, H, W]\n"
        "rule f(0, g) => identity\nrule f(n, g) => g -> f(n - 1, g)",
        "rule f(n: int in 0..): [B, C, H, W] -> [B, C, H, W]\nrule f(n) => for _ in 0..n { relu }",
    ],
)
def test_if_induction_does_not_apply_a_note_says_so(rules: str) -> None:
    found = only(rules)
    assert (found.code, found.severity) == ("N0501", Severity.NOTE)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("conv(w, n)", "`conv` needs a number for `kernel`"),
        ("conv(w, [3, n])", "`conv` needs a number for `kernel`"),
        ("conv(w, 3, stride=n)", "`conv` needs a number for `stride`"),
        ("conv(w, 3) -> flatten(n)", "`flatten` needs a number for `start`"),
        ("conv(w, 3) -> leaky_relu(n)", "`leaky_relu` needs a number for `slope`"),
    ],
)
def test_note_names_the_attribute_that_needs_a_number(layer: str, expected: str) -> None:
    found = only(
        f"rule f(n: int in 1.., w: int): [B, C, H, W] -> [B, w, H, W]\nrule f(n, w) => {layer}"
    )
    assert (found.code, found.notes) == ("N0501", (expected,))


def test_another_wrong_attribute_is_reported_next_to_a_symbol() -> None:
    rule = "rule f(w: int): [B, C, H, W] -> [B, w, H, W]\nrule f(w) => conv({})"
    assert only(rule.format("w")).code == "E0303"
    expected = "`kernel` of `conv` must be greater than 0, but it is 0"
    found = diagnostics(rule.format("w, 0"))
    assert [(item.code, item.notes) for item in found] == [("N0501", (expected,)), ("E0301", ())]


@pytest.mark.parametrize(
    ("body", "promise"),
    [
        ("conv(6 * n, 1) -> conv(3 * n, 3, groups=3 * n)", "[B, 3 * n, H, W]"),
        ("conv(n, 3) -> conv(same, 3, groups=each)", "[B, n, H, W]"),
        ("conv(5 * n * n, 1) -> pixel_shuffle(n)", "[B, 5, n * H, n * W]"),
        ("conv(8 * n, 1) -> group_norm(4 * n)", "[B, 8 * n, H, W]"),
        ("conv(n, 1) -> prelu(n)", "[B, n, H, W]"),
        ("cast(i64) -> embedding(n, 2 * n, 0)", "[B, C, H, W, 2 * n]"),
        ('rearrange("b c h w -> b (h w) c") -> linear(n)', "[B, H * W, n]"),
    ],
)
def test_attributes_that_may_be_symbols_are_proved(body: str, promise: str) -> None:
    assert diagnostics(f"rule f(n: int): [B, C, H, W] -> {promise}\nrule f(n) => {body}") == ()


def test_weights_that_fit_only_some_channels_are_refused() -> None:
    found = only(
        "rule f(n: int): [B, C, H, W] -> [B, 5, H, W]\nrule f(n) => conv(5, 1) -> prelu(n)"
    )
    assert (found.code, found.notes) == ("E0506", ("it fails for n = 2",))


def test_unproved_signatures_are_checked_at_each_expansion() -> None:
    rules = (
        "rule f(n: int in 0..): [B, C, H, W] -> [B, C * 2 ** n, H, W]\nrule f(0) => identity\n"
        "rule f(n) if n > 3 => [identity, identity, identity] -> concat -> f(n - 1)\n"
        "rule f(n) => [identity, identity] -> concat -> f(n - 1)"
    )
    assert [item.code for item in diagnostics(rules, "f(3)")] == ["N0501"]
    codes = [item.code for item in diagnostics(rules, "f(4)")]
    assert codes == ["N0501", "E0506"] or codes == ["E0506", "N0501"]


def test_value_that_matches_no_clause() -> None:
    found = only(
        "rule f(n: int in 0.., w: int): [B, C, H, W] -> [B, w, H, W]\n"
        "rule f(1, w) => conv(w, 3)\nrule f(n, w) if n > 1 => conv(w, 3) -> f(n - 1, w)"
    )
    assert found.code == "E0504"
    assert "n = 0" in found.message


def test_a_call_that_leaves_the_domain() -> None:
    found = only(
        "rule f(n: int in 1.., w: int): [B, C, H, W] -> [B, w, H, W]\n"
        "rule f(1, w) => conv(w, 3)\nrule f(n, w) => conv(w, 3) -> f(n - 2, w)"
    )
    assert found.code == "E0508"
    assert "leaves the domain of `n`" in found.message


def test_recursion_past_its_base_case() -> None:
    found = only("rule f(1) => relu\nrule f(n) => relu -> f(n - 2)", "f(4)")
    assert found.code == "E0508"
    assert "`n` is 0" in found.message


def test_channels_that_need_not_agree() -> None:
    found = only(
        "rule f(w: int): [B, C, H, W] -> [B, C, H, W]\nrule f(w) => [identity, conv(w, 3)] -> add"
    )
    assert found.code == "E0506"


def test_signature_that_never_holds_is_refused_at_once() -> None:
    found = only(
        "rule f(n: int in 1..): [B, C, 8, W] -> [B, C, 8, W]\n"
        "rule f(n) => [identity, max_pool(2)] -> add"
    )
    assert found.code in ("E0401", "E0506")


def test_a_wrong_clause_is_rejected_next_to_one_that_is_not_proved() -> None:
    rules = (
        "rule f(n: int in 0.., w: int in 1..): [B, C, H, W] -> [B, w, H, W]\n"
        "rule f(n, w) if n > 12 => conv(w + 1, 3)\n"
        "rule f(n, w) => for _ in 0..n + 1 { conv(w, 3) }"
    )
    found = {item.code: item for item in diagnostics(rules)}
    assert found.keys() == {"N0501", "E0506"}
    assert found["E0506"].notes[0].startswith("it fails for n = 13")


@pytest.mark.parametrize(("call", "expected"), [("n - 5", "begins at 0"), ("n", "ends before 9")])
def test_a_call_that_leaves_the_domain_of_another_rule(call: str, expected: str) -> None:
    found = only(
        "rule g(n: int in 0..9): [B, C] -> [B, C]\nrule g(n) => relu\n"
        f"rule f(n: int in 0..): [B, C] -> [B, C]\nrule f(n) => g({call})"
    )
    assert found.code == "E0508"
    assert expected in found.message


def test_a_rule_that_is_called_may_have_parameters_of_other_types() -> None:
    rules = (
        "rule g(n: int in 0.., f: layer): [B, C] -> [B, C]\nrule g(n, f) => f\n"
        "rule h(n: int in 0..): [B, C] -> [B, C]\nrule h(n) => g(n, relu)"
    )
    assert [item.code for item in diagnostics(rules)] == ["N0501"]  # of g, whose f is a layer
