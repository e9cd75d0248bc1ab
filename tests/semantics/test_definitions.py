"""Presets and partial application (P9), domains, sharing, parameters (P7), initialisers (P13)."""

from __future__ import annotations

import pytest

from archspec.analysis.parameters import table
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.walk import walk
from archspec.ops.normalisation import BatchNorm
from archspec.types.initialiser import Initialiser
from tests.semantics.specs import compiled, errors, keys, layer, network, output, weights

NET = """
block unit(width: int, kernel: int = 3, act: layer = relu) { conv(width, kernel) -> act }
network net(width: int in 1..65 = 4, depths: list[int] = [1, 2],
            norm: layer = batch_norm, stage: str = "a") {
  input x: f32[B = 1, 4, H = 8, W = 8]
  output x -> for d in depths { "{stage}{d}": unit(width * d) -> norm }
}
preset wide = net(16)
preset wider = wide(depths=[3], norm=batch_norm(eps=0.001))
"""


def test_presets_are_partial_applications() -> None:
    assert output(NET, "net") == "f32[B, 8, H, W]"
    assert output(NET, "wide") == "f32[B, 32, H, W]"
    assert output(NET, "wider") == "f32[B, 48, H, W]"


def test_given_parameters_override_presets() -> None:
    assert output(NET, "wider", width=2) == "f32[B, 6, H, W]"
    assert output(NET, "wide", depths=[1]) == "f32[B, 16, H, W]"
    assert next(iter(weights(NET, "wider", stage="z"))).startswith("z3.")


def test_positional_attributes_add_up_and_named_ones_override() -> None:
    text = network("f = conv(8)", "g = f(3, stride=2)", "output x -> g(stride=1, bias=false)")
    assert weights(text) == {"conv.weight": (8, 4, 3, 3)}
    assert errors(f"{NET}preset more = wide([3])") == []
    assert errors(f"{NET}preset twice = wide(32)") == ["E0305"]


def test_one_attribute_too_many_in_a_preset() -> None:
    assert errors(layer("relu") + "preset p = net(1)") == ["E0303"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("0", "E0305"),
        ("65", "E0305"),
        ('"4"', "E0305"),
        ("4.0", "E0305"),
        ("true", "E0305"),
        ("depths=3", "E0305"),
        ('depths=[1, "2"]', "E0305"),
        ("norm=4", "E0305"),
        ("stage=relu", "E0305"),
        ("depth=[1]", "E0302"),
        ('1, [1], relu, "a", 1', "E0303"),
    ],
)
def test_arguments_are_checked(arguments: str, code: str) -> None:
    assert code in errors(f"{NET}preset bad = net({arguments})")


def test_domains_are_ranges_or_lists() -> None:
    head = 'block f(mode: str in ["a", "b"], n: int in 2.. = 2) { relu }'
    assert errors(layer('f("a")', head)) == []
    assert errors(layer('f("c")', head)) == ["E0305"]
    assert errors(layer('f("a", 1)', head)) == ["E0305"]


def test_layers_are_values_and_each_use_is_fresh() -> None:
    head = "block f(g: layer = conv(4, 1), n: int = 2) { for i in 0..n { g } }"
    assert keys(layer("f -> f(conv(4, 3), 3)", head)) == ["f.0", "f.1", "f_1.0", "f_1.1", "f_1.2"]


def test_shared_is_one_instance() -> None:
    text = network("shared f = conv(4, 3, bias=false)", "output x -> f -> relu -> f")
    assert weights(text) == {"conv.weight": (4, 4, 3, 3)}
    nodes = compiled(text).inference.nodes
    assert nodes[1].instance is nodes[3].instance


def test_a_shared_composite_is_replayed() -> None:
    text = network(
        "shared f = body: (conv(4, 3, bias=false) -> batch_norm)",
        "output x -> f -> f",
    )
    assert len([name for name in weights(text) if name.endswith("weight")]) == 2


@pytest.mark.parametrize(
    ("lines", "head", "code"),
    [
        (("shared f = conv(5, 3)", "output x -> f -> f"), "", "E0607"),
        (("shared f = conv(4, 3)", "output x -> b(f)"), "block b(f: layer) { f }", "E0608"),
        (("shared f = 3", "output x"), "", "E0308"),
    ],
)
def test_invalid_shared_layers(lines: tuple[str, ...], head: str, code: str) -> None:
    assert errors(network(*lines, head=head)) == [code]


