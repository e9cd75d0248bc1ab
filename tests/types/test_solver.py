"""Conditions of networks, with the answers that a reader should see."""

import time

import pytest

from archspec.types.condition import (
    TRUE,
    Condition,
    at_least,
    conjunction,
    disjunction,
    divisible,
    equal,
    unequal,
)
from archspec.types.dim import Dim, ceil_divide
from archspec.types.solver import Verdict, VerdictKind, clauses, decide, simplify

ALWAYS, NEVER, FINITE, SOMETIMES, UNDECIDED = VerdictKind
B, H, W, c, w = map(Dim.symbol, ["B", "H", "W", "c", "w"])


def conv(size: Dim, kernel: int, stride: int, padding: int) -> Dim:
    return (size + 2 * padding - kernel) // stride + 1


def described(verdict: Verdict) -> str:
    return ", ".join(clauses(verdict.formula))


def unet(depth: int, *axes: Dim) -> Condition:
    parts = []
    for size in axes:
        for _ in range(depth):
            parts.append(equal(2 * (size // 2), size))
            size = size // 2
        parts.append(at_least(size, 1))
    return conjunction(parts)


# (condition, given, kind, formula as text, counterexample)
CASES = [
    # a strided convolution parallel to the identity
    (equal(H, conv(H, 3, 2, 1)), TRUE, FINITE, "H == 1", {"H": 2}),
    # strided, doubled, joined with the input
    (equal(2 * conv(H, 3, 2, 1), H), TRUE, SOMETIMES, "H % 2 == 0", {"H": 1}),
    (equal(2 * conv(H, 3, 2, 1), H), divisible(H, 2), ALWAYS, "", None),
    (equal(2 * conv(H, 3, 2, 1), H), divisible(H, 3), SOMETIMES, "H % 2 == 0", {"H": 3}),
    # 3x3 stride 2 padding 1 parallel to 1x1 stride 2; ceil(H/2) against (H+1)//2
    (equal(conv(H, 3, 2, 1), conv(H, 1, 2, 0)), TRUE, ALWAYS, "", None),
    (equal(ceil_divide(H, 2), (H + 1) // 2), TRUE, ALWAYS, "", None),
    (equal(ceil_divide(H - 2, 2) + 1, conv(H, 3, 2, 1)), TRUE, ALWAYS, "", None),
    # smallest sizes
    (at_least(H // 2, 1), TRUE, SOMETIMES, "H >= 2", {"H": 1}),
    (at_least(conv(H, 5, 2, 0), 1), TRUE, SOMETIMES, "H >= 5", {"H": 1}),
    (at_least(conv(conv(H, 7, 2, 0), 3, 2, 0), 1), TRUE, SOMETIMES, "H >= 11", {"H": 1}),
    (at_least(c - 1, 1), at_least(c, 2), ALWAYS, "", None),
    # several symbols together
    (equal(H, W), TRUE, SOMETIMES, "H == W", {"H": 1, "W": 2}),
    (at_least(H * W, 2), TRUE, SOMETIMES, "H > 1 or W > 1", {"H": 1, "W": 1}),
    (
        at_least(B * ceil_divide(H, 32) * ceil_divide(W, 32), 2),
        TRUE,
        SOMETIMES,
        "B > 1 or H > 32 or W > 32",
        {"B": 1, "H": 1, "W": 1},
    ),
    (equal(4 * (H // 2) * (W // 2), H * W), TRUE, SOMETIMES, "H % 2 == 0, W % 2 == 0", None),
    (divisible(W, 2), conjunction([equal(H, W), divisible(H, 4)]), ALWAYS, "", None),
    (equal(H // 2, W // 2), equal(H, W), ALWAYS, "", None),
    (equal(H // 2, W // 2), TRUE, SOMETIMES, "H//2 == W//2", {"H": 1, "W": 2}),
    (at_least(H, W), at_least(H, W + 1), ALWAYS, "", None),
    (at_least(H + W, 10), TRUE, SOMETIMES, "H + W >= 10", {"H": 1, "W": 1}),
    (equal(H * W, 12), TRUE, FINITE, "H*W == 12", {"H": 1, "W": 1}),
    (equal(2 * H, 2 * W + 1), TRUE, NEVER, "false", {"H": 1, "W": 1}),
    (equal(3 * H, 2 * W), TRUE, SOMETIMES, "3*H == 2*W", {"H": 1, "W": 1}),
    # bounds
    (at_least(64, H), TRUE, FINITE, "H <= 64", {"H": 65}),
    (at_least(300, H), at_least(300, H), ALWAYS, "", None),
    (divisible(H, 7), at_least(30, H), SOMETIMES, "H % 7 == 0", {"H": 1}),
    (at_least(H, 3), at_least(2, H), NEVER, "false", {"H": 1}),
    (at_least(H // 1_000_000, 1), TRUE, SOMETIMES, "H >= 1000000", {"H": 1}),
    # properties of polynomials: true only up to c = 12, and with roots inside
    (at_least(12 * c**2, c**3), TRUE, FINITE, "c <= 12", {"c": 13}),
    (equal(c * (c + 1), 2 * (c * (c + 1) // 2)), TRUE, ALWAYS, "", None),
    (equal((w + 1) ** 3 - w**3, 3 * w**2 + 3 * w + 1), TRUE, ALWAYS, "", None),
    (unequal((c - 3) * (c - 5), 0), TRUE, SOMETIMES, "c != 3, c != 5", {"c": 3}),
]


@pytest.mark.parametrize(("condition", "given", "kind", "text", "counterexample"), CASES)
def test_decided_conditions(condition, given, kind, text, counterexample) -> None:
    verdict = decide(condition, given)
    assert verdict.kind is kind, verdict
    assert described(verdict) == text
    if counterexample is not None:
        assert verdict.counterexample == counterexample


def test_finite_sets_list_their_solutions() -> None:
    both = conjunction([equal(H, conv(H, 3, 2, 1)), equal(W, conv(W, 3, 2, 1))])
    assert decide(both).solutions == ({"H": 1, "W": 1},)
    assert [s["H"] * s["W"] for s in decide(equal(H * W, 12)).solutions] == [12] * 6
    assert decide(at_least(64, H)).solutions == tuple({"H": size} for size in range(1, 65))


def test_counterexample_is_smallest_by_sum_then_by_symbol() -> None:
    assert decide(at_least(8, H + 3 * W)).counterexample == {"H": 1, "W": 3}
    given = conjunction([divisible(H, 4), divisible(W, 6)])
    assert decide(equal(H, W), given).counterexample == {"H": 4, "W": 6}


@pytest.mark.parametrize("depth", range(1, 8))
def test_unet_requires_multiples_of_a_power_of_two(depth: int) -> None:
    verdict = decide(unet(depth, H, W))
    assert described(verdict) == f"H % {2**depth} == 0, W % {2**depth} == 0"
    allowed = conjunction([divisible(H, 2**depth), divisible(W, 2**depth)])
    assert decide(unet(depth, H, W), allowed).kind is ALWAYS


SIMPLE = [
    (conjunction([divisible(H, 2), divisible(H, 4)]), TRUE, "H % 4 == 0"),
    (conjunction([at_least(H, 3), at_least(H, 33)]), TRUE, "H >= 33"),
    (unequal(H % 2, 0), TRUE, "H % 2 == 1"),
    (unequal(H % 4, 0), TRUE, "H % 4 != 0"),
    (disjunction([equal(H % 4, 1), equal(H % 4, 3)]), TRUE, "H % 2 == 1"),
    (disjunction([equal(H % 4, 1), equal(H % 4, 2)]), TRUE, "H % 4 in [1, 2]"),
    (unequal(H, 5), TRUE, "H != 5"),
    (conjunction([divisible(H, 32), at_least(H, 40)]), TRUE, "H % 32 == 0, H >= 64"),
    (conjunction([divisible(H, 32), at_least(512, H)]), TRUE, "H % 32 == 0, H <= 512"),
    (divisible(H, 32), divisible(H, 16), "H % 32 == 0"),
    (conjunction([divisible(H, 32), at_least(H, 7)]), divisible(H, 4), "H % 32 == 0"),
    (conjunction([equal(H, W), divisible(H, 2)]), equal(H, W), "H % 2 == 0"),
    (conjunction([equal(H, W), at_least(H, W)]), TRUE, "H == W"),
    (disjunction([equal(H, 1), equal(H, 4)]), TRUE, "H in [1, 4]"),
    (disjunction([at_least(5, H), divisible(H, 32)]), TRUE, "H <= 5 or H % 32 == 0"),
    (disjunction([at_least(2, c), at_least(c, 13)]), TRUE, "c <= 2 or c >= 13"),
    (equal(12 * (H // 4) + 3, 3 * H), TRUE, "H % 4 == 1"),
    (conjunction([at_least(H, 3), at_least(9, H)]), TRUE, "H >= 3, H <= 9"),
    (at_least(H * W, 12), TRUE, "H*W >= 12"),
    (conjunction([]), TRUE, ""),
    (disjunction([]), TRUE, "false"),
]


@pytest.mark.parametrize(("condition", "given", "text"), SIMPLE)
def test_conditions_are_simplified_readably(condition, given, text) -> None:
    assert ", ".join(clauses(simplify(condition, given))) == text


@pytest.mark.parametrize(
    "condition",
    [
        equal(H**3 + W**3, B**3 + 1),
        divisible(H, 10_000_019),
        conjunction(divisible(H, prime) for prime in (97, 89, 83, 79, 73)),
    ],
)
def test_undecidable_conditions_are_reported(condition: Condition) -> None:
    verdict = decide(condition)
    assert verdict.kind is UNDECIDED
    assert verdict.reason


def test_budget_is_respected_and_answers_do_not_depend_on_earlier_questions() -> None:
    question = equal(1024 * (H // 32) * (W // 32), H * W)
    assert decide(question, budget=500).kind is UNDECIDED
    assert described(decide(question)) == "H % 32 == 0, W % 32 == 0"
    assert decide(question, budget=500).kind is UNDECIDED


def test_networks_are_decided_in_milliseconds() -> None:
    start = time.perf_counter()
    for depth in range(1, 8):
        decide(unet(depth, H, W))
    assert time.perf_counter() - start < 2  # a tenth of that on an idle machine


def test_empty_domain_is_vacuously_always() -> None:
    nothing = conjunction([divisible(H, 2), equal(H % 2, 1)])
    assert decide(equal(H, 7), nothing).kind is ALWAYS
