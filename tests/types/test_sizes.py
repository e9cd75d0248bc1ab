"""Valid sizes: text, splitting by axis, exact acceptance."""

from archspec.types.condition import TRUE, at_least, conjunction, divisible, equal
from archspec.types.dim import Dim
from archspec.types.sizes import ValidSizes

B, H, W = map(Dim.symbol, "BHW")


def test_conditions_are_split_by_axis_except_joint_ones() -> None:
    sizes = ValidSizes.of(
        conjunction([divisible(H, 4), divisible(H, 8), at_least(W, 5), at_least(B * W, 20)])
    )
    assert str(sizes) == "H % 8 == 0, W >= 5, B*W >= 20"
    assert set(sizes.per_axis) == {"H", "W"}
    assert sizes.per_axis["H"] == divisible(H, 8)
    assert sizes.joint == at_least(B * W, 20)
    assert sizes.to_json() == {
        "formula": "H % 8 == 0, W >= 5, B*W >= 20",
        "per_axis": {"H": "H % 8 == 0", "W": "W >= 5"},
        "joint": ["B*W >= 20"],
    }


def test_accepts_evaluates_the_condition() -> None:
    sizes = ValidSizes.of(conjunction([equal(H, W), at_least(H, 7)]))
    assert sizes.accepts({"B": 1, "H": 7, "W": 7})
    assert not sizes.accepts({"B": 1, "H": 7, "W": 8})
    assert not sizes.accepts({"B": 0, "H": 7, "W": 7})
    assert sizes.symbols == {"H", "W"}


def test_no_condition_allows_every_size() -> None:
    assert str(ValidSizes.of(TRUE)) == "every size"
    assert ValidSizes.of(TRUE).is_everything
    assert ValidSizes.of(at_least(H, 1)).is_everything
    assert not ValidSizes.of(TRUE).accepts({"H": 0})


def test_no_size_at_all() -> None:
    sizes = ValidSizes.of(conjunction([divisible(H, 2), equal(H % 2, 1)]))
    assert str(sizes) == "no size"
    assert not sizes.accepts({"H": 2})
