"""`frozen` makes what `dataclass(frozen=True, slots=True)` makes."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.frozen import frozen


@frozen
class Ours:
    """A place and what is there."""

    name: str
    place: tuple[int, int] = (0, 0)
    things: list[int] = field(default_factory=list)
    note: str = field(default="", compare=False, repr=False)
    size: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", len(self.things))


@dataclass(frozen=True, slots=True)
class Theirs:
    """The same."""

    name: str
    place: tuple[int, int] = (0, 0)
    things: list[int] = field(default_factory=list)
    note: str = field(default="", compare=False, repr=False)
    size: int = field(init=False, compare=False)

    __post_init__ = Ours.__post_init__


@frozen
class Alone:
    """Compared by hand."""

    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alone)

    def __hash__(self) -> int:
        return 7


ARGUMENTS = st.tuples(
    st.sampled_from("ab"),
    st.tuples(st.integers(0, 1), st.integers(0, 1)),
    st.lists(st.integers(0, 1), max_size=2),
    st.sampled_from(["", "x"]),
).flatmap(lambda all_of_them: st.integers(1, 4).map(lambda count: all_of_them[:count]))


@given(ARGUMENTS, ARGUMENTS)
def test_compared_and_shown_as_by_dataclass(first, second):
    ours, theirs = (Ours(*first), Ours(*second)), (Theirs(*first), Theirs(*second))
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    assert repr(ours[0]) == repr(theirs[0]).replace("Theirs", "Ours")
    assert ours[0].size == theirs[0].size
    assert ours[0] != theirs[0]


def test_defaults_are_made_anew():
    assert Ours("a").things is not Ours("a").things


def test_hash_goes_by_what_is_compared():
    @frozen
    class Point:
        x: int
        y: int = field(default=0, compare=False)

    assert len({Point(1), Point(1, 2), Point(2)}) == 2
    assert hash(Point(1)) == hash((1,))


def test_fields_cannot_be_set():
    one = Ours("a")
    with pytest.raises(FrozenInstanceError):
        one.name = "b"
    with pytest.raises(FrozenInstanceError):
        del one.name
    with pytest.raises(AttributeError):
        one.other = 1


def test_copied_pickled_replaced():
    one = Ours("a", (1, 2), [3], "x")
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert (other, other.note, other.size) == (one, "x", 1)
    assert replace(one, name="b") == Ours("b", (1, 2), [3])


def test_methods_of_the_class_stay():
    assert Alone("a") == Alone("b")
    assert hash(Alone("a")) == 7
