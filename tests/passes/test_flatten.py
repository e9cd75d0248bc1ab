"""Inlining blocks to a depth."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.described import described
from archspec.graph.model import Port
from archspec.graph.verify import verify
from archspec.ops.random import Join
from archspec.passes.expand import expand, flat_size, height
from archspec.passes.flatten import flatten
from tests.building import Build, Layer, Pointwise, fractal, tensor
from tests.property.test_programs import network
from tests.property.unused import programs


def opened(graph, depth):
    return described(flatten(graph, depth))


def kinds(graph, depth):
    return [(data["kind"], data["name"]) for _, data in opened(graph, depth).nodes(data=True)]


def test_depth_0_is_the_network_as_one_node():
    graph = fractal(3)
    assert kinds(graph, 0) == [("input", "image"), ("call", "fractal")]
    assert flatten(graph, 0).node(1).callee is graph
    assert verify(flatten(graph, 0)) == ()


def test_depth_1_is_the_body():
    graph = fractal(3)
    assert kinds(graph, 1) == [
        ("input", "image"),
        ("call", "columns"),
        ("op", "join"),
        ("op", "layer"),
    ]
    assert list(opened(graph, 1)) == [node.id for node in graph.nodes]
    (end,) = graph.output_ports
    assert opened(graph, 1).graph["outputs"] == {"output": ((end.node, end.index),)}


def test_the_returned_graph_is_a_copy():
    graph = fractal(3)
    found = opened(graph, 1)
    found.remove_node(1)
    for _, data in found.nodes(data=True):
        data["types"] = ()
    for *_, data in found.edges(data=True):
        data["type"] = None
    assert opened(graph, 1).number_of_nodes() == len(graph.nodes)
    assert all(data["types"] for _, data in opened(graph, 1).nodes(data=True))
    assert all(data["type"] for *_, data in graph.wires.edges(data=True))


@given(text=programs(), depth=st.integers(0, 4))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_inlined_graph_is_flat_and_is_the_one_in_drawings(text, depth):
    net = network(text)
    if net is None:
        return
    graph = net.compiled.inference
    flat, shown = flatten(graph, depth), expand(graph, depth)
    assert verify(flat) == ()
    assert list(described(flat)) == [node.id for node in flat.nodes]
    ours = [(data["kind"], data["path"]) for _, data in described(flat).nodes(data=True)]
    drawn = [(item.kind, item.path) for item in shown.nodes if item.kind != "output"]
    assert sorted(ours) == sorted(drawn)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_fully_inlined_graph_has_all_convolutions_and_no_call(count):
    found = opened(fractal(count), None)
    names = [data["name"] for _, data in found.nodes(data=True)]
    assert names.count("layer") == 2**count
    assert "call" not in {data["kind"] for _, data in found.nodes(data=True)}
    paths = [data["path"] for _, data in found.nodes(data=True) if data["kind"] == "op"]
    assert len(set(paths)) == len(paths)


def test_edges_carry_types_and_ports():
    found = opened(fractal(2), None)
    join = next(n for n, data in found.nodes(data=True) if data["name"] == "join")
    assert sorted(key for _, _, key in found.in_edges(join, keys=True)) == [0, 1]
    assert {data["shape"] for _, _, data in found.in_edges(join, data=True)} == {"[B, 16, H, W]"}


def test_single_block_is_a_networkx_graph_of_its_nodes():
    graph = fractal(3)
    found = graph.wires
    assert [data["node"] for _, data in sorted(found.nodes(data=True))] == list(graph.nodes)
    for node in graph.nodes:
        edges = sorted(found.in_edges(node.id, keys=True, data=True), key=lambda edge: edge[2])
        assert [key for *_, key, _ in edges] == [*range(len(node.inputs))]
        assert [Port(edge[0], edge[3]["output"]) for edge in edges] == list(node.inputs)
        assert [edge[3]["type"] for edge in edges] == [graph.type_of(p) for p in node.inputs]


def test_provenance_lists_the_calls_innermost_first():
    inner = Build("inner")
    conv = inner.op(Layer(width=3), inner.input(tensor(1, 3, 8, 8)), key="conv")
    inner_graph = inner.graph(inner.op(Pointwise(), conv))
    outer = Build("outer")
    outer_graph = outer.graph(*outer.call(inner_graph, outer.input(tensor(1, 3, 8, 8)), key="a"))
    build = Build()
    graph = build.graph(*build.call(outer_graph, build.input(tensor(1, 3, 8, 8)), key="b"))
    found = opened(graph, None)
    (conv,) = [data for _, data in found.nodes(data=True) if data["name"] == "layer"]
    assert conv["path"] == "b.a.conv"
    assert [frame.what for frame in conv["provenance"]] == ["inner", "outer"]
    ((_, _, leaving),) = [e for e in found.edges(data=True) if e[2]["provenance"]]
    assert (leaving["span"], leaving["provenance"]) == (conv["span"], conv["provenance"])


def test_nodes_and_edges_have_source_locations(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "network net {\n  input x: f32[B = 1, 3]\n  y = x -> linear(4)\n  output z = y -> relu\n}\n"
    )
    net = archspec.load(path)
    found = net.graph(None)
    assert [data["span"].line for _, data in found.nodes(data=True)] == [2, 3, 4]
    assert [data["span"].line for _, _, data in found.edges(data=True)] == [2, 3]
    assert {data["span"].line for _, data in net.graph(0).nodes(data=True)} == {1, 2}


def test_folding_lists_the_first_segment_of_a_run():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for _ in range(6):
        x = build.op(Join(), x, build.op(Pointwise(), build.op(Layer(width=4), x)))
    flat = expand(build.graph(x), fold=True)
    assert [item.name for item in flat.nodes] == ["x", "layer", "pointwise", "join", "output"]
    assert [(group.kind, group.count) for group in flat.groups] == [("repeat", 6)]
    assert flat.nodes[-1].inputs == ((3, 0),)


def test_nodes_are_counted_without_inlining():
    graph = fractal(4)
    for depth in range(height(graph) + 2):
        assert flat_size(graph, depth) == len(expand(graph, depth).nodes)


def test_forty_columns_are_inlined_only_to_a_small_depth():
    graph = fractal(40)
    assert len(expand(graph, 3).nodes) < 20
    with pytest.raises(CompileFailed) as failure:
        expand(graph, None)
    assert failure.value.diagnostics[0].code == "E0521"


def test_blocks_nested_a_thousand_deep():
    graph = Build("leaf")
    graph = graph.graph(graph.op(Pointwise(), graph.input(tensor(1))))
    for number in range(3000):
        build = Build(f"block{number}")
        graph = build.graph(*build.call(graph, build.input(tensor(1)), key="a"))
    assert [item.kind for item in expand(graph, None).nodes] == ["input", "op", "output"]
    assert [node.is_input for node in flatten(graph, None).nodes] == [True, False]


NESTED = """\
block inner { conv(8, 3) -> batch_norm -> dropout(0.5) }
block special { init conv.weight = constant(0.5)
  conv(8, 1) }