def test_raw_parameters_and_buffers() -> None:
    text = network(
        "param scale: f32[4, 1, 1] = ones",
        "param shift: f32[1] = constant(0.5)",
        "buffer index: i64[6] = arange(6) // 2",
        "output x * scale + shift",
        "output i = index + 1",
    )
    entries = {entry.name: entry for entry in table(compiled(text))}
    assert entries["scale"].shape == (4, 1, 1)
    assert entries["scale"].learnable
    assert not entries["index"].learnable
    assert entries["index"].shape == (6,)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("param p: f32[H] = zeros", "E0403"),
        ("param p: i64[4] = zeros", "E0407"),
        ("param p: f32[0] = zeros", "E0402"),
        ("param p: f32[4] = 3", "E0305"),
        ("buffer b: i64[4] = arange(5)", "E0405"),
        ("buffer b: f32[4] = arange(4)", "E0405"),
        ("buffer b: f32[1, 4, H, W] = x", "E0403"),
        ("y = param([4], zeros)", "E0606"),
    ],
)
def test_invalid_parameters(line: str, code: str) -> None:
    assert errors(network(line, "output x")) == [code]


def test_a_buffer_is_computed_by_blocks_rules_and_other_buffers() -> None:
    head = (
        "block twice {\n  input x\n  output both = (x, x) -> add\n  output one = x\n}\n"
        "rule ramp(n) => arange(n) -> cast(f32)"
    )
    lines = (
        "step = ramp(4) -> mul(0.5)",
        "buffer a: f32[4] = ramp(4) -> twice.both",
        "buffer b: f32[4] = a + step",
        "y, h = (x -> mean(axis=[2]), zeros([B, 4])) -> scan({",
        "  input t, state",
        "  buffer c: f32[4] = b * step",
        "  output t * c",
        "  output next = state + c",
        "}, axis=2)",
        "output y",
    )
    shapes = weights(network(*lines, head=head))
    assert shapes == {"a": (4,), "b": (4,), "scan.layer.c": (4,)}
    for graph in walk(compiled(network(*lines, head=head)).inference):
        assert graph.kind != "buffer" or not (graph.inputs or graph.callees)


def test_a_rule_without_input_is_data_in_every_position() -> None:
    head = (
        "rule ramp(n) => arange(n) -> cast(f32)\nblock shift {\n  input x\n  output x + ramp(8)\n}"
    )
    assert (
        errors(network("y = x * ramp(8)", "output y -> shift", head=head, shape="B = 1, 8")) == []
    )


@pytest.mark.parametrize(
    "value",
    ["arange(4) -> cast(f32) -> linear(4)", "if training { zeros([4]) } else { ones([4]) }"],
)
def test_buffer_of_a_non_constant_is_refused(value: str) -> None:
    assert errors(network(f"buffer b: f32[4] = {value}", "output x")) == ["E0409"]


def test_a_buffer_of_a_weight_is_refused() -> None:
    assert errors(network("param p: f32[4] = ones", "buffer b: f32[4] = p * 2.0", "output x")) == [
        "E0409"
    ]


def initialisers(text: str) -> dict[str, Initialiser | None]:
    return {entry.name: entry.initialiser for entry in table(compiled(text))}


def test_the_innermost_init_statement_wins_and_an_attribute_over_it() -> None:
    text = network(
        "init conv.weight = normal(std=0.5)",
        "output x -> conv(4, 1) -> inner -> conv(4, 1, weight_init=zeros)",
        head="block inner {\n  init conv.weight = ones\n  conv(4, 1)\n}",
    )
    found = {name: type(value).__name__ for name, value in initialisers(text).items()}
    assert found["conv.weight"] == "Normal"
    assert found["inner.conv.weight"] == "Ones"
    assert found["conv_1.weight"] == "Zeros"


def test_failed_asserts_show_their_message() -> None:
    head = "rule check(n) => n"
    text = network("n = check(3)", 'assert n > 4, "it is {n}"', "output x", head=head)
    assert errors(text) == ["E0318"]
    assert errors(network("assert 3 > 2", "output x")) == []


@pytest.mark.parametrize(
    ("weights_", "fine"),
    [
        ("conv.weight", True),
        ("conv.weigth", False),
        ("conv.weight_g", True),
        ("lstm.weight_ih_l7", True),
        ("batch_norm.running_mean", False),
        ("relu.weight", False),
    ],
)
def test_an_init_statement_names_weights_that_the_op_may_own(weights_: str, fine: bool) -> None:
    found = errors(network(f"init {weights_} = zeros", "output x -> conv(4, 1)"))
    assert found == ([] if fine else ["E0302"])


