"""Editing: nodes keep their numbers, and only ports depend on the values of these."""

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import archspec
from archspec.analysis.buildable import require_buildable
from archspec.analysis.machine import to_json
from archspec.graph.build import Building
from archspec.graph.compare import fingerprint, same_graph
from archspec.graph.compiled import Compiled
from archspec.graph.edit import OUTPUT, Edit
from archspec.graph.mapping import map_network
from archspec.graph.model import Graph, Instance, Iteration, Origin, Port
from archspec.graph.text import graph_text, network_text
from archspec.graph.verify import verify, verify_network
from archspec.graph.walk import walk
from archspec.network import Network
from archspec.ops.base import OpError
from archspec.ops.convolution import Conv
from archspec.ops.registry import all_ops
from archspec.passes.folding.fold import fold
from archspec.source import Source, Span
from archspec.types.condition import TRUE
from archspec_torch.source import python_source
from tests.building import tensor
from tests.property.test_programs import EXPLORE, network
from tests.property.unused import programs
from tests.specs.compiled import shipped
from tests.specs.families import NAMES, family, options, sampled

RELU = all_ops()["relu"]
DROPOUT = all_ops()["dropout"]


def renumbered(graph: Graph) -> Graph:
    """The same graph with other numbers, which decrease in topological order."""
    numbers = {node.id: 1000 - place * 3 for place, node in enumerate(graph.nodes)}

    def moved(ports):
        return tuple(Port(numbers[port.node], port.index) for port in ports)

    nodes = [
        replace(node, id=numbers[node.id], inputs=moved(node.inputs), rank=(place,))
        for place, node in enumerate(graph.nodes)
    ]
    outputs = tuple(replace(item, ports=moved(item.ports)) for item in graph.outputs)
    return replace(graph, nodes=tuple(nodes), outputs=outputs)


def outputs_of(compiled: Compiled) -> dict[str, object]:
    """Reports and generated files of a network."""
    net, folding = Network(compiled, ()), fold(compiled)
    require_buildable(compiled, with_weights=True)
    return {
        "text": network_text(compiled),
        "fingerprint": [fingerprint(compiled.inference), fingerprint(compiled.training)],
        "report": to_json(net.report()),
        "training": to_json(net.report(training=True)),
        "sizes": (str(net.valid_sizes), str(net.training_sizes)),
        "unused": net.unused_parameters,
        "steps": folding.steps,
        "folded": python_source(folding.compiled),
        "source": python_source(compiled),
    }


@pytest.mark.parametrize("name", sampled(NAMES, 8))
def test_renumbering_nodes_changes_nothing(name):
    """Of every eighth family; slow runs add the others."""
    run = family(name)["run"]
    compiled = shipped(run["network"], **options(run)).compiled
    expected = outputs_of(compiled)
    every_second = itertools.cycle((renumbered, lambda graph: graph))
    for change in (renumbered, lambda graph: next(every_second)(graph)):
        moved = map_network(compiled, change)
        assert moved is not compiled
        assert verify_network(moved) == ()
        assert same_graph(compiled.inference, moved.inference)
        assert outputs_of(moved) == expected


@settings(
    max_examples=40 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=programs())
def test_renumbering_nodes_of_random_programs_changes_nothing(text):
    net = network(text)
    if net is None or not net.accepts() or not net.accepts(training=True):
        return
    assert outputs_of(map_network(net.compiled, renumbered)) == outputs_of(net.compiled)