block outer { a: inner -> if training { inner } else { relu } -> special }
network net {
  input x: f32[B = 2, 8, H = 6, W = 6]
  init conv.weight = normal(std=0.02)
  shared twice = body: outer
  output y = x -> twice -> twice -> iterate(inner, 2)
}
"""


def test_the_pass_keeps_names_and_values_in_both_modes(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(NESTED)
    net = archspec.load(path)
    flat = net.apply("flatten")
    calls = [node.callee.name for node in flat.compiled.training.nodes if node.callee is not None]
    assert calls == ["special", "special"]  # its `init` only applies to itself
    one, two = net.to_torch(seed=1), flat.to_torch(seed=2)
    assert list(one.state_dict()) == list(two.state_dict())
    assert torch.equal(two.get_parameter("body.special.conv.weight"), torch.full((8, 8, 1, 1), 0.5))
    assert float(two.get_parameter("body.a.conv.weight").std()) == pytest.approx(0.02, rel=0.2)
    two.load_state_dict(one.state_dict())
    x = torch.rand(2, 8, 6, 6)
    for training in (True, False):
        results = []
        for module in (one.train(training), two.train(training)):
            torch.manual_seed(3)
            results.append(module(x))
        assert torch.equal(*results)
    assert flat.report().macs == net.report().macs
    assert flat.report(training=True).counts == net.report(training=True).counts


def test_the_pass_inlines_to_a_depth(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(NESTED.replace("if training { inner } else { relu }", "relu"))
    net = archspec.load(path)
    assert net.apply("flatten", depth=1).compiled.inference.nodes == net.compiled.inference.nodes
    opened = net.apply("flatten", depth=2).compiled
    assert opened.inference is opened.training
    names = [node.callee.name for node in opened.inference.nodes if node.callee is not None]
    assert names == ["inner", "special", "inner", "special"]
    with pytest.raises(CompileFailed, match=r"`depth`.*greater than or equal to 1"):
        net.apply("flatten", depth=0)
