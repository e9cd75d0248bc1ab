"""Masks compared with sets of numbers, and the sets of sizes made from them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.types.condition import Comparison, Relation
from archspec.types.dim import Dim
from archspec.types.solver import masks
from archspec.types.solver.periodic import (
    PeriodicSet,
    divisors,
    from_rounds,
    interval,
    periodic,
    primes_of,
)
from archspec.types.solver.univariate import preimage, solve

QUICK = settings(max_examples=200, deadline=None)
LAST = 400
N = Dim.symbol("N")


@st.composite
def masked(draw: st.DrawFn) -> tuple[int, int]:
    """A period and a mask, often one that repeats within the period."""
    part, times = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    period = part * times
    repeated = masks.stretched(draw(st.integers(0, 2**part - 1)), part, times)
    return period, draw(st.one_of(st.just(repeated), st.integers(0, 2**period - 1)))


def numbers_of(mask: int, period: int, start: int, stop: int) -> list[int]:
    return [number for number in range(start, stop) if mask >> (number % period) & 1]


@QUICK
@given(masked(), st.integers(1, 60), st.integers(0, 60), st.integers(1, 40))
def test_masks_are_sets(one: tuple[int, int], start: int, length: int, modulus: int) -> None:
    period, mask = one
    stop = start + length
    inside = numbers_of(mask, period, start, stop)
    endless = numbers_of(mask, period, start, start + period * modulus)
    bits = [place for place in range(period) if mask >> place & 1]
    assert list(masks.members(mask)) == bits
    assert masks.of(bits, period) == mask == masks.of_flags(masks.flags(mask, period))
    assert set(masks.members(masks.residues_in(start, stop, period))) == {
        number % period for number in range(start, stop)
    }
    assert set(masks.members(masks.folded(mask, modulus))) == {bit % modulus for bit in bits}
    window = masks.window(mask, period, start, length)
    assert [start + place for place in masks.members(window)] == inside
    for end, members in ((stop, inside), (None, endless)):
        seen = masks.seen(mask, period, start, end, modulus)
        assert set(masks.members(seen)) == {number % modulus for number in members}
    assert masks.last_before(mask, period, start, stop) == (inside[-1] if inside else None)
    if mask:
        assert masks.first_from(mask, period, start) == endless[0]


@QUICK
@given(masked())
def test_the_shortest_period(one: tuple[int, int]) -> None:
    period, mask = one
    found = masks.shortest_period(period, [mask], primes_of(period))
    repeats = [
        part
        for part in divisors(period)
        if numbers_of(mask, period, 0, period)
        == numbers_of(mask & masks.full(part), part, 0, period)
    ]
    assert found == min(repeats)
    assert divisors(period) == [d for d in range(1, period + 1) if period % d == 0]


def listed(numbers: PeriodicSet) -> list[int]:
    return [number for number in range(1, LAST) if number in numbers]


@st.composite
def rounds(draw: st.DrawFn) -> tuple[int, dict[int, int]]:
    """A period, and for some rounds the residues that are added or removed."""
    period = draw(st.integers(1, 12))
    masks_of = st.dictionaries(st.integers(0, 8), st.integers(0, 2**period - 1), max_size=5)
    return period, draw(masks_of)


@QUICK
@given(rounds(), rounds())
def test_sets_from_rounds(one: tuple[int, dict[int, int]], two: tuple[int, dict[int, int]]) -> None:
    sets, wanted = [], []
    for period, flips in (one, two):
        late = {k: mask for k, mask in flips.items() if k}
        sets.append(from_rounds(period, flips.get(0, 0), late))
        wanted.append(
            {
                number
                for number in range(1, LAST)
                if sum(
                    mask >> (number % period) & 1
                    for k, mask in flips.items()
                    if k <= (number - 1) // period
                )
                % 2
            }
        )
    left, right = sets
    assert [set(listed(each)) for each in sets] == wanted
    assert set(listed(left & right)) == wanted[0] & wanted[1]
    assert set(listed(left | right)) == wanted[0] | wanted[1]
    assert set(listed(left.complement())) == set(range(1, LAST)) - wanted[0]
    assert left.least == min(wanted[0], default=None)
    if left.is_finite:
        assert left.greatest == max(wanted[0], default=None)
        assert left.count() == len(wanted[0])
    for modulus in (1, 5, 6):
        assert set(masks.members(left.residues_modulo(modulus))) == {
            number % modulus for number in wanted[0]
        }


@QUICK
@given(masked(), st.integers(0, 30))
def test_equal_sets_have_equal_representations(one: tuple[int, int], first: int) -> None:
    period, mask = one
    both = periodic(period, mask) & interval(first + 1)
    late = periodic(2 * period, masks.stretched(mask, period, 2)) - interval(1, max(first, 1))
    if first:
        assert both == late


@QUICK
@given(
    rounds(),
    st.integers(-4, 4).filter(bool),
    st.integers(-5, 9),
    st.integers(1, 5),
    st.integers(1, 7),
)
def test_preimages_of_sets(
    one: tuple[int, dict[int, int]], factor: int, constant: int, by: int, other: int
) -> None:
    period, flips = one
    first = flips.pop(0, 0)
    wanted = from_rounds(period, first, flips)
    expression = (N * factor + constant) // by + N % other
    if expression.constant is None:
        found = preimage(expression, wanted)
        for number in range(1, LAST):
            assert (number in found) == (expression.evaluate({"N": number}) in wanted)


@QUICK
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 7)), min_size=1, max_size=3),
    st.integers(-60, 60),
    st.sampled_from(list(Relation)),
)
def test_lines_on_residue_classes(
    parts: list[tuple[int, int]], constant: int, relation: Relation
) -> None:
    expression = Dim.constant_of(constant)
    for factor, divisor in parts:
        expression = expression + (N // divisor) * factor
    if expression.constant is None:
        found = solve(Comparison(expression, relation))
        for number in range(1, LAST):
            value = expression.evaluate({"N": number})
            holds = {
                Relation.EQUAL: value == 0,
                Relation.UNEQUAL: value != 0,
                Relation.AT_LEAST: value >= 0,
            }[relation]
            assert (number in found) == holds, number
