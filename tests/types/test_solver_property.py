"""The solver compared with brute force on random conditions."""

import os
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.types.condition import (
    TRUE,
    All,
    AnyOf,
    Comparison,
    Condition,
    Relation,
    at_least,
    beginning_at_zero,
    conjunction,
    disjunction,
    divisible,
    equal,
    evaluate,
    negation,
    symbols_of,
    unequal,
    zero_allowed,
)
from archspec.types.dim import Dim, dim, extreme
from archspec.types.sizes import ValidSizes
from archspec.types.solver import VerdictKind, condition_text, decide, limited, simplify

EXPLORE = int(os.environ.get("ARCHSPEC_EXPLORE", "1"))
BOUNDED = settings(
    max_examples=150 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow],
)
SMALL = st.integers(-6, 6)
H, P, W = map(Dim.symbol, "HPW")


def dims(names: str, depth: int) -> st.SearchStrategy[Dim]:
    leaf = st.sampled_from([Dim.symbol(name) for name in names])
    if depth == 0:
        return leaf
    inner = dims(names, depth - 1)
    linear = st.builds(lambda a, x, b: x * a + b, st.integers(-3, 3), inner, SMALL)
    divided = st.builds(lambda x, b, d: (x + b) // d, inner, SMALL, st.integers(2, 4))
    remainder = st.builds(lambda x, d: x % d, inner, st.integers(2, 4))
    total = st.builds(lambda x, y, a: x + y * a, inner, inner, st.integers(-3, 3))
    times = st.builds(lambda x, y: x * y, leaf, inner)
    return st.one_of(inner, linear, divided, divided, remainder, total, times)


def extremes(names: str) -> st.SearchStrategy[Dim]:
    """Sums with a `min` or `max`, also of another one or of divisions, and divisions of these."""
    side = dims(names, 1)
    one = st.builds(extreme, st.sampled_from(["min", "max"]), side, st.one_of(side, SMALL))
    two = st.builds(extreme, st.sampled_from(["min", "max"]), one, side)  # a comparison has 4
    chosen = st.one_of(one, two)
    divided = st.builds(lambda x, b, d: (x + b) // d, chosen, SMALL, st.integers(2, 3))
    total = st.builds(lambda x, y, a: x + y * a, side, chosen, st.integers(-3, 3))
    return st.one_of(chosen, divided, total)


def comparisons(
    names: str, depth: int, sizes: st.SearchStrategy[Dim] | None = None
) -> st.SearchStrategy[Condition]:
    def build(left: Dim, right: Dim | int, relation: Relation) -> Condition:
        shown = {
            Relation.EQUAL: equal,
            Relation.AT_LEAST: at_least,
            Relation.UNEQUAL: lambda a, b: negation(equal(a, b)),
        }
        return shown[relation](left, right)

    sizes = sizes if sizes is not None else dims(names, depth)
    right = st.one_of(sizes, st.integers(0, 9))
    return st.builds(build, sizes, right, st.sampled_from(list(Relation)))


def conditions(names: str, depth: int = 2) -> st.SearchStrategy[Condition]:
    one = comparisons(names, depth)
    few = st.lists(one, min_size=1, max_size=3)
    return st.one_of(
        one,
        few.map(lambda parts: All(tuple(parts))),
        few.map(lambda parts: AnyOf(tuple(parts))),
        st.lists(few.map(lambda parts: AnyOf(tuple(parts))), min_size=1, max_size=2).map(
            lambda parts: All(tuple(parts))
        ),
    )


def givens(names: str) -> st.SearchStrategy[Condition]:
    symbol = st.sampled_from([Dim.symbol(name) for name in names])
    one = st.one_of(
        st.builds(divisible, symbol, st.integers(2, 6)),
        st.builds(at_least, symbol, st.integers(1, 12)),
        st.builds(lambda s, n: at_least(n, s), symbol, st.integers(1, 30)),
        st.builds(equal, symbol, symbol),
        st.builds(
            lambda s, m, r: equal(s % m, r % m), symbol, st.integers(2, 5), st.integers(0, 4)
        ),
    )
    begin = st.builds(at_least, symbol, st.just(0))
    return st.lists(st.one_of(one, begin), max_size=3).map(conjunction)


def order(names: list[str]):
    return lambda sizes: (sum(sizes.values()), tuple(sizes[name] for name in names))


def check(condition: Condition, given: Condition, names: list[str], last: int) -> None:
    verdict = decide(condition, given)
    short = simplify(condition, given)
    symbols = sorted(symbols_of(condition) | symbols_of(given)) or names[:1]
    zero = zero_allowed(given)
    sizes_of = [range(0 if name in zero else 1, last + 1) for name in symbols]
    grid = [dict(zip(symbols, row, strict=True)) for row in product(*sizes_of)]
    allowed = [sizes for sizes in grid if evaluate(given, sizes)]
    for sizes in allowed:
        truth = evaluate(condition, sizes)
        assert evaluate(short, sizes) == truth, (sizes, short)
        assert evaluate(verdict.formula, sizes) == truth, (sizes, verdict)
        if verdict.kind in (VerdictKind.ALWAYS, VerdictKind.NEVER):
            assert truth is (verdict.kind is VerdictKind.ALWAYS), sizes
        if verdict.kind is VerdictKind.FINITE and truth and verdict.solutions:
            own = {name: sizes[name] for name in verdict.solutions[0]}
            assert own in verdict.solutions
    for solution in verdict.solutions:
        assert evaluate(condition, solution)
    if verdict.counterexample is not None:
        least = verdict.counterexample
        free = [name for name in symbols if name not in least]
        assert not evaluate(condition, least)
        assert free or evaluate(given, least)
        key = order(sorted(least))
        for sizes in allowed:
            own = {name: sizes[name] for name in least}
            assert evaluate(condition, sizes) or key(own) >= key(least), (own, least)
    elif verdict.kind in (VerdictKind.SOMETIMES, VerdictKind.FINITE):
        pytest.fail("no counterexample")


@BOUNDED
@given(conditions("H", 3), givens("H"))
def test_one_symbol(condition: Condition, given: Condition) -> None:
    check(condition, given, ["H"], 150)
    assert decide(condition, given).kind is not VerdictKind.UNDECIDED


@BOUNDED
@given(conditions("H", 2), givens("H"))
def test_finite_and_infinite_sets_are_distinguished(condition: Condition, given: Condition) -> None:
    # With divisors up to 4, two deep, everything beyond 300 is a repetition.
    late = [{"H": size} for size in range(301, 601)]
    allowed = any(evaluate(given, sizes) for sizes in late)
    holds = any(evaluate(given, sizes) and evaluate(condition, sizes) for sizes in late)
    verdict = decide(condition, given)
    if verdict.kind is VerdictKind.FINITE:
        assert allowed
        assert not holds
    if verdict.kind is VerdictKind.SOMETIMES:
        assert holds or not allowed


@BOUNDED
@given(conditions("HW"), givens("HW"))
def test_two_symbols(condition: Condition, given: Condition) -> None:
    check(condition, given, ["H", "W"], 20)


@settings(BOUNDED, max_examples=60)
@given(conditions("BHW", 1), givens("BHW"))
def test_three_symbols(condition: Condition, given: Condition) -> None:
    check(condition, given, ["B", "H", "W"], 9)


@BOUNDED
@given(comparisons("HW", 1, extremes("HW")), givens("HW"))
def test_min_and_max(condition: Condition, given: Condition) -> None:
    check(condition, given, ["H", "W"], 20)


def alternatives(condition: Condition, around: Condition) -> Iterator[tuple[AnyOf, Condition]]:
    """Each disjunction in a condition, with the conditions that hold at the same time."""
    if isinstance(condition, Comparison):
        return
    for part in condition.parts:
        others = [other for other in condition.parts if other is not part]
        beside = [*others, around] if isinstance(condition, All) else [around]
        yield from alternatives(part, conjunction(beside))
    if isinstance(condition, AnyOf):
        yield condition, around


CASES = st.one_of(
    comparisons("HW", 1, extremes("HW")),
    conditions("HW", 1),
    st.builds(
        lambda case, then, other: disjunction(
            [conjunction([case, then]), conjunction([negation(case), other])]
        ),
        comparisons("HW", 1),
        comparisons("HW", 1),
        conditions("HW", 1),
    ),
)


@BOUNDED
@given(CASES, givens("HW"))
def test_no_written_alternative_is_redundant(condition: Condition, given: Condition) -> None:
    short, zero = simplify(condition, given), beginning_at_zero(given)
    check(condition, given, ["H", "W"], 12)
    for whole, around in alternatives(short, given):
        if len(symbols_of(whole)) < 2:
            continue
        around = conjunction([around, zero])
        for part in whole.parts:
            others = disjunction(other for other in whole.parts if other is not part)
            alone = decide(conjunction([part, negation(others)]), around)
            cheap = alone.work < 500  # what takes more steps need not be simplified
            assert not cheap or alone.kind is not VerdictKind.NEVER, (short, part)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (equal(extreme("max", H, W), W), "W >= H"),
        (equal(extreme("min", H, W), W), "H >= W"),
        (unequal(extreme("max", H, W), W), "H >= W + 1"),
        (at_least(extreme("max", H, W), 7), "H > 6 or W > 6"),
        (equal(extreme("max", H, 7), H), "H >= 7"),
        (equal(extreme("max", H, W), extreme("min", H, W)), "H == W"),
        (at_least(extreme("min", H, extreme("max", W, P)), P), "H >= P"),
        (
            disjunction([at_least(W, H), conjunction([at_least(H, W + 1), equal(H % 2, 0)])]),
            "H % 2 == 0 or W >= H",
        ),
        (disjunction([equal(H, 3), equal(H, 7), at_least(W, 1)]), "true"),
    ],
)
def test_cases_are_written_readably(condition: Condition, text: str) -> None:
    assert condition_text(simplify(condition)) == text


