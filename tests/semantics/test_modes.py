"""Training and inference (P6), taps (P10), regions (P11), draws (P12), element types (P14)."""

from __future__ import annotations

import pytest

from archspec.graph.model import Graph
from archspec.graph.walk import walk
from archspec.ops.random import Dropout
from tests.semantics.specs import (
    compiled,
    errors,
    keys,
    layer,
    network,
    ops,
    output,
    printed,
    weights,
)


def test_both_modes_share_one_table() -> None:
    text = network(
        "y = x -> a: conv(4, 3)",
        "output main = y -> if training { b: conv(4, 1) } else { c: relu }",
        "output aux = y -> d: conv(2, 1) when training",
    )
    found = compiled(text)
    assert [item.name for item in found.inference.outputs] == ["main"]
    assert [item.name for item in found.training.outputs] == ["main", "aux"]
    assert keys(text) == ["a", "b", "d"]


def test_one_graph_if_the_mode_is_not_read() -> None:
    found = compiled(layer("conv(4, 3) -> dropout(0.5)"))
    assert found.inference is found.training


def test_sizes_of_an_input_of_one_mode_have_defaults() -> None:
    found = compiled("""\
network small {
  input x: f32[B = 1, 3, N = 4]
  input y: f32[B, 3, M = 5] when not training
  input noise: f32[B, K = 6] when training
  output z = (x, y) -> einsum("b d n, b d m -> b n m") when not training
  output loss = (x -> mean) + (noise -> mean) when training
}
""")
    assert found.sizes == {"B": 1, "N": 4, "M": 5, "K": 6}


def test_a_block_that_does_not_read_the_mode_is_shared_by_both_graphs() -> None:
    head = "block same { conv(4, 3) }\nblock other { if training { relu } else { tanh } }"
    found = compiled(layer("same -> other", head))

    def called(graph: Graph) -> list[Graph]:
        return [node.callee for node in graph.nodes if node.callee is not None]

    one, two = called(found.inference), called(found.training)
    assert one[0] is two[0]
    assert one[1] is not two[1]


def test_named_outputs_are_selected_by_name() -> None:
    head = "block two {\n  input x\n  output a = x -> conv(2, 1)\n  output b = x -> conv(3, 1)\n}"
    assert output(layer("two.b", head)) == "f32[B, 3, H, W]"
    assert output(layer("two -> concat", head)) == "f32[B, 5, H, W]"
    assert errors(layer("two.c", head)) == ["E0212"]


BACKBONE = """
block backbone {
  layer1: conv(8, 3) -> layer2: (conv(16, 3, stride=2) -> relu) -> fc: conv(2, 1)
}
"""


def test_taps_keep_names_and_drop_unneeded_nodes() -> None:
    text = network(
        'a, b = x -> body: tap(backbone, "layer2.0", "layer1")',
        "output a",
        "output b",
        head=BACKBONE,
    )
    assert output(text) == "f32[B, 16, (H + 1)//2, (W + 1)//2], f32[B, 8, H, W]"
    assert keys(text) == ["body.layer1", "body.layer2.0"]


def test_the_paths_of_a_tap_may_be_a_list() -> None:
    text = network(
        'paths = ["layer{2 - i}" for i in 0..2]',
        "a, b = x -> body: tap(backbone, ...paths)",
        "output b",
        head=BACKBONE,
    )
    assert output(text) == "f32[B, 8, H, W]"
    assert keys(text) == ["body.layer1", "body.layer2.0"]
    assert errors(layer("tap(backbone, ...[])", BACKBONE)) == ["E0303"]
    assert errors(layer("tap(backbone, ...3)", BACKBONE)) == ["E0313"]
    assert errors(layer("tap(backbone, ...paths)", BACKBONE)) == ["E0210"]


@pytest.mark.parametrize("path", ["layer3", "layer2.7", "", "fc.weight"])
def test_tap_without_paths_is_refused(path: str) -> None:
    assert errors(layer(f'tap(backbone, "layer1", "{path}") -> concat', BACKBONE)) == ["E0902"]


def test_regions_hold_their_layers() -> None:
    text = layer("solve: iterate(field: conv(4, 3), steps=3)")
    found = compiled(text)
    (node,) = [
        node
        for node in found.inference.nodes
        if node.instance is not None and node.instance.regions
    ]
    assert node.instance is not None
    (region,) = node.instance.regions
    assert region.name == "layer"
    assert ops(region.graph) == ["conv"]


