"""Depth, paths, receptive field, MACs and memory of hand-built graphs."""

from math import isclose
from typing import ClassVar

import pytest

from archspec.analysis.depth import Depth, depth, depth_matrix
from archspec.analysis.macs import macs, macs_by_node
from archspec.analysis.memory import activation_memory, peak_memory
from archspec.analysis.paths import PathCount, paths
from archspec.analysis.receptive_field import AxisField, field_text, receptive_field
from archspec.graph.model import Region
from archspec.ops.base import Check, Op
from archspec.ops.layer_normalisation import LayerNorm
from archspec.ops.linear import Linear
from archspec.ops.random import Join
from archspec.ops.shape import Permute, Transpose
from archspec.ops.shaped_activation import Softmax
from archspec.types.tensor import TensorType
from tests.building import Build, Layer, Pointwise, Repeat, Whole, fractal, tensor


@pytest.mark.parametrize(("count", "number"), [(1, 1), (2, 2), (3, 5), (4, 26), (5, 677)])
def test_fractal_paths(count, number):
    assert paths(fractal(count)).exact == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3125, "3,125"),
        (2**58, "288,230,376,151,711,744 (2^58.0)"),
        (2**500, "2^500.0"),
        (2**1024, "2^1024"),
    ],
)
def test_path_counts_as_text(number, text):
    assert str(PathCount.of(number)) == text


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_fractal_depth_counts_the_head(count):
    assert depth(fractal(count), {}) == Depth(2 ** (count - 1) + 1, 2)


def test_forty_columns_are_analysed_quickly():
    graph = fractal(40)
    assert depth(graph, {}).longest == 2**39 + 1
    count = paths(graph)
    assert count.exact is None
    # P(c) = P(c - 1)**2 + 1, so log2 doubles once the 1 is negligible.
    assert isclose(count.log2, paths(fractal(30)).log2 * 2**10, rel_tol=1e-12)
    # one conv 3 -> 16 per column, all others 16 -> 16, and the head
    convs = 2**40 - 1
    expected = 40 * 3 * 16 * 9 + (convs - 40) * 16 * 16 * 9 + 16 * 10 * 9
    assert macs(graph).evaluate({"B": 1, "H": 1, "W": 1}) == expected


def test_path_counts_are_exact_below_the_limit_and_approximate_above():
    exact = PathCount.of(3**640)
    assert exact.exact == 3**640
    above = exact * PathCount.of(3**20)
    assert above.exact is None
    assert isclose(above.log2, 660 * PathCount.of(3).log2)
    assert isclose((above + above).log2, above.log2 + 1)


def test_paths_count_both_inputs_of_a_product():
    build = Build()
    x = build.input(tensor("B", 4))
    assert paths(build.graph(build.op(Join(), x, x))).exact == 2


def test_depth_is_per_input_and_output():
    build = Build()
    x, y = build.input(tensor(1, 3, 8, 8)), build.input(tensor(1, 3, 8, 8), "y")
    deep = build.op(Layer(width=3), build.op(Layer(width=3), x))
    both = build.op(Join(), deep, y)
    matrix = depth_matrix(build.graph(both, y), {})
    assert matrix == {(0, 0): Depth(2, 2), (1, 0): Depth(0, 0), (1, 1): Depth(0, 0)}


@pytest.mark.parametrize(("times", "expected"), [(3, Depth(3, 3)), (None, Depth(1, 0))])
def test_a_region_counts_once_per_run(times, expected):
    inner = Build("body", "region")
    body = inner.graph(inner.op(Layer(width=3), inner.input(tensor(1, 3, 8, 8))))
    build = Build()
    region = Region("body", "body", body)
    out = build.op(Repeat(times=times), build.input(tensor(1, 3, 8, 8)), regions=(region,))
    graph = build.graph(out)
    assert depth(graph, {}) == expected
    assert macs(graph) == 3 * 3 * 9 * 64 * (times or 1)


def test_receptive_field_of_a_strided_stack_and_a_shortcut():
    build = Build()
    x = build.input(tensor(1, 3, "H", "W"))
    deep = build.op(Layer(width=3), build.op(Layer(width=3, stride=2), x))
    short = build.op(Layer(width=3, stride=2), x)
    fields = receptive_field(build.graph(build.op(Join(), deep, short)))
    assert fields[0, 0] == (AxisField(7, 2), AxisField(7, 2))
    assert field_text(fields[0, 0]) == "7 × 7"


def test_receptive_field_of_attention_is_the_whole_input():
    build = Build()
    x = build.input(tensor(1, 3, 8, 8))
    out = build.op(Layer(width=3), build.op(Whole(), build.op(Pointwise(), x)))
    assert receptive_field(build.graph(out))[0, 0] == "all"


def test_memory_sums_outputs_and_peak_counts_live_tensors():
    build = Build()
    x = build.input(tensor("B", 2))
    first = build.op(Pointwise(), x)
    second = build.op(Pointwise(), first)
    graph = build.graph(build.op(Join(), first, second))
    assert str(activation_memory(graph)) == "24*B"
    assert peak_memory(graph, {"B": 10}) == 4 * 2 * 10 * 4  # input, first, second, sum
    chain = Build()
    port = chain.input(tensor("B", 2))
    for _ in range(10):
        port = chain.op(Pointwise(), port)
    assert peak_memory(chain.graph(port), {"B": 10}) == 3 * 2 * 10 * 4


def test_macs_by_node_add_up():
    graph = fractal(4)
    assert sum(macs_by_node(graph).values()) == macs(graph)


class Silent(Op):
    """An op of another package that does not declare its receptive field."""

    name: ClassVar[str] = "silent"

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        return inputs[0]


def test_op_without_a_receptive_field_makes_it_unknown():
    build = Build()
    x = build.input(tensor("B", 3, "H", "W"))
    deep = build.op(Layer(width=3), x)
    assert receptive_field(build.graph(build.op(Silent(), deep)))[0, 0] == "unknown"
    assert len(receptive_field(build.graph(deep))[0, 0]) == 2


@pytest.mark.parametrize(
    "op",
    [Softmax(), Transpose(), Permute(axes=(0, 2, 3, 1)), LayerNorm(affine=False), Linear(width=2)],
    ids=lambda op: op.name,
)
def test_ops_that_mix_or_permute_spatial_axes_are_not_pointwise(op):
    build = Build()
    x = build.input(tensor("B", 3, 8, 9))
    assert receptive_field(build.graph(build.op(op, x)))[0, 0] in ("unknown", "all")
