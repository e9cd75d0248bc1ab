"""Folds over shared blocks agree with plain traversals of the fully inlined graph."""

from math import isclose

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.analysis.counting import count_graph
from archspec.analysis.depth import depth
from archspec.analysis.macs import macs
from archspec.analysis.memory import activation_memory, bytes_of
from archspec.analysis.parameters import table
from archspec.analysis.paths import paths
from archspec.graph.described import described
from archspec.graph.model import Graph
from archspec.ops.random import Join
from archspec.passes.expand import expand, flat_size
from archspec.passes.flatten import flatten
from archspec.passes.prune import prune
from archspec.types.dim import ZERO
from tests.building import Build, Layer, Pointwise, compiled, tensor


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A few blocks, each of which calls earlier ones, so that some are shared."""
    known: list[Graph] = []
    for level in range(draw(st.integers(1, 4))):
        build = Build(f"block{level}")
        ports = [build.input(tensor(1, 4, 8, 8), f"x{at}") for at in range(draw(st.integers(1, 2)))]
        for _ in range(draw(st.integers(1, 5))):
            pick = st.sampled_from(ports)
            match draw(st.sampled_from(["layer", "point", "join", "call"])):
                case "layer":
                    ports.append(build.op(Layer(width=4), draw(pick)))
                case "point":
                    ports.append(build.op(Pointwise(), draw(pick)))
                case "join":
                    ports.append(build.op(Join(), *draw(st.lists(pick, min_size=1, max_size=3))))
                case "call" if known:
                    callee = draw(st.sampled_from(known))
                    ports += build.call(callee, *(draw(pick) for _ in callee.inputs))
        outputs = draw(st.lists(st.sampled_from(ports), min_size=1, max_size=3))
        known.append(build.graph(*outputs))
    return known[-1]


def all_paths(graph):
    """Every path from an input to an output of the inlined graph, as the ops on it."""
    opened = described(flatten(graph, None))
    data = opened.nodes
    ends = [node for ports in opened.graph["outputs"].values() for node, _ in ports]
    for start in (node for node in opened if data[node]["kind"] == "input"):
        for end in ends:
            if start == end:
                yield []
                continue
            for path in nx.all_simple_edge_paths(opened, start, end):
                yield [data[node]["op"] for _, node, _ in path]


def carried_out(graph):
    """The ops computed when a graph runs, repeated as often as each is computed."""
    wires = graph.wires
    ends = {port.node for port in graph.output_ports}
    for at in ends.union(*(nx.ancestors(wires, end) for end in ends)):
        node = graph.nodes[at]
        if node.callee is not None:
            yield from carried_out(node.callee)
        elif node.op is not None:
            yield node


@settings(deadline=None, max_examples=80)
@given(graphs())
def test_folds_agree_with_the_inlined_graph(graph):
    flat = expand(graph, None)
    if len(flat.nodes) > 60:
        return
    found = []
    for number, path in enumerate(all_paths(graph)):
        found.append(sum(op.weight_layers for op in path))
        if number > 3000:
            return
    ops = [item for item in flat.nodes if item.kind == "op"]
    layers = [item for item in ops if isinstance(item.node.op, Layer)]
    computed = list(carried_out(graph))
    assert (paths(graph).exact if found else paths(graph)) == (len(found) or None)
    assert depth(graph, {}).longest == max(found, default=0)
    assert depth(graph, {}).shortest == min(found, default=0)
    assert macs(graph) == sum(isinstance(node.op, Layer) for node in computed) * 4 * 4 * 9 * 64
    assert activation_memory(graph) == sum((bytes_of(node.types[0]) for node in computed), ZERO)
    assert count_graph(graph).tensors == len(layers) == len(table(compiled(graph)))
    assert {entry.owner for entry in table(compiled(graph))} == {item.path for item in layers}


@settings(deadline=None, max_examples=80)
@given(graphs())
def test_pruning_keeps_exactly_the_needed_nodes(graph):
    pruned = prune(graph)
    assert prune(pruned) is pruned
    assert paths(pruned) == paths(graph)
    assert depth(pruned, {}) == depth(graph, {})
    opened = flatten(pruned, None)
    assert all(node.is_input or node.id in opened.computed for node in opened.nodes)
    names = {entry.name for entry in table(compiled(pruned))}
    assert names <= {entry.name for entry in table(compiled(graph))}


@settings(deadline=None, max_examples=40)
@given(graphs(), st.integers(0, 4))
def test_inlining_yields_the_counted_number_of_nodes(graph, depth_):
    assert flat_size(graph, depth_) == len(expand(graph, depth_).nodes)
    folded = expand(graph, depth_, fold=True)
    assert len(folded.nodes) <= flat_size(graph, depth_)
    for item in folded.nodes:
        assert all(start < item.index for start, _ in item.inputs)


@given(st.lists(st.integers(2, 2**40), min_size=1, max_size=60))
def test_path_counts_multiply_and_add_like_numbers(factors):
    from archspec.analysis.paths import PathCount

    exact, count = 1, PathCount.of(1)
    for factor in factors:
        exact, count = exact * factor + 1, count * PathCount.of(factor) + PathCount.of(1)
    if exact < 2**1024:
        assert count.exact == exact
    else:
        assert count.exact is None
        assert isclose(count.log2, PathCount.of(exact).log2, rel_tol=1e-12)
