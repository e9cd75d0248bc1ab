"""Errors in a graph are found, and there are none in graphs made by the compiler."""

from dataclasses import replace

import pytest

import archspec
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, Node, Port
from archspec.graph.verify import NotVerified, require_verified, verify, verify_network
from tests.specs.compiled import shipped
from tests.specs.families import NAMES, family, options

TEXT = """\
block unit(width: int) { a: conv(width, 3, padding=0) -> b: conv(width, 5, padding=0) }

network net {
  input x: f32[B = 2, 4, H = 16, W = 16], y: f32[B, 4, H, W]
  z = (x, y) -> sub
  output z -> unit(8) -> pool: max_pool(2) -> norm: batch_norm
    -> iteration: iterate([c: conv(8, 3), d: conv(8, 1)] -> add, 3)
}
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory) -> Compiled:
    path = tmp_path_factory.mktemp("net") / "net.arch"
    path.write_text(TEXT)
    return archspec.load(path).compiled


def with_node(graph: Graph, title: str, change) -> Graph:
    """A pass that changes one node."""
    return replace(graph, nodes=tuple(change(n) if _is(n, title) else n for n in graph.nodes))


def _is(node: Node, title: str) -> bool:
    return node.instance is not None and title in (node.instance.key, node.instance.title)


def with_op(node: Node, **attributes) -> Node:
    instance = node.instance
    return replace(node, instance=replace(instance, op=instance.op.model_copy(update=attributes)))


def with_callee(graph: Graph, title: str, change) -> Graph:
    """A pass that changes one block where it is used, and nothing else."""
    return with_node(
        graph,
        title,
        lambda n: replace(n, instance=replace(n.instance, graph=change(n.instance.graph))),
    )


def with_region(graph: Graph, title: str, change) -> Graph:
    def changed(node):
        region = node.instance.regions[0]
        regions = (replace(region, graph=change(region.graph)),)
        return replace(node, instance=replace(node.instance, regions=regions))

    return with_node(graph, title, changed)


def without_key(node: Node) -> Node:
    return replace(node, instance=replace(node.instance, key=""))


WRONG = {
    "a stale type": (
        lambda g: with_node(g, "pool", lambda n: with_op(n, kernel=3)),
        "net: node 4 (pool): it yields f32[B, 8, H//3 - 2, W//3 - 2], "
        "but the graph says f32[B, 8, H//2 - 3, W//2 - 3]",
    ),
    "a stale type in a block": (
        lambda g: with_callee(
            g, "unit", lambda b: with_node(b, "b", lambda n: with_op(n, width=16))
        ),
        "unit: node 2 (b): it yields f32[B, 16, H - 6, W - 6], "
        "but the graph says f32[B, 8, H - 6, W - 6]",
    ),
    "a region that was forgotten": (
        lambda g: with_region(
            g, "iteration", lambda b: with_node(b, "c", lambda n: with_op(n, width=4))
        ),
        "layer: node 1 (c): it yields f32[B, 4, H//2 - 3, W//2 - 3], "
        "but the graph says f32[B, 8, H//2 - 3, W//2 - 3]",
    ),
    "a requirement that was dropped": (
        lambda g: with_node(g, "norm", lambda n: replace(n, requirements=())),
        "net: node 5 (norm): a requirement is missing: `batch_norm` needs more than one value per "
        "channel for the statistics of a batch",
    ),
    "a requirement that was dropped in a block": (
        lambda g: with_callee(
            g, "unit", lambda b: with_node(b, "a", lambda n: replace(n, requirements=()))
        ),
        "unit: node 1 (a): a requirement is missing: `conv` needs",
    ),
    "a key that is taken": (
        lambda g: with_region(
            g,
            "iteration",
            lambda b: with_node(
                b, "d", lambda n: replace(n, instance=replace(n.instance, key="c"))
            ),
        ),
        "layer: node 2 (c'2): the key `c` is also that of node 1 (c)",
    ),
    "weights without a name": (
        lambda g: with_node(g, "norm", without_key),
        "net: node 5 (batch_norm): it has weights or buffers, but its key is empty",
    ),
    "a call with weights but without a name": (
        lambda g: with_node(g, "unit", without_key),
        "net: node 3 (unit): it has weights or buffers, but its key is empty",
    ),
    "weights in a layer without a name": (
        lambda g: with_node(g, "iteration", without_key),
        "net: node 6 (iterate): it has weights or buffers, but its key is empty",
    ),
    "a layer that is held no more": (
        lambda g: with_node(
            g, "iteration", lambda n: replace(n, instance=replace(n.instance, regions=()))
        ),
        "net: node 6 (iteration): it holds no layers, but `iterate` holds `layer`",
    ),
    "two nodes of one number": (
        lambda g: with_node(g, "norm", lambda n: replace(n, id=4)),
        "net: node 4 (pool): the number 4 is also that of another node",
    ),
    "a circle": (
        lambda g: with_node(g, "pool", lambda n: replace(n, inputs=(Port(5),))),
        "net: node 4 (pool): input 0 reads node 5 (norm), which depends on it",
    ),
    "an output that is not there": (
        lambda g: with_node(g, "pool", lambda n: replace(n, inputs=(Port(3, 1),))),
        "net: node 4 (pool): input 0 reads output 1 of node 3 (unit), which has none",
    ),
    "an input too few": (
        lambda g: with_callee(
            g, "unit", lambda b: replace(b, nodes=tuple(n for n in b.nodes if not n.is_input))
        ),
        "unit: node 1 (a): input 0 reads output 0 of node 0, which has none",
    ),
    "a callee for another type": (
        lambda g: with_callee(
            g,
            "unit",
            lambda b: replace(
                b,
                nodes=(
                    replace(b.nodes[0], types=(b.nodes[0].types[0].with_shape(),)),
                    *b.nodes[1:],
                ),
            ),
        ),
        "net: node 3 (unit): it takes f32[], but the graph says f32[B, 4, H, W]",
    ),
    "two outputs of one name": (
        lambda g: replace(g, outputs=g.outputs * 2),
        "net: two outputs are called `output`",
    ),
    "a tensor too few in an output": (
        lambda g: replace(g, outputs=(replace(g.outputs[0], structure=(None, None)),)),
        "net: output `output` has 1 tensors, not as many as declared",
    ),
}


def test_compiled_graphs_are_valid(net):
    assert verify(net.inference) == ()
    require_verified(net)


@pytest.mark.parametrize("kind", WRONG)
def test_violations_are_found(net, kind):
    wrong, wanted = WRONG[kind]
    graph = wrong(net.inference)
    found = [str(fault) for fault in verify(graph)]
    assert any(fault.startswith(wanted) for fault in found), found
    with pytest.raises(NotVerified, match="forgetful does not verify"):
        require_verified(replace(net, inference=graph), after="forgetful")


def test_required_sizes_are_printed_as_in_a_spec(net):
    graph = with_callee(
        net.inference, "unit", lambda b: with_node(b, "a", lambda n: replace(n, requirements=()))
    )
    found = [str(fault) for fault in verify(graph)]
    missing = "unit: node 1 (a): a requirement is missing: `conv` needs axis"
    needs = "to have at least 3 positions with its padding"
    assert found == [f"{missing} 2 {needs} (H >= 3)", f"{missing} 3 {needs} (W >= 3)"]


def test_nodes_without_keys_are_named_as_in_the_listing(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text("network net { input x: f32[B = 2, 4]\n output x -> relu -> tanh -> relu }\n")
    compiled = archspec.load(path).compiled
    graph = compiled.inference
    nodes = [
        node if node.is_input else without_key(replace(node, types=graph.input_types * 2))
        for node in graph.nodes
    ]
    found = verify(replace(graph, nodes=tuple(nodes)))
    assert [fault.title for fault in found] == ["relu", "tanh", "relu'2"]


def test_error_in_one_mode_is_reported_once_with_its_mode(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "block unit() { conv(4, 3, padding=0) }\n"
        "network net {\n  input x: f32[B = 2, 4, H = 16]\n  y = x -> unit\n"
        "  output y -> pool: max_pool(2)\n  output aux = y -> relu when training\n}\n"
    )
    compiled = archspec.load(path).compiled

    def stale(graph: Graph) -> Graph:
        return with_node(graph, "pool", lambda n: with_op(n, kernel=3))

    both = replace(compiled, inference=stale(compiled.inference), training=stale(compiled.training))
    one = replace(compiled, training=stale(compiled.training))
    assert compiled.inference is not compiled.training
    yields = "net: node 2 (pool): it yields f32[B, 4, "
    found = [str(fault) for fault in verify_network(both)]
    assert [fault.startswith(yields) for fault in found] == [True, False]
    assert [str(fault) for fault in verify_network(one)] == [f"in training, {it}" for it in found]


def test_swapped_ports_of_different_types_are_found(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "network net {\n  input x: f32[B = 1, 4, H = 16, W = 16]\n"
        "  a, b = x -> split([1, 3], axis=1)\n  output (b, b, a) -> concat -> c: conv(8, 3)\n}\n"
    )
    graph = archspec.load(path).compiled.inference
    turned = with_node(graph, "split", lambda n: replace(n, types=n.types[::-1]))
    assert "node 1 (split): it yields" in str(verify(turned)[0])
    moved = with_node(graph, "concat", lambda n: replace(n, inputs=(Port(1), Port(1), Port(1))))
    assert "node 2 (concat): it yields" in str(verify(moved)[0])


def test_frozen_layers_have_no_conditions_for_training(tmp_path):
    path = tmp_path / "net.arch"
    layers = "frozen(conv(4, 1) -> batch_norm)"
    path.write_text(
        f"network net {{\n  input x: f32[B = 2, 4, H = 4]\n  output x -> {layers}\n}}\n"
    )
    assert verify_network(archspec.load(path).compiled) == ()


def test_condition_implied_by_where_may_be_absent_from_its_node(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "network net {\n  input x: f32[B = 1, 4, H = 16, W = 16] where H >= 8, W >= 8\n"
        "  output x -> conv(4, 7, padding=0)\n}\n"
    )
    compiled = archspec.load(path).compiled
    assert verify_network(compiled) == ()
    assert "a requirement is missing" in str(verify(compiled.inference)[0])


@pytest.mark.parametrize("name", NAMES)
def test_shipped_networks_are_valid_unchanged_and_folded(name):
    run = family(name)["run"]
    net = shipped(run["network"], **options(run))
    assert verify_network(net.compiled) == ()
    assert verify_network(net.fold().compiled) == ()
