"""Symbolic dimensions: canonical forms, limits, identity."""

import pickle

import pytest

from archspec.types.atoms import OutsideFragment
from archspec.types.dim import ONE, ZERO, Dim, ceil_divide, dim, exact_quotient, extreme, sum_of

H, W = Dim.symbol("H"), Dim.symbol("W")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((H + 3) // 2, (H + 1) // 2 + 1),
        (H // 2 // 3, H // 6),
        ((H // 2 + 1) // 2, (H + 2) // 4),
        ((2 * H + 4 * W) // 6, (H + 2 * W) // 3),
        ((5 * H) // 2, 2 * H + H // 2),
        (-H // 2, -ceil_divide(H, 2)),
        (H * W - W * H, ZERO),
        ((H + 1) * (H - 1), H**2 - 1),
        ((6 * H) % 3, ZERO),
        ((7 * (H // 7) + H) // 7, 2 * (H // 7)),
        ((15 * (H // 5) + H + 7) // 5, 4 * (H // 5) + (H % 5 + 7) // 5),
        (H**0, ONE),
    ],
)
def test_equal_expressions_are_equal_objects(left: Dim, right: Dim) -> None:
    for size in range(1, 40):
        sizes = {"H": size, "W": 3 * size % 7 + 1}
        assert left.evaluate(sizes) == right.evaluate(sizes)
    if left != right:  # the canonical form need not detect it; -H//2 is such a case
        assert str(left) == "-H + H//2"
    else:
        assert hash(left) == hash(right)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((H + 1) // 2, "(H + 1)//2"),
        (2 * H * W // 1, "2*H*W"),
        (3 * (H // 2) ** 2 - 1, "3*(H//2)**2 - 1"),
        (ZERO, "0"),
        (-H + 2, "-H + 2"),
        (3 * extreme("min", 1, (H - 1) // 7), "3*min((H + 6)//7 - 1, 1)"),
        (extreme("max", W, H) // 2 + 1, "max(H, W)//2 + 1"),
    ],
)
def test_text(value: Dim, text: str) -> None:
    assert str(value) == text


def test_numbers_are_dims_and_equal_them() -> None:
    assert dim(7) == 7
    assert hash(dim(7)) == hash(7)
    assert dim(7) // 2 * 2 + dim(7) % 2 == 7
    assert 10 - H + H == 10
    assert H != 7


def test_exact_quotient() -> None:
    assert exact_quotient(H * W * 4 + W * 2, W * 2) == 2 * H + 1
    assert exact_quotient(H * W + 1, W) is None
    with pytest.raises(OutsideFragment, match="not a fixed number"):
        (H + 1) // W


def test_extremes() -> None:
    assert extreme("min", H, H + 1) == H
    assert extreme("max", H, H + 1) == H + 1
    assert extreme("min", H, W) == extreme("min", W, H) != extreme("max", H, W)
    assert extreme("min", H, W).substitute({"H": W + 2}) == W
    assert (extreme("min", H, 3) // 2).substitute({"H": 2 * W}) == extreme("min", 2 * W, 3) // 2
    assert extreme("max", H // 2, W).evaluate({"H": 9, "W": 3}) == 4


def test_pickles_equal() -> None:
    value = H * ((W + 3) // 4) - 2 * extreme("max", H // 3, W)
    assert pickle.loads(pickle.dumps(value)) == value


def _nested_extremes() -> Dim:
    value = H
    for number in range(1000):
        value = extreme("max", extreme("min", value, W + number), number)
    return value


def _squared() -> Dim:
    value = H + 1
    for _ in range(20):
        value = value * value
    return value


def _nested() -> Dim:
    value = H
    for _ in range(1000):
        value = (3 * value + 1) // 2
    return value


def _doubled_text() -> Dim:
    value = H
    for _ in range(1000):
        value = value // 2 + (value + 1) // 3
    return value


@pytest.mark.parametrize(
    "grow",
    [
        lambda: H**100_000,
        lambda: dim(2) ** 100_000_000,
        lambda: (H + W + Dim.symbol("A") + Dim.symbol("B") + Dim.symbol("C")) ** 60,
        lambda: dim(10) ** 1000 * H * dim(10) ** 1000,
        _squared,
        _nested,
        _doubled_text,
        _nested_extremes,
    ],
)
def test_too_large_expressions_are_refused(grow) -> None:
    with pytest.raises(OutsideFragment):
        grow()


def test_the_sum_of_many() -> None:
    parts = [H // 2, H // 2, W * 3, 5, H // 2 * -1, W * -3, 0, H * W]
    assert sum_of(parts) == sum(parts[1:], dim(parts[0]))
    assert sum_of([]) == ZERO
