"""Extraction of columns, and removal of what is not needed."""

import pytest

from archspec.analysis.counting import count_graph
from archspec.analysis.depth import Depth, depth
from archspec.analysis.parameters import table
from archspec.analysis.paths import paths
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.model import Draw, Instance, Origin, Requirement
from archspec.ops.random import Join
from archspec.passes.extract import extract
from archspec.passes.flatten import flatten
from archspec.passes.prune import prune
from archspec.types.condition import at_least
from archspec.types.dim import Dim
from tests.building import Build, Layer, Pointwise, compiled, fractal, tensor


@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_column_is_a_plain_network_with_weights_of_the_whole(column):
    whole = compiled(fractal(4))
    part = extract(whole, column)
    assert depth(part.inference, {}) == Depth(2 ** (column - 1) + 1, 2 ** (column - 1) + 1)
    assert paths(part.inference).exact == 1
    assert not any(isinstance(node.op, Join) for node in flatten(part.inference, None).nodes)
    known = {entry.name: entry.shape for entry in table(whole)}
    found = {entry.name: entry.shape for entry in table(part)}
    assert found.items() <= known.items()
    assert len(found) == 2 ** (column - 1) + 1


def test_columns_cover_all_weights():
    whole = compiled(fractal(4))
    names = {entry.name for column in (1, 2, 3, 4) for entry in table(extract(whole, column))}
    assert names == {entry.name for entry in table(whole)}


def test_a_column_of_forty_is_found_without_expanding():
    part = extract(compiled(fractal(40)), 40)
    assert count_graph(part.inference).tensors == 2**39 + 1


@pytest.mark.parametrize(("column", "draw"), [(0, None), (5, None), (1, "other")])
def test_missing_column_is_refused(column, draw):
    with pytest.raises(CompileFailed) as failure:
        extract(compiled(fractal(4)), column, draw)
    (found,) = failure.value.diagnostics
    assert found.code == "E0901"
    assert "1 (shallowest) to 4" in found.message or "no join" in found.message


def test_a_network_without_joins_has_no_columns():
    build = Build()
    graph = build.graph(build.op(Pointwise(), build.input(tensor(1, 3, 8, 8))))
    with pytest.raises(CompileFailed, match="no joins"):
        extract(compiled(graph), 1)


def test_error_names_the_join_without_the_column():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    y = build.op(Join(), *(build.op(Layer(width=4), x) for _ in range(3)))
    graph = build.graph(build.op(Join(), *(build.op(Layer(width=4), y) for _ in range(2))))
    with pytest.raises(CompileFailed) as failure:
        extract(compiled(graph), 1)
    assert [item.code for item in failure.value.diagnostics] == ["E0902"]
    assert depth(extract(compiled(graph), 2).inference, {}).longest == 2


def test_joins_outside_the_draw_are_kept_and_the_draw_is_removed():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    columns = [build.op(Layer(width=4), x) for _ in range(2)]
    y = build.op(Join(draw="column"), *columns)
    out = build.op(Join(), y, x)
    graph = build.graph(out, draws=(Draw("column"), Draw("other")))
    part = extract(compiled(graph), 1).inference
    assert [node.instance.title for node in part.nodes if node.instance] == ["layer", "join"]
    assert part.draws == (Draw("other"),)


def test_modes_still_share_graphs():
    body = fractal(3)
    build = Build()
    x = build.input(tensor("B", 3, "H", "W"))
    inference = build.graph(*build.call(body, x))
    build = Build()
    x = build.input(tensor("B", 3, "H", "W"))
    training = build.graph(*build.call(body, x))
    part = extract(compiled(inference, training), 2)
    assert part.inference.callees[0] is part.training.callees[0]
    assert extract(compiled(inference), 2).training is not None


def test_pruning_drops_dead_branches_inputs_of_blocks_and_their_needs():
    inner = Build("inner")
    a, b = inner.input(tensor(1, "N"), "a"), inner.input(tensor(1, "N"), "b")
    live, dead = inner.op(Pointwise(), a), inner.op(Pointwise(), b)
    needs = tuple(
        Requirement(at_least(Dim.symbol("N"), least), "because", Origin()) for least in (1, 2, 3)
    )
    inner.nodes[live.node].requirements = needs[:1]
    inner.nodes[dead.node].requirements = needs[1:2]
    graph = inner.graph(live, dead, requirements=needs[2:], input_structures=(None, None))
    build = Build()
    x, y = build.input(tensor(1, "N")), build.input(tensor(1, "N"), "y")
    first, _ = build.call(graph, x, y)
    result = prune(build.graph(first))
    assert [node.name for node in result.inputs] == ["x", "y"]  # interfaces do not change
    (callee,) = result.callees
    assert [node.name for node in callee.inputs] == ["a"]
    assert callee.size_requirements == (needs[2], needs[0])
    assert callee.input_structures == (None,)
    assert len(callee.output_ports) == 1


def test_without_unused_nodes_the_same_object_is_returned():
    graph = fractal(3)
    assert prune(graph) is graph


def test_shared_block_keeps_outputs_that_any_use_needs():
    inner = Build("inner")
    a = inner.input(tensor(1, 4))
    graph = inner.graph(inner.op(Pointwise(), a), inner.op(Pointwise(), a))
    shared = Instance("f", graph=graph)
    build = Build()
    x = build.input(tensor(1, 4))
    first = build.one(shared, x)
    second = build.one(shared, first)
    result = prune(build.graph(type(second)(second.node, 1)))
    assert len(result.instances) == 1
    assert result.callees[0] is graph
