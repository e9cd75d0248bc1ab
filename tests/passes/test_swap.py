"""Replacing the layers whose paths match a pattern."""

from fnmatch import fnmatchcase

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.verify import verify_network
from archspec.graph.walk import walk
from archspec.passes.places import change
from archspec.passes.places.pattern import PathPattern


@pytest.fixture
def network(tmp_path):
    """A network of these statements, each ended by `;`, over x: [B, 4, H, W]."""

    def made(statements, definitions=""):
        path = tmp_path / "net.arch"
        body = f"input x: f32[B = 2, 4, H = 6, W = 6]; {statements}"
        text = f"{definitions}\nnetwork net {{ {body} }}"
        path.write_text(text.replace("; ", "\n").replace("{ ", "{\n").replace(" }", "\n}") + "\n")
        return archspec.load(path)

    return made


UNIT = "block unit { conv(4, 3) -> act: relu }"


def did(net):
    return net.applied[-1].outcome.did


def ops(graph):
    return [node.op.name for node in graph.nodes if node.op is not None]


def units(net):
    """The ops of the blocks that the network calls, in the order of the calls."""
    return [ops(node.callee) for node in net.compiled.inference.nodes if node.callee is not None]


def names(net):
    return [*net.to_torch(device="meta").state_dict()]


def faults(net, at, layer):
    with pytest.raises(CompileFailed) as failure:
        net.apply("swap", at=at, layer=layer)
    return [(item.code, item.message) for item in failure.value.diagnostics]


@given(
    st.text("ab.*?[]!", max_size=9), st.lists(st.text("ab.", max_size=4), min_size=1, max_size=3)
)
def test_stepwise_pattern_matching_agrees_with_fnmatch(text, pieces):
    pattern = PathPattern(text)
    states = pattern.start
    for piece in pieces:
        states = pattern.after(states, piece)
    assert pattern.accepts(states) == fnmatchcase("".join(pieces), text)


def test_swap_at_all_paths_keeps_one_graph_per_block(network):
    net = network("output x -> a: unit -> b: unit", UNIT).apply("swap", at="*.act", layer="gelu")
    assert did(net) == ("a.act",)
    assert units(net) == [["conv", "gelu"]] * 2
    assert len(walk(net.compiled.inference)) == 2
    assert net.compiled.training is net.compiled.inference


def test_swap_at_some_paths_splits_a_block_into_two_graphs(network):
    text = "output x -> a: unit -> b: unit -> c: unit -> d: unit"
    net = network(text, UNIT).apply("swap", at="[bc].act", layer="gelu")
    assert units(net) == [["conv", "relu"], ["conv", "gelu"], ["conv", "gelu"], ["conv", "relu"]]
    assert len(walk(net.compiled.inference)) == 3
    assert did(net) == ("b.act",)


def test_swap_in_a_network_with_very_many_paths_is_fast():
    net = archspec.load("fractalnet", columns=30)
    made = net.apply("swap", at="*.relu*", layer="gelu")
    assert verify_network(made.compiled) == ()
    before, after = (len(walk(one.compiled.inference)) for one in (net, made))
    assert after <= 2 * before


def test_pattern_that_distinguishes_too_many_paths_is_refused(monkeypatch):
    monkeypatch.setattr(change, "MOST", 2000)
    net = archspec.load("fractalnet", columns=30)
    assert faults(net, "*s" + "?" * 60, "gelu") == [
        ("E0913", "the paths of blocks look different to this pattern in too many ways")
    ]


def test_weights_keep_the_key_of_the_replaced_layer(network):
    net = network("output x -> a: unit -> last: conv(4, 1)", UNIT)
    one = net.apply("swap", at="*act", layer="conv(same, 3)")
    assert names(one)[2:4] == ["a.act.weight", "a.act.bias"]
    block = net.apply("swap", at="*act", layer="std.cnn.squeeze_excite(2)")
    assert names(block)[2:6] == [f"a.act.fc{n}.{t}" for n in (1, 2) for t in ("weight", "bias")]
    several = net.apply("swap", at="*act", layer="conv(same, 3) -> relu -> last: conv(same, 1)")
    assert names(several)[2:6] == [
        *("a.act.conv.weight", "a.act.conv.bias"),
        *("a.act.last.weight", "a.act.last.bias"),
    ]
    x = torch.randn(2, 4, 6, 6)
    assert several.to_torch()(x).shape == (2, 4, 6, 6)


def test_swap_by_identity_removes_the_layer(network):
    net = network("output x -> a: unit -> b: unit", UNIT)
    assert units(net.apply("swap", at="a", layer="identity")) == [["conv", "relu"]]
    assert units(net.apply("swap", at="a.act", layer="identity")) == [["conv"], ["conv", "relu"]]


def test_shared_layers_stay_shared(network):
    net = network("shared f = conv(4, 3); output x -> f -> relu -> f -> relu -> f")
    made = net.apply("swap", at="conv", layer="conv(4, 5, bias=false)")
    assert names(made) == ["conv.weight"]
    found = {node.instance for node in made.compiled.inference.nodes if node.inputs}
    assert len([one for one in found if one.op.name == "conv"]) == 1