@BOUNDED
@given(conditions("HP"), givens("HP"), st.sampled_from(["", "P", "HP"]))
def test_valid_sizes_from_0(condition: Condition, given: Condition, names: str) -> None:
    begin = conjunction(at_least(Dim.symbol(name), 0) for name in names)
    whole = conjunction([begin, given, condition])
    found, zero = ValidSizes.of(whole), zero_allowed(whole)
    for h, p in product(range(12), repeat=2):
        sizes = {"H": h, "P": p}
        allowed = all(size or name in zero for name, size in sizes.items())
        assert found.accepts(sizes) == (allowed and evaluate(whole, sizes)), sizes


@BOUNDED
@given(conditions("HP", 1), givens("HP"), st.sampled_from(["", "P", "HP"]))
def test_symbols_with_finitely_many_sizes_left(
    condition: Condition, given: Condition, names: str
) -> None:
    given = conjunction([given, *(at_least(Dim.symbol(name), 0) for name in names)])
    whole, zero = conjunction([condition, given]), zero_allowed(given)
    found = limited(condition, given)
    for name, other in (("H", "P"), ("P", "H")):
        # Sizes repeat with periods up to 24, and one symbol is less than 16 times the other.
        late = range(96, 121)
        rest = [*range(0 if other in zero else 1, 121), *range(121, 2_000, 7)]
        grid = [{name: far, other: near} for far in late for near in rest]
        holds = any(evaluate(whole, sizes) for sizes in grid)
        if name in found:
            assert not holds, name
            assert any(evaluate(given, sizes) for sizes in grid), name


