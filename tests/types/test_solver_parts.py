"""The parts of the solver compared with brute force: periodic sets, signs, linear systems."""

from collections.abc import Callable
from contextlib import suppress
from itertools import islice, pairwise, product
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.types.condition import Comparison, Relation, evaluate
from archspec.types.dim import Dim
from archspec.types.meter import BudgetExceeded, Meter
from archspec.types.solver.classes import _segments as segments
from archspec.types.solver.classes import by_class
from archspec.types.solver.decide import BUDGET
from archspec.types.solver.factor import factors, product_and_rest
from archspec.types.solver.linear import System, box_rows, feasible, greatest, smallest, unbounded
from archspec.types.solver.periodic import (
    EMPTY,
    EVERYTHING,
    PeriodicSet,
    interval,
    periodic,
    points,
    residues,
)
from archspec.types.solver.polynomial import differences, sign_runs, value_at
from archspec.types.solver.region import region, signs
from archspec.types.solver.render import describe
from archspec.types.solver.univariate import solve

LAST = 80
QUICK = settings(max_examples=150, deadline=None)


def sets() -> st.SearchStrategy[PeriodicSet]:
    plain = st.one_of(
        st.builds(interval, st.integers(1, 20)),
        st.builds(lambda a, n: interval(a, a + n), st.integers(1, 20), st.integers(0, 20)),
        st.builds(residues, st.integers(1, 8), st.lists(st.integers(0, 8), max_size=4)),
        st.lists(st.integers(1, 30), max_size=3).map(points),
        st.sampled_from([EMPTY, EVERYTHING]),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner),
            st.builds(lambda a, b: a | b, inner, inner),
            st.builds(lambda a: a.complement(), inner),
        ),
        max_leaves=5,
    )


def listed(numbers: PeriodicSet) -> set[int]:
    return {number for number in range(1, LAST) if number in numbers}


@QUICK
@given(sets(), sets())
def test_sets_combine_like_sets(left: PeriodicSet, right: PeriodicSet) -> None:
    everything = set(range(1, LAST))
    assert listed(left & right) == listed(left) & listed(right)
    assert listed(left | right) == listed(left) | listed(right)
    assert listed(left.complement()) == everything - listed(left)
    assert (left <= right) == (left & right).same(left)
    members = sorted(listed(left))
    assert left.is_empty == (not members)
    assert left.least == (members[0] if members else None)
    if left.is_finite:
        assert list(left.members()) == members
        assert left.count() == len(members)
        assert left.greatest == (members[-1] if members else None)


@QUICK
@given(sets(), st.integers(1, 40))
def test_pieces_are_recovered_from_their_starts(numbers: PeriodicSet, step: int) -> None:
    ends = [LAST if stop is None else stop for _, stop in numbers.spans()]
    wanted = [
        [number for number in range(start, min(end, start + step)) if number in numbers]
        for start, end in zip(numbers.starts, ends, strict=True)
    ]
    assert [list(members) for members in numbers.members_within(step)] == wanted
    assert numbers.counts_within(step) == list(map(len, wanted))
    assert list(islice(numbers.members(), 9)) == sorted(listed(numbers) | _far(numbers))[:9]


def _far(numbers: PeriodicSet) -> set[int]:
    return {number for number in range(LAST, 12 * LAST) if number in numbers}


@QUICK
@given(sets(), st.integers(1, 9))
def test_each_size_is_in_one_class(numbers: PeriodicSet, times: int) -> None:
    """A class is a smallest size with an interval of rounds; classes are in order."""
    step = numbers.period * times
    found = segments(numbers, step)
    assert found == sorted(found, key=lambda each: (each[0], each[1][0]))
    for one, two in pairwise(found):
        assert one[0] != two[0] or (one[1][1] is not None and one[1][1] + 1 < two[1][0])
    for number in range(1, 2 * LAST):
        k, before = divmod(number - 1, step)
        inside = [
            span
            for first, span in found
            if first == before + 1 and span[0] <= k and (span[1] is None or k <= span[1])
        ]
        assert len(inside) == (number in numbers)


MANY = 720_720
"""The longest period that has many divisors."""

N, P = Dim.symbol("N"), Dim.symbol("P")
MIXED = periodic(MANY, sum(1 << place for place in range(7, MANY, 71)))


def at_least_one(expression: Dim) -> Comparison:
    return Comparison(expression - 1, Relation.AT_LEAST)


WORK: dict[str, Callable[[], object]] = {
    "classes": lambda: by_class({"N": MIXED, "P": EVERYTHING}, [at_least_one(N + P)]),
    "membership": lambda: [number in MIXED for number in range(1, 200_000)],
    "the next member": lambda: [MIXED.next_from(number) for number in range(1, 50_000)],
    "rounds": lambda: solve(at_least_one(N - 10**6 * (N % 65_536))),
}