def test_shared_layer_with_different_weights_per_use_is_refused(network):
    net = network("shared f = relu; output (x -> f) -> conv(8, 3) -> f")
    assert [code for code, _ in faults(net, "relu", "batch_norm")] == ["E0914"]
    assert net.apply("swap", at="relu", layer="gelu").parameters == net.parameters


def test_frozen_layers_stay_frozen(network):
    net = network("f = frozen(unit); output x -> f -> conv(4, 1)", UNIT)
    made = net.apply("swap", at="unit.conv", layer="conv(4, 1) -> batch_norm -> dropout(0.5)")
    learnt = [name for name, one in made.to_torch().named_parameters() if one.requires_grad]
    assert learnt == ["conv.weight", "conv.bias"]
    module, x = made.to_torch().train(), torch.randn(2, 4, 6, 6)
    assert torch.equal(module(x), module(x))


def test_captured_values_of_a_replaced_layer_are_no_longer_read(network):
    net = network("y = x -> conv(4, 3); output x -> it: iterate({ input s; output s + y }, 2)")
    made = net.apply("swap", at="it", layer="relu")
    assert [len(node.inputs) for node in made.compiled.inference.nodes] == [0, 1, 1]


def test_layers_in_regions_are_swapped(network):
    net = network("output x -> it: iterate(unit -> conv(4, 3) -> act: relu, 3)", UNIT)
    made = net.apply("swap", at="it.*act", layer="prelu(4)")
    found = [ops(graph) for graph in walk(made.compiled.inference)]
    assert found == [["conv", "prelu"], ["conv", "prelu"], ["iterate"]]
    assert sum(name.endswith("act.weight") for name in names(made)) == 2
    whole = net.apply("swap", at="it", layer="relu")
    assert ops(whole.compiled.inference) == ["relu"]


def test_a_layer_that_depends_on_the_mode_makes_two_modes(network):
    text = "output (if training then (x -> u: unit -> dropout(0.5)) else (x -> u: unit))"
    for net in (network("output x -> u: unit", UNIT), network(text, UNIT)):
        made = net.apply("swap", at="u.act", layer="if training then relu else gelu")
        modes = [walk(graph)[0] for graph in (made.compiled.inference, made.compiled.training)]
        assert [ops(graph) for graph in modes] == [["conv", "gelu"], ["conv", "relu"]]
        same = net.apply("swap", at="u.act", layer="gelu")
        modes = [walk(graph)[0] for graph in (same.compiled.inference, same.compiled.training)]
        assert modes[0] is modes[1]


def test_multiple_outputs_are_replaced(network):
    net = network(
        "a, b = x -> both; output a -> conv(4, 1); output two = b",
        "block both { input x; output (x -> relu, x -> max_pool(2)) }",
    )
    made = net.apply("swap", at="both", layer="[gelu, avg_pool(2)]")
    found = made.to_torch()(torch.randn(2, 4, 6, 6))
    assert [tuple(one.shape) for one in found] == [(2, 4, 6, 6), (2, 4, 3, 3)]


@pytest.mark.parametrize(
    ("at", "layer", "expected"),
    [
        ("b.act", "gelu", ("E0913", "no path in `net` matches `b.act`")),
        (
            "a.act",
            "conv(8, 3)",
            (
                "E0914",
                "at `a.act` the layer returns f32[B, 8, H, W], but f32[B, 4, H, W] is needed",
            ),
        ),
        ("a.act", "gelu(", ("E0114", "this `(` is never closed")),
        ("a.act", "nothing", ("E0210", "`nothing` is not defined here")),
        ("a.act", "std.none.x", ("E0201", "there is no module `std.none`")),
        ("a.act", "7", ("E0305", "this is not a layer, but an integer")),
        ("a.act", "gelu\nnetwork x { }", ("E0305", "this is not one layer, but several")),
        (
            "a.act",
            "(" * 100,
            ("E0103", "brackets are nested too deeply; at most 64 may be open at once"),
        ),
    ],
)
def test_mismatched_layers_are_reported(network, at, layer, expected):
    found = faults(network("output x -> a: unit", UNIT), at, layer)
    assert found[0][0] == expected[0]
    assert expected[1] in found[0][1]


def test_errors_in_a_layer_are_reported_with_the_location(network):
    net = network("output x -> a: unit", UNIT)
    with pytest.raises(CompileFailed) as failure:
        net.apply("swap", at="a.act", layer="linear(3) -> flatten")
    (item,) = failure.value.diagnostics
    assert item.code == "E0403"
    assert item.notes[-1] == "at `a.act` its inputs are f32[B, 4, H, W]"


def test_endless_layer_is_bounded(network):
    net = network("output x -> a: unit", UNIT)
    layer = "relu -> for i in 0..100000000 { relu }"
    assert faults(net, "a.act", layer)[0][0] == "E0501"


def test_values_are_those_of_the_layer(network):
    net = network("output x -> a: unit -> b: unit", UNIT)
    other = network("output x -> a: unit -> b: unit", UNIT.replace("relu", "gelu"))
    made = net.apply("swap", at="*.act", layer="gelu")
    state, x = net.to_torch(seed=1).state_dict(), torch.randn(2, 4, 6, 6)
    assert torch.equal(made.to_torch(weights=state)(x), other.to_torch(weights=state)(x))
