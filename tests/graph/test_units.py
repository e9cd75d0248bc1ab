"""Blocks in both modes and in all of their uses, and the part under each name."""

from archspec.graph.compiled import Compiled
from archspec.graph.model import Instance
from archspec.graph.units import plan
from tests.building import Build, Layer, tensor


def block(name, width):
    build = Build(name)
    x = build.input(tensor("B", 4, 8, 8))
    return build.graph(build.op(Layer(width=width), x, key="layer"))


def whole(*callees):
    build = Build("net")
    x = build.input(tensor("B", 4, 8, 8))
    for key, graph in callees:
        (x,) = build.call(graph, x, key=key)
    return build.graph(x)


def test_units_are_unique_with_callees_before_callers():
    shared = block("shared", 4)
    graph = whole(("a", shared), ("b", shared))
    *callees, net = plan(Compiled("net", graph, graph))
    assert [unit.either for unit in callees] == [shared]
    assert net.either is graph
    assert [owned.key for owned in net.owned] == ["a", "b"]
    assert not net.has_modes


def test_modes_are_matched_by_keys():
    same, one, two = block("same", 4), block("one", 4), block("two", 4)
    inference = whole(("a", same), ("b", one))
    training = whole(("a", same), ("b", two), ("c", one))
    *callees, net = plan(Compiled("net", inference, training))
    assert (net.inference, net.training, net.has_modes) == (inference, training, True)
    assert {(unit.inference, unit.training) for unit in callees} >= {(same, same), (one, two)}
    assert [owned.key for owned in net.owned] == ["a", "b", "c"]
    (of_b,) = (owned for owned in net.owned if owned.key == "b")
    assert [instance.graph for instance in of_b.instances] == [one, two]
    assert all(isinstance(one, Instance) for one in of_b.instances)