def test_endless_recursion_at_the_start_of_a_chain_is_reported() -> None:
    head = "rule f(n) => f(n + 1) -> f(n + 2)"
    assert errors(network("y = f(0)", "output x -> y", head=head)) == ["E0502"]


@pytest.mark.parametrize("first", ["zeros", "ones", "orthogonal", "constant(0.5)"])
def test_an_initialiser_may_be_a_default(first: str) -> None:
    """Also a definition that has the name of an op."""
    text = f"block unit(first: init = {first}) {{ conv(8, 3, weight_init=first) }}\n"
    assert errors(text + network("output x -> unit")) == []


@pytest.mark.parametrize(
    ("given", "epsilon"),
    [("batch_norm", 1e-5), ("batch_norm(eps=1e-3)", 1e-3), ("mine(2)", 0.5), ("tiny()", 0.25)],
)
def test_layers_given_as_text_are_written_as_in_a_file(given: str, epsilon: float) -> None:
    head = """\
rule mine(n) => batch_norm(eps=1 / n)
inline block tiny { batch_norm(eps=0.25) }"""
    text = network("output x -> norm", head=head).replace("net {", "net(norm: layer = relu) {")
    graphs = walk(compiled(text, norm=given).inference)
    (op,) = (node.op for graph in graphs for node in graph.nodes if node.op is not None)
    assert isinstance(op, BatchNorm)
    assert op.eps == epsilon


@pytest.mark.parametrize("given", ["zeros", "constant(0.5)", "kaiming_normal(mode=fan_out)"])
def test_initialisers_given_as_text_are_written_as_in_a_file(given: str) -> None:
    text = network("output x -> conv(8, 3, weight_init=first)")
    net = text.replace("net {", "net(first: init = orthogonal) {")
    written = text.replace("=first", f"={given}")
    found, wanted = (
        [node.op for node in net.inference.nodes if node.op is not None]
        for net in (compiled(net, first=given), compiled(written))
    )
    assert found == wanted


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("relu", "E0305"),
        ("zeroes", "E0305"),
        ("0.5", "E0305"),
        ("(zeros", "E0305"),
        ("normal(sd=1)", "E0302"),
        ("normal(std=width)", "E0210"),
        ("constant(value)", "E0210"),
    ],
)
def test_invalid_initialisers_given_as_text(given: str, code: str) -> None:
    text = network("output x -> conv(8, 3, weight_init=first)")
    net = text.replace("net {", "net(first: init = orthogonal) {")
    with pytest.raises(CompileFailed) as failure:
        compiled(net, first=given)
    assert [item.code for item in failure.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("relu -> relu", "E0305"),
        ("(relu", "E0305"),
        ("3", "E0305"),
        ("nothing", "E0210"),
        ("nothing(3)", "E0210"),
        ("batch_norm(epps=1)", "E0302"),
        ("relu\nblock more { relu }", "E0305"),
    ],
)
def test_invalid_layers_given_as_text(given: str, code: str) -> None:
    text = network("output x -> norm").replace("net {", "net(norm: layer = relu) {")
    with pytest.raises(CompileFailed) as failure:
        compiled(text, norm=given)
    assert [item.code for item in failure.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("given", "use"),
    [("resnet18", "use resnet { resnet18 }"), ("cbam(8)", "use std.cnn { cbam }")],
)
def test_layers_given_as_text_that_the_file_does_not_import(given: str, use: str) -> None:
    text = network("output x -> norm").replace("net {", "net(norm: layer = relu) {")
    with pytest.raises(CompileFailed, match=f"`{use}` at the top, in a file of your own"):
        compiled(text, norm=given)


def test_an_output_for_each_part_of_a_tuple() -> None:
    head = "block pair { input x\n  output low, high = x -> [conv(2, 3), conv(3, 3)] }"
    text = network("output a, b = x -> pair", "output c = x -> pair.high", head=head)
    assert [item.name for item in compiled(text).inference.outputs] == ["a", "b", "c"]
    assert output(text) == "f32[B, 2, H, W], f32[B, 3, H, W], f32[B, 3, H, W]"
    kept = network("output a, _ = x -> pair", head=head)
    assert [item.name for item in compiled(kept).inference.outputs] == ["a"]
    some = network("output y = x", "output a, b = (x -> pair) when training", head=head)
    assert [item.name for item in compiled(some).training.outputs] == ["y", "a", "b"]
    for wrong in ("output a, b, c = x -> pair", "output a, b = x"):
        assert errors(network(wrong, head=head)) == ["E0316"]
    assert errors(network("output a, a = x -> pair", head=head)) == ["E0705"]
    assert errors(network("output a, ...b = x -> pair", head=head)) == ["E0127"]