@pytest.mark.parametrize("name", WORK)
def test_long_masks_are_charged(name: str) -> None:
    """Repeated operations on masks take no more time than their budget corresponds to."""
    start = process_time()
    with suppress(BudgetExceeded):
        Meter(BUDGET).run(WORK[name])
    assert process_time() - start < 2


@QUICK
@given(sets(), sets())
def test_descriptions_describe_the_set(wanted: PeriodicSet, allowed: PeriodicSet) -> None:
    text = describe("H", wanted, allowed)
    for size in listed(allowed):
        assert evaluate(text, {"H": size}) == (size in wanted)


@QUICK
@given(st.lists(st.integers(-30, 30), min_size=1, max_size=5))
def test_sign_runs(values: list[int]) -> None:
    newton = differences(values)
    runs = sign_runs(newton)
    assert [value_at(newton, k) for k in range(len(values))] == values
    assert runs[0][0] == 0
    assert all(one[1] != two[1] for one, two in pairwise(runs))
    for k in range(200):
        value = value_at(newton, k)
        (sign,) = [sign for start, sign in runs if start <= k][-1:]
        assert sign == (value > 0) - (value < 0)


ROW = st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(-12, 12))


@QUICK
@given(st.lists(ROW, max_size=1), st.lists(ROW, min_size=1, max_size=3), st.integers(1, 6))
def test_linear_systems(equal: list, rows: list, weight: int) -> None:
    spans = {0: (0, 9), 1: (0, 9)}
    system = System(2, tuple(equal), (*box_rows(spans, 2), *rows))
    found = [
        (x, y)
        for x, y in product(range(10), repeat=2)
        if all(a * x + b * y + c == 0 for a, b, c in equal)
        and all(a * x + b * y + c >= 0 for a, b, c in rows)
    ]
    assert feasible(system) == bool(found)
    if found:
        assert not unbounded(system)
        best = min(found, key=lambda p: (weight * p[0] + p[1], p))
        assert smallest(system, (weight, 1), 0) == best
        assert greatest(system, 0) == max(x for x, _ in found)


@QUICK
@given(st.lists(ROW, max_size=1), st.lists(ROW, min_size=1, max_size=3))
def test_unbounded_systems(equal: list, rows: list) -> None:
    system = System(2, tuple(equal), (*box_rows({}, 2), *rows))
    far = [
        (x, y)
        for total in range(250, 300)  # a corner has x + y up to 240, a ray has steps of at most 10
        for x, y in ((x, total - x) for x in range(total + 1))
        if all(a * x + b * y + c == 0 for a, b, c in equal)
        and all(a * x + b * y + c >= 0 for a, b, c in rows)
    ]
    if feasible(system):
        assert unbounded(system) == bool(far)
    else:
        assert not far


TERM = st.tuples(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(-4, 4))


@QUICK
@given(st.lists(TERM, min_size=1, max_size=4), st.integers(-9, 9))
def test_regions_of_polynomials(terms: list, constant: int) -> None:
    polynomial = {powers: factor for powers, factor in terms if factor}
    polynomial[(0, 0)] = constant
    polynomial = {powers: factor for powers, factor in polynomial.items() if factor}
    for wanted in ({0}, {1}, {-1}, {0, 1}, {-1, 1}, {-1, 0}):
        boxes = signs(polynomial, frozenset(wanted))
        if boxes is None:
            continue
        for k, j in product(range(14), repeat=2):
            value = sum(f * k ** p[0] * j ** p[1] for p, f in polynomial.items())
            inside = any(
                all(
                    low <= (k, j)[i] and (high is None or (k, j)[i] <= high)
                    for i, (low, high) in box.items()
                )
                for box in boxes
            )
            assert inside == ((value > 0) - (value < 0) in wanted)


def test_inseparable_region_is_unchanged() -> None:
    from archspec.types.condition import Relation

    assert region({(1, 0): 1, (0, 1): -1}, Relation.EQUAL) is None


H, W, B = map(Dim.symbol, "HWB")
FACTOR = st.builds(
    lambda s, a, b, d: (a * s + b) // d,
    st.sampled_from([H, W, B]),
    st.integers(1, 3),
    st.integers(-3, 3),
    st.integers(1, 3),
)


@QUICK
@given(st.lists(FACTOR, min_size=1, max_size=3), st.integers(-6, 6), st.integers(-20, 20))
def test_factors_multiply_back(parts: list[Dim], scale: int, rest: int) -> None:
    whole = Dim.constant_of(scale)
    for part in parts:
        whole = whole * part
    product_ = Dim.constant_of(1)
    for part in factors(whole):
        product_ = product_ * part
    assert product_ == whole
    found = product_and_rest(whole + rest)
    if found is not None:
        times, pieces, left = found
        product_ = Dim.constant_of(1)
        for part in pieces:
            product_ = product_ * part
        assert product_ + left == (whole + rest) * times