FIELD = "block field { conv(4, 3) -> conv(4, 1) }"


@pytest.mark.parametrize(
    ("held", "names"),
    [
        ("odefunc: field", ["a.odefunc.conv", "a.odefunc.conv_1"]),
        ("field", ["a.layer.conv", "a.layer.conv_1"]),
        ("f: conv(4, 3)", ["a.f"]),
        ("conv(4, 3)", ["a.layer"]),
        ("f: (conv(4, 3) -> relu -> conv(4, 1))", ["a.f.0", "a.f.2"]),
        ("conv(4, 3) -> conv(4, 1)", ["a.layer.conv", "a.layer.conv_1"]),
    ],
)
def test_weights_of_a_region_are_named_by_label_or_attribute(held: str, names: list[str]) -> None:
    assert keys(layer(f"a: iterate({held}, steps=2)", FIELD)) == names


def test_regions_capture_what_they_read() -> None:
    text = network(
        "gate = x -> conv(4, 1)", "output x -> iterate({ input y\n output y * gate }, steps=2)"
    )
    (node,) = [
        n for n in compiled(text).inference.nodes if n.instance is not None and n.instance.regions
    ]
    assert node.instance is not None
    assert node.instance.regions[0].captured == 1
    assert len(node.inputs) == 2


def test_draws_are_declared_once() -> None:
    text = network(
        "draw column = mixed(0.25)", 'output x -> [relu, tanh] -> join(drop=0.1, draw="column")'
    )
    (draw,) = compiled(text).inference.draws
    assert (draw.name, draw.policy, draw.ratio) == ("column", "mixed", 0.25)
    assert errors(network("draw column = sometimes", "output x")) == ["E0301"]
    assert errors(network("draw column = mixed(2)", "output x")) == ["E0301"]


def test_element_types_are_kept_apart() -> None:
    ids = "network net {\n  input ids: i64[B = 1, N = 8]\n  output ids -> "
    assert errors(ids + "embedding(10, 4)\n}") == []
    assert errors(ids + "linear(4)\n}") == ["E0401"]
    assert errors("network net {\n  input ids: i65[B = 1]\n  output ids\n}") == ["E0407"]


def test_blocks_may_require_an_element_type() -> None:
    head = "block look {\n  input ids: i64[B, N]\n  output ids -> embedding(10, 4)\n}"
    assert errors(layer("flatten -> look", head)) == ["E0406"]


def test_a_network_is_also_a_block() -> None:
    text = layer("body: net2(3) -> relu") + (
        "network net2(width: int = 2) {\n  input y: f32[N = 1, 4, A = 4, B = 4]\n"
        "  output y -> conv(width, 3)\n}\n"
    )
    assert output(text, "net") == "f32[B, 3, H, W]"
    assert list(weights(text, "net")) == ["body.conv.weight", "body.conv.bias"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("conv(if training then 4 else 5, 1)", "`conv.weight` is [4, 4, 1, 1] in training"),
        ("if training { aux: relu -> conv(4, 1) } else { conv(4, 3) }", "[4, 4, 3, 3]"),
        ("one(if training then 2 else 3)", "`conv.weight` is [2, 4, 1, 1] in training"),
        ("a: if training { one(2) } else { relu }", "`a` is `one` in training"),
    ],
)
def test_a_name_has_one_shape_in_both_modes(expression: str, expected: str) -> None:
    text = layer(expression, "block one(width: int) { conv(width, 1) }")
    assert errors(text) == ["E0609"]
    assert expected in printed(text)


def test_a_layer_in_an_op_has_one_form_in_both_modes() -> None:
    state = "s = x -> mean(axis=[2, 3])"
    loop = "iterate(step: { input h\n output h -> fc: linear(4)\n output n = h }, steps=2)"
    other = "iterate(step: { input h\n output n = h -> fc: linear(4) }, steps=2)"
    both = f"y = if training {{ s -> run: {loop} }} else {{ s -> run: %s }}"
    assert errors(network(state, both % loop, "output y")) == []
    assert errors(network(state, both % other, "a = y", "output x")) == ["E0609"]


