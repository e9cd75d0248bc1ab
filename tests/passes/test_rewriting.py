"""Rules: what they match, where they are applied, and that they terminate."""

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archspec
from archspec.diagnostics.failure import CompileFailed
from archspec.graph.model import Instance, Port
from archspec.graph.verify import verify_network
from archspec.graph.walk import walk
from archspec.ops.activation import Relu, Relu6
from archspec.ops.arithmetic import Neg, Sub
from archspec.passes.rewriting.driver import rewrite, rewrite_network
from archspec.passes.rewriting.identities import AGAIN, HANDED_ON, UNDONE
from archspec.passes.rewriting.pattern import Pattern, Rule
from tests.backends.values import unsettled


@pytest.fixture
def network(tmp_path):
    """A network of these statements, each ended by `;`, over x: [B, 4, H, W]."""

    def made(statements, definitions=""):
        path = tmp_path / "net.arch"
        text = (
            f"{definitions}\nnetwork net {{ input x: f32[B = 2, 4, H = 5, W = 6]; {statements} }}"
        )
        path.write_text(text.replace("; ", "\n").replace("{ ", "{\n").replace(" }", "\n}") + "\n")
        return archspec.load(path)

    return made


def ops(graph):
    return [node.op.name for node in graph.nodes if node.op is not None]


def left(net, *rules):
    return ops(rewrite(net.compiled.inference, rules))


def to_relu6(match):
    """A rule that replaces an op by another one."""
    instance = Instance(match.site.node.instance.key, Relu6())
    return Port(match.edit.insert(instance, match.site.node.inputs).id)


CUT = Rule("relu is cut", Pattern(Relu), to_relu6)


def test_repeated_idempotent_ops_are_removed(network):
    assert left(network("output x -> relu -> relu -> relu"), AGAIN) == ["relu"]
    assert left(network("output x -> relu -> relu6"), AGAIN) == ["relu", "relu6"]
    assert left(network("output x -> clamp(low=0.0) -> clamp(low=1.0)"), AGAIN) == ["clamp"] * 2
    assert left(network("output x -> silu -> silu"), AGAIN) == ["silu", "silu"]


def test_inverse_permutations_are_both_removed(network):
    twice = "permute(0, 2, 3, 1) -> permute(0, 3, 1, 2)"
    assert left(network(f"output x -> {twice} -> relu"), UNDONE) == ["relu"]
    assert left(network(f"output x -> transpose(2, 3) -> {twice} -> transpose(2, 3)"), UNDONE) == []
    other = "output x -> permute(0, 2, 3, 1) -> permute(0, 2, 3, 1)"
    assert left(network(other), UNDONE) == ["permute", "permute"]


def test_nodes_with_another_reader_do_not_match_read_once(network):
    net = network("y = x -> transpose(2, 3); output (y -> transpose(2, 3)); output more = y")
    assert left(net, UNDONE) == ["transpose", "transpose"]
    (first,) = UNDONE.pattern.inputs
    read_often = replace(UNDONE.pattern, inputs=(replace(first, read_once=False),))
    assert left(net, replace(UNDONE, pattern=read_often)) == ["transpose"]


def test_remaining_nodes_may_match_another_rule_in_any_order(network):
    """A node that is read twice is only removed after the sum that follows it was visited."""
    once = Rule("alone", Pattern(Relu6, inputs=(Pattern(Relu, read_once=True),)), lambda m: None)
    cut = replace(once, becomes=lambda match: match.site.node.inputs[0])
    sums = Rule("sum", Pattern(Sub), lambda match: match.site.node.inputs[0])
    net = network("y = x -> relu; z = y -> relu6; output z - (y -> neg)")
    assert left(net, cut) == ["relu", "relu6", "neg", "sub"]
    gone = Rule("neg", Pattern(Neg), lambda match: Port(0))
    assert left(net, cut, sums, gone) == ["relu"]


def test_without_matches_the_same_graph_is_returned(network):
    compiled = network("output x -> conv(4, 3) -> relu").compiled
    assert rewrite(compiled.inference, [AGAIN, UNDONE, HANDED_ON]) is compiled.inference
    assert rewrite_network(compiled, [AGAIN, UNDONE, HANDED_ON]) is compiled


