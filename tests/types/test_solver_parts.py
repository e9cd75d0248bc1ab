"""The solver's parts against brute force: periodic sets, signs of polynomials, linear systems."""

from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.types.condition import evaluate
from archspec.types.dim import Dim
from archspec.types.solver.factor import factors, product_and_rest
from archspec.types.solver.linear import System, box_rows, feasible, greatest, smallest, unbounded
from archspec.types.solver.periodic import (
    EMPTY,
    EVERYTHING,
    PeriodicSet,
    interval,
    points,
    residues,
)
from archspec.types.solver.polynomial import differences, sign_runs, value_at
from archspec.types.solver.region import region, signs
from archspec.types.solver.render import describe

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
@given(sets(), sets())
def test_descriptions_mean_the_set(wanted: PeriodicSet, allowed: PeriodicSet) -> None:
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
        for total in range(250, 300)  # a corner has x + y up to 240, a ray steps by at most 10
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


def test_a_region_that_does_not_come_apart_is_left_alone() -> None:
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
