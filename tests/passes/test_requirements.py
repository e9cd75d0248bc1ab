"""Requirements on sizes belong to nodes: every pass and edit follows the same rule.

A requirement applies if its node is computed. A node that replaces another one with the same value
takes over its requirements; a node that no output needs is removed with its requirements.
"""

import pytest
from hypothesis import HealthCheck, assume, given, settings

import archspec
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.compiled import Compiled
from archspec.graph.edit import Edit
from archspec.graph.mapping import map_network
from archspec.graph.model import Graph
from archspec.graph.selection import select_outputs
from archspec.graph.verify import verify_network
from archspec.graph.walk import requirements
from archspec.ops.registry import all_ops
from archspec.options import Request
from archspec.passes.extract import extract
from archspec.passes.folding.fold import fold
from archspec.passes.manager import apply
from archspec.passes.prune import prune
from tests.property.test_programs import EXPLORE, network
from tests.property.unused import programs

DROPOUT = all_ops()["dropout"]


def needed(graph: Graph) -> set[str]:
    return {str(item.condition) for item in requirements(graph, training=False)}


def inlined(graph: Graph) -> Graph:
    """The graph with all calls inlined."""
    edit = Edit(graph)
    calls = [node.id for node in graph.nodes if node.callee is not None]
    while calls:
        made = edit.inline(calls.pop())
        calls += [number for number in made if edit.node(number).callee is not None]
    return edit.graph()


def whole(net: Compiled) -> Compiled:
    return map_network(net, lambda graph: inlined(graph) if graph is net.inference else graph)


def check(net: Compiled) -> None:
    needs = needed(net.inference)
    (pruned,) = apply(net, [Request("prune")])
    left = needed(pruned.outcome.network.inference)
    assert left <= needs
    flat = whole(net)  # all outputs of a block are computed, but only the nodes that are read
    assert verify_network(flat) == ()
    assert left <= needed(flat.inference) <= needs
    assert needed(prune(flat.inference)) == left
    assert needed(inlined(pruned.outcome.network.inference)) == left
    for one in (net, flat, pruned.outcome.network):
        mine = needed(one.inference)
        assert needed(fold(one).compiled.inference) == mine
        (stripped,) = apply(one, [Request("strip")])
        assert needed(stripped.outcome.network.inference) == mine
    for path in paths(net.inference):
        chosen = [prune(select_outputs(one.inference, (path,))) for one in (net, flat)]
        assert needed(chosen[0]) == needed(chosen[1])
    for column in (1, 2):
        try:
            columns = [extract(one, column).inference for one in (net, flat)]
        except CompileFailed:
            continue
        assert needed(columns[0]) == needed(columns[1]) <= needs


def paths(graph: Graph) -> list[str]:
    """The layers that occur once in a network and in its blocks."""
    keys = [node.instance.key for node in inlined(graph).nodes if node.instance is not None]
    return [key for key in dict.fromkeys(keys) if key and keys.count(key) == 1]


@settings(
    max_examples=60 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=programs())
def test_passes_agree_on_random_programs(text):
    assume("shared" not in text)  # a shared block is pruned for all of its uses at once
    net = network(text)
    if net is not None:
        check(net.compiled)


TEXTS = {
    "where of a block": """
block unit(width: int) {
  input x: [B, C, H, W] where H % 4 == 0
  output x -> conv(width, 3, stride=2) -> batch_norm -> relu
}
network net {
  input x: f32[B = 1, 3, H = 32, W = 32]
  y = x -> unit(4) -> unit(8)
  output y
}
""",
    "shapes of data that a pass removes": """
network net {
  input x: f32[B = 1, 3, H = 32, W = 32]
  y: [B, 3, H // 2 * 2, W] = x -> dropout(0.1)
  z: [B, 4, H, W // 4 * 4] = y -> conv(4, 3, bias=false)
  out: [B, 4, H // 3 * 3, W] = z -> batch_norm
  output out
}
""",
    "blocks that return their inputs": """
block both(width: int) {
  input x: [B, C, H, W] where W % 2 == 0, W >= 4, H >= 3
  output near = x
  output far = x -> conv(width, 3, padding=0)
}
network net {
  input x: f32[B = 1, 3, H = 32, W = 32]
  a, b = x -> conv(3, 1) -> both(4)
  c, d = a -> both(5)
  output c -> conv(2, 1)
}
""",
    "branches that become one layer": """
network net {
  input x: f32[B = 1, 4, H = 32, W = 32]
  y = x -> [conv(4, 3, stride=2) -> batch_norm, conv(4, 1, stride=2) -> batch_norm] -> add
  output y -> [conv(4, 3, stride=2, padding=0), max_pool(2, padding=0) -> conv(4, 1)] -> add
}
""",
    "columns": """
block two {
  input x: [B, C, H, W] where H % 2 == 0, H >= 4, W >= 3
  output a = x -> conv(C, 3, padding=0) -> conv(C, 3, padding=2)
  output b = x -> conv(C, 1) -> conv(C, 5)
}
network net {
  input x: f32[B = 1, 4, H = 32, W = 32]
  output x -> two -> join -> two -> join
}
""",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_passes_agree(text, tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(text)
    compiled = archspec.load(path).compiled
    assert needed(compiled.inference)
    check(compiled)