def test_rules_apply_to_blocks_regions_and_both_modes_and_preserve_sharing(network):
    net = network(
        "output x -> unit -> unit -> it: iterate(conv(4, 3) -> relu, 3) -> dropout(0.5)",
        "block unit { conv(4, 3) -> relu }",
    )
    found = rewrite_network(net.compiled, [CUT])
    assert verify_network(found) == ()
    assert found.training is found.inference
    names = [ops(graph) for graph in walk(found.inference)]
    assert names == [["conv", "relu6"], ["conv", "relu6"], ["iterate", "dropout"]]
    one, two = (node.callee for node in found.inference.nodes if node.callee is not None)
    assert one is two
    before, after = (archspec.network.Network(each, ()) for each in (net.compiled, found))
    assert [*before.to_torch().state_dict()] == [*after.to_torch().state_dict()]


def test_rewriting_one_mode_leaves_the_other_unchanged(network):
    net = network("output x -> conv(4, 3) -> dropout(0.5) -> relu")
    found = rewrite_network(net.compiled, [HANDED_ON], mode="inference")
    assert found.training is net.compiled.training
    assert ops(found.inference) == ["conv", "relu"]


def test_endless_rules_are_stopped_and_named(network):
    def again(match):
        return Port(match.edit.insert(Instance("", Relu()), [Port(match.site.node.id)]).id)

    with pytest.raises(CompileFailed) as failure:
        rewrite(
            network("output x -> relu").compiled.inference, [Rule("more", Pattern(Relu), again)]
        )
    (item,) = failure.value.diagnostics
    assert (item.code, item.message) == (
        "E0911",
        "the rules of a pass come to no end in `net`, last `more`",
    )


LINKS = (
    "relu",
    "relu6",
    "abs",
    "neg",
    "round",
    "dropout(0.5)",
    "drop_path(0.1)",
    "transpose(2, 3)",
    "permute(0, 2, 3, 1)",
    "permute(0, 3, 1, 2)",
    "permute(0, 1, 2, 3)",
    "hard_tanh",
)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(LINKS), min_size=2, max_size=9))
def test_strip_preserves_values_of_random_chains(network, chain):
    net = network(f"output x -> conv(4, 1) -> {' -> '.join(chain)}")
    module = unsettled(net.to_torch())
    found = net.apply("strip").to_torch(dtype=torch.float64, weights=module.state_dict()).eval()
    x = torch.randn(2, 4, 5, 6, dtype=torch.float64)
    assert torch.equal(found(x), module(x))


DROPS = (
    "output x -> unit -> dropout(0.5) -> it: iterate(conv(4, 3) -> dropout(0.1), 2)"
    " -> drop_path(0.2)"
)


def test_no_dropout_leaves_training_unchanged(network):
    net = network(DROPS, "block unit { conv(4, 3) -> relu -> conv(4, 3) }")
    found = net.apply("no_dropout")
    assert found.compiled.training is net.compiled.training
    assert [ops(graph) for graph in walk(found.compiled.inference)] == [
        ["conv", "relu", "conv"],
        ["conv"],
        ["iterate"],
    ]
    units = [
        next(node.callee for node in graph.nodes if node.callee is not None)
        for graph in (found.compiled.inference, found.compiled.training)
    ]
    assert units[0] is units[1]
    x, state = torch.randn(2, 4, 5, 6), net.to_torch(seed=3).state_dict()
    before, after = net.to_torch(weights=state), found.to_torch(weights=state)
    assert torch.equal(after.eval()(x), before.eval()(x))
    torch.manual_seed(7)
    drawn = before.train()(x)
    torch.manual_seed(7)
    assert torch.equal(after.train()(x), drawn)


def test_ops_that_scale_in_inference_are_kept(network):
    net = network("output x -> drop_path(0.2, scale=inference) -> bernoulli")
    assert net.apply("no_dropout").compiled is net.compiled


def test_generated_code_writes_shared_statements_once(network):
    from archspec_torch.source import python_source

    net = archspec.load("vgg16")
    before = python_source(net.compiled)[0]
    after = python_source(net.apply("no_dropout").compiled)[0]
    assert after.count("nn.Conv2d") == before.count("nn.Conv2d")
    assert after.count("F.dropout") == 2
    assert len(after.splitlines()) < len(before.splitlines()) + 10
