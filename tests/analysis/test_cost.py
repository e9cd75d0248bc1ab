"""Valid sizes and the report."""

import pytest

from archspec.analysis.cost import report
from archspec.analysis.sizes import accepts, valid_sizes
from archspec.graph.compiled import Compiled
from archspec.graph.model import Origin, Requirement
from archspec.graph.walk import requirements
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec.types.condition import TRUE, at_least, divisible, equal, evaluate
from archspec.types.dim import Dim
from tests.building import Build, Layer, Pointwise, compiled, fractal, tensor

H, W = Dim.symbol("H"), Dim.symbol("W")


def network(where=TRUE):
    inner = Build("inner")
    needs = (
        Requirement(divisible(H, 4), "`concat` needs equal dims", Origin()),
        Requirement(at_least(W, 3), "more than one value per channel", Origin(), True),
    )
    body = inner.graph(
        inner.op(Pointwise(), inner.input(tensor(1, 3, "H", "W"))), requirements=needs
    )
    build = Build("net", "network")
    (x,) = build.call(body, build.input(tensor(1, 3, "H", "W")))
    (x,) = build.call(body, x)
    graph = build.graph(x, requirements=(Requirement(equal(H, W), "square", Origin()),))
    return Compiled("net", graph, graph, {"H": 8, "W": 8}, where)


def test_requirements_of_all_blocks_are_collected_per_mode():
    net = network()
    assert len(requirements(net.inference, training=False)) == 2
    assert len(requirements(net.inference, training=True)) == 3
    assert valid_sizes(net).accepts({"H": 4, "W": 4})
    assert accepts(net, {"H": 4, "W": 4})
    assert not accepts(net, {"H": 4, "W": 8})
    assert not accepts(net, {"H": 0, "W": 0})
    needs = requirements(net.inference, training=False)
    violated = [need for need in needs if not evaluate(need.condition, {"H": 3, "W": 3})]
    assert [need.reason for need in violated] == ["`concat` needs equal dims"]


def test_training_has_its_own_valid_sizes():
    net = network()
    for size in range(1, 30):
        sizes = {"H": size, "W": size}
        assert accepts(net, sizes) == (size % 4 == 0)
        assert accepts(net, sizes, training=True) == (size % 4 == 0 and size >= 3)
        assert valid_sizes(net).accepts(sizes) == accepts(net, sizes)


def test_where_clause_limits_the_sizes():
    net = network(where=divisible(H, 32))
    assert accepts(net, {"H": 32, "W": 32})
    assert not accepts(net, {"H": 4, "W": 4})


def test_missing_size_is_not_guessed():
    with pytest.raises(KeyError):
        accepts(network(), {"H": 4})


def test_report_of_a_fractal():
    found = report(compiled(fractal(4), B=1, H=32, W=32))
    assert found.parameters == 4 * 3 * 16 * 9 + 11 * 16 * 16 * 9 + 16 * 10 * 9
    assert found.macs_at_sizes == found.parameters * 32 * 32
    assert found.depth.longest == 9
    assert found.paths.exact == 26
    assert [(row.name, row.what, row.count) for row in found.rows] == [
        ("columns", "columns", 1),
        ("join", "join", 1),
        ("head", "layer", 1),
    ]
    assert sum(row.parameters for row in found.rows) == found.parameters
    assert str(found.inputs[0]) == "image: f32[B, 3, H, W]"
    assert found.valid_sizes.is_everything


def test_a_buffer_costs_nothing_in_a_pass():
    made = "buffer b: f32[4, 4] = (ones([4, 3]), ones([3, 4])) -> matmul"
    text = f"network net {{\n input x: f32[2, 4]\n {made}\n output (x, b) -> matmul\n}}"
    found = report(load_network(Source("net.arch", text))[0])
    assert found.macs_at_sizes == 2 * 4 * 4


def test_equal_rows_are_one_line():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for number in range(6):
        x = build.op(Layer(width=4), x, key=f"body.{number}")
    (row,) = report(compiled(build.graph(x))).rows
    assert (row.name, row.count, row.parameters) == ("body.0 .. body.5", 6, 6 * 144)
    assert row.macs == 6 * 144 * 64


def test_the_table_expands_to_a_depth():
    network = compiled(fractal(3), B=1, H=8, W=8)
    two = report(network, depth=2).rows
    assert [(row.level, row.name) for row in two] == [
        (0, "columns"),
        (1, "columns.conv"),
        (1, "columns.columns"),
        (1, "columns.join"),
        (1, "columns.columns_1"),
        (0, "join"),
        (0, "head"),
    ]
    assert sum(row.parameters for row in two if row.level == 1) == two[0].parameters
    assert report(network, depth=0).rows == ()


def test_a_block_is_expanded_at_its_first_use():
    network = compiled(fractal(40), B=1, H=8, W=8)
    found = report(network, depth=50).rows
    assert max(row.level for row in found) == 40
    assert len(found) < 1000
