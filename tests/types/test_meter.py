"""Steps are counted the same for any earlier questions, and any order in which sets are
iterated."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.types.condition import Condition, at_least, conjunction, disjunction, divisible, equal
from archspec.types.dim import Dim, extreme
from archspec.types.meter import BudgetExceeded, Meter, charge, left, remembered, within
from archspec.types.solver import clauses, decide, simplify

B, H, W = map(Dim.symbol, "BHW")
ROOT = Path(__file__).resolve().parents[2]
BUDGETS = (100, 1_000, 10_000, 100_000)


def questions() -> list[Condition]:
    """Questions that take a few steps, or more than the limit, with one symbol and with several."""
    pooled = [equal(p * ((H + p - 1) // p), 2 * ((H + 1) // 2)) for p in (3, 5, 7, 11)]
    return [
        conjunction(pooled),
        divisible(H, 9_973),
        equal(7 * (H % 97), H // 97),
        disjunction(equal(H % p, W % p) for p in (7, 11, 13)),
        equal(1024 * (H // 32) * (W // 32), H * W),
        equal((H * W * B) // 6 * 6, H * W * B),
        at_least(H * W * B, 64),
        equal(H * W, 64 * B),
        conjunction(at_least(p * H + (p + 1) * W, (p + 2) * B) for p in range(1, 12)),
        conjunction(at_least(extreme("max", W, H // p), extreme("min", H, p * W)) for p in (2, 3)),
        at_least((H + W + B) ** 8, 2 * H**8),
        equal(H**3 + W**3, B**3 + 1),
        conjunction([equal(H // 16 + W, H // 8), equal(W // 24 % 10, 0)]),
        divisible(H, 10_000_019),
    ]


def outcomes(order: int) -> list[object]:
    """The answers to all questions, asked in this order, with several budgets."""
    asked = list(enumerate(questions()))[::order]
    found: dict[int, list[object]] = {}
    for budget in BUDGETS[::order]:
        for index, question in asked:
            verdict = decide(question, budget=budget)
            formula = ", ".join(clauses(simplify(question, budget=budget)))
            least = verdict.counterexample
            outcome = [budget, verdict.kind, verdict.work, verdict.reason, least, formula[:200]]
            found.setdefault(index, []).append(outcome)
    return [sorted(map(str, found[index])) for index in sorted(found)]


def test_outcomes_depend_only_on_question_and_budget() -> None:
    code = f"import json, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    code += "from test_meter import outcomes; print(json.dumps(outcomes(int(sys.argv[1]))))"
    found = []
    for seed, order in (("0", 1), ("1", -1), ("2", 1)):
        done = subprocess.run(
            [sys.executable, "-c", code, str(order)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        )
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
    assert found[0] == found[2]
    assert any("UNDECIDED" in str(outcome) or "undecided" in str(outcome) for outcome in found[0])


def test_no_question_takes_more_steps_than_its_budget() -> None:
    for question in questions():
        for budget in BUDGETS:
            assert decide(question, budget=budget).work <= budget


def test_memoised_results_are_charged_each_time() -> None:
    calls = []

    @remembered(8)
    def work(steps: int) -> int:
        calls.append(steps)
        charge(steps)
        return steps

    for _ in range(2):
        meter = Meter(10)
        assert meter.run(lambda: work(4) + work(4)) == 8
        assert meter.steps == 8
    assert calls == [4]
    short = Meter(3)
    with pytest.raises(BudgetExceeded):
        short.run(lambda: work(4))
    assert calls == [4, 4]


def test_a_part_has_its_own_limit() -> None:
    def work(steps: int) -> int:
        for _ in range(steps):
            charge(1)
        return steps

    def whole() -> list[int | None]:
        return [within(5, lambda: work(3)), within(5, lambda: work(6)), left()]

    assert Meter(100).run(whole) == [3, None, 92]
    with pytest.raises(BudgetExceeded):
        Meter(7).run(whole)


def test_undecided_part_does_not_stop_the_whole() -> None:
    def refuse() -> int:
        charge(1)
        raise BudgetExceeded("no")

    meter = Meter(3)
    assert meter.run(lambda: within(5, refuse)) is None
    assert meter.steps == 1


def test_sums_and_products_are_counted() -> None:
    one, two = (H + W + B) ** 9, (H + 2 * W + 1) ** 9
    meters = []
    for _ in range(2):  # the second time both are memoised
        meters.append(Meter())
        meters[-1].run(lambda: one * two + one)
    assert meters[0].steps == meters[1].steps > 100
    with pytest.raises(BudgetExceeded):
        Meter(100).run(lambda: one * two)
