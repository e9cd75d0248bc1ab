"""The comparison with golden files fails if any key of a file is read wrongly."""

from dataclasses import replace

import numpy
import pytest

from archspec.loading import load
from tests.specs.golden import Golden, draw, fill, reference_of
from tests.specs.golden_run import assert_outputs, assert_state

SPEC = """network both(width: int = 3) {
  input left: f32[B = 2, 4], right: f32[B, 4], index: i64[B]
  buffer steps: f32[4] = arange(4) -> cast(f32)
  buffer limit: f32[4] = ones([4])
  table = "table": param([5, width])
  a = left * steps -> first: linear(width, bias=false)
  b = right * limit -> second: linear(width, bias=false)
  tie "second.weight" = "first.weight"
  y = a + 2.0 * b + ((table, index) -> take(axis=0))
  output score = y
  output kept = y -> gt(0) -> cast(i64)
}
"""


def reference() -> Golden:
    """The network above, computed with NumPy."""
    fixed = {"limit": [0.5, 1.0, 2.0, 4.0]}
    left, right, index = draw("one", (2, 4)), draw("two", (2, 4)), [3, 1]
    weight = fill("first.weight", (3, 4), 1.5)
    y = (left * numpy.arange(4)) @ weight.T + 2 * (right * fixed["limit"]) @ weight.T
    y = y + fill("table", (5, 3), 1.5)[index]
    gates = (y > 0).astype(int)
    values = [*y.ravel().tolist()]
    item = {"shape": [2, 3], "std": float(y.std()), "norm": float(numpy.linalg.norm(y))}
    return reference_of(
        {
            "params": 27,
            "state": {"table": [5, 3], "first.weight": [3, 4], "second.weight": [3, 4]},
            "inputs": {"one": [2, 4], "two": [2, 4], "index": [2]},
            "values": {"index": index},
            "aliases": {"second.weight": "first.weight"},
            "kept": {"steps": [4]},
            "fixed": fixed,
            "gain": 1.5,
            "gates": {"margin": 0.1, "d": gates.tolist()},
            "outputs": {"score": {**item, "head": values, "tail": values}},
        }
    )


HOW = {"outputs": ["score"], "gates": "kept"}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("golden") / "both.arch"
    path.write_text(SPEC)
    return load(path)


def test_a_network_agrees_with_its_reference(network):
    assert_outputs(network, reference(), HOW)
    assert_state(network, reference())


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"two": (2, 4), "one": (2, 4), "index": (2,)}},
        {"given": {"index": [1, 3]}},
        {"aliases": {"first.weight": "second.weight", "second.weight": "second.weight"}},
        {"kept": {}},
        {"fixed": {}},
        {"gates": [[0, 0, 0], [0, 0, 0]]},
        {"gain": 1.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_difference_of_outputs_is_found(network, change):
    with pytest.raises(AssertionError):
        assert_outputs(network, replace(reference(), **change), HOW)


@pytest.mark.parametrize(
    "change",
    [
        {"state": {"table": (5, 3)}},
        {"aliases": {"second.weight": "table"}},
        {"kept": {"steps": (5,)}},
        {"fixed": {"limits": [0.5, 1.0, 2.0, 4.0]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_difference_of_tensors_is_found(network, change):
    with pytest.raises(AssertionError):
        assert_state(network, replace(reference(), **change))


def test_outputs_are_matched_by_name(network):
    with pytest.raises(AssertionError):
        assert_outputs(network, reference(), {"outputs": ["kept"]})