TEXT = """\
block unit(width: int) { a: conv(width, 3) -> dropout(0.5) -> dropout(0.1) -> b: relu }
network net {
  input x: f32[B = 2, 4, H = 8, W = 8]
  y = x -> unit(4)
  output z = y -> dropout(0.1) -> unit(4) -> iterate(c: conv(4, 3) -> dropout(0.2), 3)
  output t = y -> unit(6) when training
}
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    path = tmp_path_factory.mktemp("net") / "net.arch"
    path.write_text(TEXT)
    return archspec.load(path)


def without_dropout(graph: Graph) -> Graph:
    edit = Edit(graph)
    found = [node for node in graph.nodes if isinstance(node.op, DROPOUT)]
    for node in found:
        edit.bypass(node.id)
    return edit.graph() if found else graph


def titles(compiled):
    graphs = dict.fromkeys(walk(compiled.inference) + walk(compiled.training))
    return [node.instance.title for graph in graphs for node in graph.nodes if node.instance]


def test_a_change_reaches_blocks_regions_and_both_modes(net):
    before = net.compiled
    after = map_network(before, without_dropout)
    assert "dropout" in titles(before)
    assert "dropout" not in titles(after)
    assert verify_network(after) == ()
    shared = set(walk(before.inference)) & set(walk(before.training))
    assert len(set(walk(after.inference)) & set(walk(after.training))) == len(shared) > 0
    assert map_network(after, without_dropout) is after
    assert Network(after, ()).parameters == net.parameters


def test_remaining_nodes_keep_their_numbers(net):
    before = net.compiled.inference
    after = without_dropout(before)
    assert {node.id for node in after.nodes} < {node.id for node in before.nodes}
    for node in after.nodes:
        assert before.node(node.id).instance is node.instance


def chain() -> Graph:
    build = Building("chain")
    x = build.input("x", tensor(1, 4, 8, 8))
    (a,) = build.op(Conv(width=4, kernel=3), x, key="a")
    (b,) = build.op(Conv(width=4, kernel=1), a, key="b")
    build.output("first", b)
    build.output("second", a)
    return build.graph()


def test_inserted_nodes_come_after_their_inputs():
    graph = chain()
    edit = Edit(graph)
    made = edit.insert(Instance("", RELU()), [Port(1)])
    edit.redirect(Port(1), Port(made.id), keep=[made.id])
    assert edit.readers(Port(made.id)) == (OUTPUT, 2)
    changed = edit.graph()
    assert verify(changed) == ()
    assert [node.id for node in changed.nodes] == [0, 1, made.id, 2]
    lines = [line.split(":")[0] for line in graph_text(changed).splitlines()]
    assert lines[3:5] == ["  relu = relu a", "  b = conv(width=4, kernel=1) relu"]
    assert fingerprint(graph) == fingerprint(chain())


def test_op_with_a_wrong_input_is_refused():
    edit = Edit(chain())
    with pytest.raises(OpError):
        edit.insert(Instance("c", Conv(width=4, kernel=20, padding=0)), [Port(2)])


def test_replacement_port_must_have_the_same_type():
    edit = Edit(chain())
    made = edit.insert(Instance("c", Conv(width=6, kernel=3)), [Port(0)])
    outputs_of = "node 3 returns f32[1, 6, 8, 8], but node 1 returns f32[1, 4, 8, 8]: "
    for change in (
        lambda: edit.redirect(Port(1), Port(made.id)),
        lambda: edit.replace(1, Port(made.id)),
    ):
        with pytest.raises(ValueError, match=re.escape(outputs_of)):
            change()
    assert verify(edit.graph()) == ()


def test_replacement_takes_over_name_iterations_and_rank():
    here = Origin(Span(Source("net.arch", "conv"), 0, 4))
    iteration = Iteration(here.span, 2)
    graph = chain()
    nodes = [
        replace(node, name="y", iterations=(iteration,), origin=here) if node.id == 1 else node
        for node in graph.nodes
    ]
    edit = Edit(replace(graph, nodes=tuple(nodes)))
    first = edit.insert(Instance("c", Conv(width=9, kernel=3)), [Port(0)])
    made = edit.insert(Instance("a", Conv(width=4, kernel=3)), [Port(first.id)])
    assert edit.replace(1, Port(made.id)) == (OUTPUT, 2)
    changed = edit.graph()
    assert verify(changed) == ()
    assert [node.id for node in changed.nodes] == [0, first.id, made.id, 2]
    new = changed.node(made.id)
    assert (new.name, new.iterations, new.rank, new.origin) == ("y", (iteration,), (1,), here)


def test_node_read_by_its_replacement_is_kept():
    edit = Edit(chain())
    made = edit.insert(Instance("", RELU()), [Port(1)])
    edit.replace(1, Port(made.id))
    changed = edit.graph()
    assert verify(changed) == ()
    assert [node.id for node in changed.nodes] == [0, 1, made.id, 2]
    assert changed.node(2).inputs == (Port(made.id),)
    with pytest.raises(ValueError, match="node 2 has 1 outputs, not 2"):
        edit.replace(2, Port(0), Port(0))


def test_conditions_implied_by_where_are_not_added_to_inserted_nodes(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "network net {\n  input x: f32[B = 1, 4, H = 16, W = 16] where H >= 8, W >= 8\n"
        "  output x -> relu\n}\n"
    )
    compiled = archspec.load(path).compiled

    def needs(edit, **given):
        layer = Instance("c", Conv(width=4, kernel=7, padding=0))
        return len(edit.insert(layer, [Port(0)], **given).requirements)

    graph = compiled.inference
    assert needs(Edit(graph)) == needs(Edit(graph, compiled.where), given=TRUE) == 2
    assert needs(Edit(graph, compiled.where)) == 0


def test_derived_op_is_checked():
    op = Conv(width=4, kernel=3, groups=2)
    made = op.derived(width=8, bias=False)
    assert made == Conv(width=8, kernel=3, groups=2, bias=False)
    assert op.width == 4
    for wrong in ({"width": 2.5}, {"widht": 8}):
        with pytest.raises(ValidationError):
            op.derived(**wrong)


@pytest.mark.parametrize("name", sorted(all_ops()))
def test_derived_op_without_changes_is_equal(name):
    for example in all_ops()[name].examples:
        op = all_ops()[name](**example.attributes)
        assert op.derived() == op


def test_nodes_with_readers_are_not_erased():
    edit = Edit(chain())
    for number in (0, 1, 2):
        with pytest.raises(ValueError, match="is an input, or is still read"):
            edit.erase(number)
    with pytest.raises(KeyError):
        edit.node(7)
    assert 7 not in edit


def test_unneeded_nodes_are_removed_and_inputs_kept():
    edit = Edit(chain())
    edit.outputs = [replace(edit.outputs[1], ports=(Port(0),))]
    edit.erase_unneeded()
    assert [node.id for node in edit.graph().nodes] == [0]


def test_a_call_is_inlined_in_its_place(net):
    graph = net.compiled.inference
    edit = Edit(graph)
    call = next(node for node in graph.nodes if node.callee is not None)
    made = edit.inline(call.id)
    changed = edit.graph()
    assert verify(changed) == ()
    assert [node.instance.key for node in changed.in_order(made)] == [
        "unit.a",
        "unit.dropout",
        "unit.dropout_1",
        "unit.b",
    ]
    places = [changed.place[number] for number in made]
    assert places == [graph.place[call.id] + at for at in range(4)]
    assert call.id not in changed.place


@settings(max_examples=30 * EXPLORE, deadline=None, derandomize=EXPLORE == 1)
@given(text=programs(), data=st.data())
def test_the_cached_readers_are_those_of_the_graph(text, data):
    net = network(text)
    if net is None:
        return
    graph = net.compiled.inference
    for node in graph.nodes:
        for index, port in enumerate(node.inputs):
            edge = graph.wires.edges[port.node, node.id, index]
            assert (edge["output"], edge["type"]) == (port.index, graph.type_of(port))
    assert graph.wires.number_of_edges() == sum(len(node.inputs) for node in graph.nodes)
    edit = Edit(graph)
    for node in graph.nodes:
        for index in range(len(node.types)):
            readers = [one.id for one in graph.consumers.get(Port(node.id, index), ())]
            assert [at for at in edit.readers(Port(node.id, index)) if at != OUTPUT] == readers