@pytest.mark.parametrize(
    ("condition", "given", "expected"),
    [
        (equal(H * P, 0), at_least(P, 0), ("P",)),
        (equal(H * P, 0), conjunction([at_least(P, 0), at_least(H, 0)]), ()),
        (at_least(5, H * P), TRUE, ("H", "P")),
        (at_least(5, H * P), at_least(P, 0), ("P",)),
        (conjunction([equal(P, 0), at_least(H, P)]), at_least(P, 0), ("P",)),
        (equal(P, 0), conjunction([at_least(P, 0), at_least(3, P)]), ()),
    ],
)
def test_finitely_many_sizes_where_some_start_at_0(
    condition: Condition, given: Condition, expected: tuple[str, ...]
) -> None:
    assert limited(condition, given) == expected


@BOUNDED
@given(st.one_of(dims("HW", 3), extremes("HW")), st.integers(1, 200), st.integers(1, 200))
def test_dims_evaluate_like_integers(expression: Dim, h: int, w: int) -> None:
    sizes = {"H": h, "W": w}
    assert expression.evaluate(sizes) == expression.substitute(sizes).constant
    doubled = expression.substitute({"H": Dim.symbol("W") * 2})
    assert doubled.evaluate({"W": w}) == expression.evaluate({"H": 2 * w, "W": w})


@pytest.mark.parametrize("first", [0, 1, 3])
def test_eliminated_symbols_have_a_size(first: int) -> None:
    h, w = Dim.symbol("H"), Dim.symbol("W")
    nothing = All((equal(h, h), equal(h, w), AnyOf(())))
    check(nothing, at_least(h, first), ["H", "W"], 6)
    assert decide(nothing, at_least(h, first)).counterexample == {"H": first, "W": 1}


def test_comparison_is_evaluated() -> None:
    assert evaluate(Comparison(dim(0) + Dim.symbol("H"), Relation.AT_LEAST), {"H": 1})
    assert decide(TRUE).kind is VerdictKind.ALWAYS