def test_weights_of_one_mode_only_are_no_contradiction() -> None:
    assert keys(layer("a: if training { conv(4, 1) } else { relu }")) == ["a"]
    assert keys(layer("if training { a: conv(4, 1) } else { b: conv(4, 3) }")) == ["a", "b"]


def test_an_output_has_one_structure_in_both_modes() -> None:
    lines = ("pair = if training { (x, x) } else { (x, x, x) }", "output z = pair")
    assert errors(network(*lines)) == ["E0709"]
    assert errors(network("output z = if training { x -> relu } else { x }")) == []


DEEP = """
block inner { a: conv(4, 3) -> b: conv(6, 1) -> c: conv(7, 1) }
block middle { m: inner -> q: conv(8, 1) }
block whole { m1: middle -> m2: middle -> fc: conv(9, 1) }
"""


def test_taps_into_blocks_drop_unneeded_nodes() -> None:
    one = layer('body: tap(whole, "m1.m.a")', DEEP)
    assert (output(one), keys(one)) == ("f32[B, 4, H, W]", ["body.m1.m.a"])
    several = network(
        'p, q, r = x -> body: tap(whole, "m2.m.b", "m1.m.a", "m1.m")',
        "output p",
        "output q",
        "output r",
        head=DEEP,
    )
    assert output(several) == "f32[B, 6, H, W], f32[B, 4, H, W], f32[B, 7, H, W]"
    below = ["m1.m.a", "m1.m.b", "m1.m.c", "m1.q", "m2.m.a", "m2.m.b"]
    assert keys(several) == [f"body.{key}" for key in below]


def test_tap_into_a_shared_layer_is_refused() -> None:
    head = f"{DEEP}block twice {{\n  input x\n  shared f = f: conv(4, 1)\n  shared g = g: inner2\n"
    head += "  output x -> f -> f -> g -> g\n}\nblock inner2 { a: conv(4, 1) }"
    assert errors(layer('tap(twice, "f")', head)) == ["E0902"]
    assert errors(layer('tap(twice, "g.a")', head)) == ["E0902"]


def test_a_value_of_a_rule_that_reads_training_differs_between_the_modes() -> None:
    text = layer(
        "a -> b",
        "rule rate(n) => if training then 0.5 else 0.25\n"
        "block a { dropout(rate(1)) }\nblock b { dropout(rate(1)) -> relu }",
    )
    found = compiled(text)
    for top, rate in ((found.inference, 0.25), (found.training, 0.5)):
        ops = [node.op for graph in walk(top) for node in graph.nodes if node.op is not None]
        assert [op.p for op in ops if isinstance(op, Dropout)] == [rate, rate]


def test_a_region_may_yield_what_it_captures() -> None:
    text = network(
        "z = x -> conv(4, 1)",
        "a, b = x -> iterate({ input y\n output first = z\n output second = y }, steps=2)",
        "output b + (a -> sum(axis=1))",
    )
    instances = compiled(text).inference.instances
    (region,) = next(item.regions for item in instances if item.title == "iterate")
    assert region.captured == 1
    assert len(region.graph.inputs) == 2


@pytest.mark.parametrize(
    ("inference", "training", "expected"),
    [
        ("param b: f32[3, 1, 1] = ones", "buffer b: f32[3, 1, 1] = ones([3, 1, 1])", "a weight in"),
        ("buffer b: i64[3] = arange(3)", "buffer b: f32[3] = ones([3])", "i64[3] in inference"),
        ("buffer b: i64[3] = arange(3)", "buffer b: i64[4] = arange(4)", "[4] in training"),
        ("buffer b: i64[3] = arange(3)", "buffer b: i64[3] = arange(3) transient", "transient"),
    ],
)
def test_tensors_of_one_name_must_agree_in_both_modes(inference, training, expected) -> None:
    body = "{{ input v\n {}\n output v + (b -> sum -> cast(f32)) }}"
    text = network(
        f"y = x -> if training {body.format(training)} else {body.format(inference)}", "output y"
    )
    assert errors(text) == ["E0609"]
    assert expected in printed(text)


def test_a_buffer_has_one_value_in_both_modes() -> None:
    value = "buffer b: f32[1] = ones([1]) * n"
    late = "output z = x -> relu when training"
    text = network("n = if training then 2.0 else {}", value, "output y = x + b", late)
    assert errors(text.replace("{}", "3.0")) == ["E0409"]
    assert errors(text.replace("{}", "2.0")) == []
