"""The number of parameters and the table of parameters."""

import pytest

from archspec.analysis.counting import Counts, count, count_by_node, count_graph
from archspec.analysis.parameters import require_expandable, table
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.model import InitRule, Instance, Region
from archspec.types.initialiser import KaimingNormal, Ones, Zeros
from tests.building import Build, Layer, Pointwise, Repeat, columns, compiled, fractal, tensor


def conv_block(name="unit", rules=()):
    build = Build(name)
    x = build.input(tensor("B", 4, "H", "W"))
    out = build.op(Pointwise(), build.op(Layer(width=4), x, key="conv"), key="relu")
    return build.graph(out, init_rules=rules)


def test_counting_forty_columns_is_a_fold():
    found = count_graph(columns(40, 16, 16))
    assert found == Counts((2**40 - 1) * 16 * 16 * 9, 0, 2**40 - 1)


def test_table_uses_paths_as_names_and_agrees_with_the_count():
    network = compiled(fractal(3))
    entries = table(network)
    assert sum(entry.elements for entry in entries) == count(network).parameters
    assert [entry.name for entry in entries][:3] == [
        "columns.conv.weight",
        "columns.columns.conv.weight",
        "columns.columns.columns.conv.weight",
    ]
    assert len({entry.name for entry in entries}) == len(entries) == 2**3


def test_a_shared_instance_counts_once():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    shared = Instance("f", op=Layer(width=4))
    graph = build.graph(build.one(shared, build.one(shared, x)))
    assert count_graph(graph).parameters == 4 * 4 * 9
    assert [entry.name for entry in table(compiled(graph))] == ["f.weight"]
    assert sum(item.parameters for item in count_by_node(graph).values()) == 4 * 4 * 9


def test_a_shared_instance_captured_by_a_region_counts_once():
    shared = Instance("f", op=Layer(width=4))
    inner = Build("body", "region")
    y = inner.input(tensor(1, 4, 8, 8))
    region = Region("body", "field", inner.graph(inner.op(Layer(width=4), inner.one(shared, y))))
    build = Build()
    x = build.one(shared, build.input(tensor(1, 4, 8, 8)))
    graph = build.graph(build.op(Repeat(), x, key="ode", regions=(region,)))
    assert [entry.name for entry in table(compiled(graph))] == [
        "f.weight",
        "ode.field.layer.weight",
    ]
    assert count_graph(graph).tensors == 2


def test_both_modes_share_one_table():
    shared = conv_block()
    only = conv_block("aux")

    def network(with_aux):
        build = Build()
        x = build.input(tensor("B", 4, "H", "W"))
        (body,) = build.call(shared, x, key="body")
        if with_aux:
            (body,) = build.call(only, body, key="aux")
        inner = Build("tail")
        y = inner.input(tensor("B", 4, "H", "W"))
        y = inner.op(Layer(width=4), y, key="conv")
        if with_aux:
            y = inner.op(Layer(width=4), y, key="extra")
        (out,) = build.call(inner.graph(y), body, key="tail")
        return build.graph(out)

    both = compiled(network(False), network(True))
    assert [entry.name for entry in table(both)] == [
        "body.conv.weight",
        "aux.conv.weight",
        "tail.conv.weight",
        "tail.extra.weight",
    ]
    assert count(both) == Counts(4 * 4 * 4 * 9, 0, 4)


def test_the_innermost_init_rule_wins():
    outer, inner = (InitRule("layer", "weight", init) for init in (Zeros(), KaimingNormal()))
    build = Build()
    x = build.input(tensor("B", 4, "H", "W"))
    (y,) = build.call(conv_block(rules=(inner,)), x, key="a")
    (z,) = build.call(conv_block(), y, key="b")
    graph = build.graph(z, init_rules=(InitRule("layer", "weight", Ones()), outer))
    found = {entry.name: entry.initialiser for entry in table(compiled(graph))}
    assert found == {"a.conv.weight": KaimingNormal(), "b.conv.weight": Zeros()}


def test_an_explicit_attribute_wins_over_rules():
    build = Build()
    x = build.input(tensor("B", 4, "H", "W"))
    instance = Instance("f", op=Layer(width=4), explicit=frozenset({"weight_init"}))
    rules = (InitRule("layer", "weight", Zeros()),)
    (entry,) = table(compiled(build.graph(build.one(instance, x), init_rules=rules)))
    assert entry.initialiser is None  # the default of the op


def test_table_beyond_the_budget_is_refused_at_once():
    with pytest.raises(CompileFailed) as failure:
        require_expandable(compiled(fractal(40)))
    (diagnostic,) = failure.value.diagnostics
    assert diagnostic.code == "E0520"
    assert "1,099,511,627,776 parameter tensors; at most 250,000" in diagnostic.message


def test_a_call_without_a_key_counts_once_in_both_modes():
    build = Build("unit")
    x = build.input(tensor(1, 4, 8, 8))
    unit = build.graph(build.op(Layer(width=4), x, key="layer"))
    modes = []
    for twice in (False, True):
        build = Build("net")
        x = build.input(tensor(1, 4, 8, 8))
        (y,) = build.call(unit, x, key="")
        modes.append(build.graph(build.op(Pointwise(), y) if twice else y))
    assert count(compiled(*modes)) == count(compiled(modes[0])) == Counts(4 * 4 * 9, 0, 1)
