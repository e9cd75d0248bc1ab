"""Outlining: nodes become a block and a call of it; inlining the call reverses it."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archspec.analysis.parameters import table
from archspec.graph.build import Building
from archspec.graph.compare import fingerprint, isomorphic
from archspec.graph.compiled import Compiled
from archspec.graph.edit import Edit
from archspec.graph.model import Graph, Instance
from archspec.graph.verify import verify
from archspec.graph.walk import requirements
from archspec.network import Network
from archspec.ops.arithmetic import Add
from archspec.ops.convolution import Conv
from archspec.ops.registry import all_ops
from tests.building import tensor
from tests.property.test_programs import EXPLORE, network
from tests.property.unused import programs

RELU = all_ops()["relu"]
EXPLORING = settings(
    max_examples=60 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def names(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {one.name: one.shape for one in table(Compiled("net", graph, graph))}


def needs(graph: Graph) -> set[str]:
    return {str(item.condition) for item in requirements(graph, training=True)}


def opened(graph: Graph, number: int) -> Graph:
    edit = Edit(graph)
    edit.inline(number)
    return edit.graph()


def graphs(text: str) -> Graph:
    net = network(text)
    assume(net is not None and "shared" not in text)
    return net.compiled.inference


@EXPLORING
@given(text=programs(), data=st.data())
def test_inlining_undoes_outlining(text, data):
    graph = graphs(text)
    nodes = [node for node in graph.nodes if not node.is_input]
    first = data.draw(st.integers(0, len(nodes) - 1))
    last = data.draw(st.integers(first, len(nodes) - 1))
    chosen = {node.id for node in nodes[first : last + 1]}
    # names that pass through that of the call, as in a labelled group
    edit = Edit(graph)
    for node in nodes[first : last + 1]:
        if node.instance.key:
            edit.put(node.id, instance=replace(node.instance, key=f"part.{node.instance.key}"))
    before = edit.graph()
    edit = Edit(before)
    outside = [port for node in before.nodes if node.id not in chosen for port in node.inputs]
    if not chosen & {port.node for port in (*outside, *before.output_ports)}:
        with pytest.raises(ValueError, match="nothing reads them"):
            edit.outline(chosen, "part", "part")
        return
    call = edit.outline(chosen, "part", "part")
    between = edit.graph()
    assert verify(between) == ()
    assert {node.id for node in call.callee.nodes if not node.is_input} == chosen
    assert names(between) == names(before)
    assert needs(before) <= needs(between)  # what nothing reads is not an output of a block
    after = opened(between, call.id)
    assert verify(after) == ()
    assert isomorphic(before, after)
    assert fingerprint(before) == fingerprint(after)
    assert names(after) == names(before)
    assert needs(after) == needs(before)
    reports = [Network(Compiled("net", one, one), ()) for one in (before, between)]
    assert reports[0].parameters == reports[1].parameters


@EXPLORING
@given(text=programs())
def test_outlining_undoes_inlining(text):
    graph = graphs(text)
    for node in graph.nodes:
        if node.callee is None or node.id not in graph.computed:
            continue
        edit = Edit(graph)
        made = edit.inline(node.id)
        before = edit.graph()
        edit = Edit(before)
        call = edit.outline(made, node.callee.name, node.instance.key)
        after = edit.graph()
        assert verify(after) == ()
        assert names(after) == names(graph)
        assert isomorphic(before, opened(after, call.id))
        assert fingerprint(before) == fingerprint(opened(after, call.id))


def net(*keys: str) -> Graph:
    build = Building("net")
    x = build.input("x", tensor(1, 4, 8, 8))
    (a,) = build.op(Conv(width=4, kernel=3), x, key=keys[0])
    (b,) = build.op(RELU(), a, key="relu")
    (c,) = build.op(Conv(width=4, kernel=3), x, key=keys[1])
    (d,) = build.op(Add(), b, c, key="")
    build.output("out", d)
    return build.graph()


def test_invalid_outlines_are_refused():
    graph = net("part.a", "part.c")
    for numbers, message in (
        ({0, 1}, "an input is among"),
        ({1, 4}, "leaves the nodes and returns to node 4"),
        ({1}, "the key `part` is already used"),
        ({1, 2, 3}, "the key `relu` does not lead through `part`"),
    ):
        with pytest.raises(ValueError, match=message):
            Edit(graph).outline(numbers, "part", "part")


def test_weights_with_other_uses_are_not_moved():
    build = Building("net")
    x = build.input("x", tensor(1, 4, 8, 8))
    shared = Instance("part.a", Conv(width=4, kernel=3))
    (a,) = build.use(shared, x)
    (b,) = build.use(shared, a)
    build.output("out", b)
    graph = build.graph()
    with pytest.raises(ValueError, match="used elsewhere"):
        Edit(graph).outline({1}, "part", "part")
    edit = Edit(graph)
    call = edit.outline({1, 2}, "part", "part")
    assert len(call.callee.instances) == 1
    assert fingerprint(opened(edit.graph(), call.id)) == fingerprint(graph)


def test_order_alone_is_no_difference():
    graph = net("a", "c")
    swapped = [
        replace(node, rank=(7 - node.id,)) if node.id in (1,) else node for node in graph.nodes
    ]
    assert isomorphic(graph, replace(graph, nodes=tuple(swapped)))
    assert not isomorphic(graph, net("a", "b"))
    edit = Edit(graph)
    edit.put(4, inputs=graph.node(4).inputs[::-1])
    assert not isomorphic(graph, edit.graph())
