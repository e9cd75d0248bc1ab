"""Edits of one mode: what both modes share is written, and owned, once."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.analysis.machine import to_json
from archspec.graph.compiled import Compiled
from archspec.graph.edit import Edit
from archspec.graph.mapping import map_network
from archspec.graph.model import Graph, Instance, Port
from archspec.graph.text import network_text
from archspec.graph.units import plan
from archspec.graph.verify import verify_network
from archspec.network import Network
from archspec.ops.linear import Linear
from archspec.ops.registry import all_ops
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import code
from archspec_torch.code.text import flat
from archspec_torch.forward.modes import both_modes
from archspec_torch.module import load_source, to_module
from archspec_torch.source import python_source
from tests.backends.scripts import script
from tests.specs.compiled import shipped

DROPOUT = all_ops()["dropout"]
DROP_PATH = all_ops()["drop_path"]


def without_dropout(graph: Graph) -> Graph:
    edit = Edit(graph)
    found = [node for node in graph.nodes if isinstance(node.op, DROPOUT | DROP_PATH)]
    for node in found:
        edit.bypass(node.id)
    return edit.graph() if found else graph


def with_dropout_in_its_head(graph: Graph) -> Graph:
    edit = Edit(graph)
    for node in graph.nodes:
        if isinstance(node.op, Linear):
            made = edit.insert(Instance("drop", DROPOUT(p=0.5)), node.inputs)
            edit.redirect(node.inputs[0], Port(made.id), keep=(made.id,))
    return edit.graph()


def networks():
    yield shipped("vgg16", hidden=16, classes=5).compiled
    yield shipped("vit_b_16", size=32, dim=24, depth=3, heads=2, hidden=32, drop=0.3).compiled
    yield map_network(shipped("resnet50", classes=5).compiled, with_dropout_in_its_head)
    yield shipped("efficientnet_b0", classes=5).compiled


@pytest.mark.parametrize("before", [*networks()], ids=lambda net: net.name)
def test_dropout_removed_in_inference_only(before: Compiled):
    after = map_network(before, without_dropout, mode="inference")
    assert verify_network(after) == ()
    assert after.training is before.training
    texts = [python_source(net)[0] for net in (before, after)]
    removed = sum(
        isinstance(node.op, DROPOUT | DROP_PATH) for graph in before.graphs for node in graph.nodes
    )
    classes, lines = [
        [len(re.findall(pattern, text, re.M)) for text in texts] for pattern in (r"^class ", r"^.")
    ]
    assert classes[0] == classes[1]
    assert lines[1] - lines[0] <= 2 * removed
    assert len(plan(before)) == len(plan(after))

    models = [to_module(net, seed=3) for net in (before, after)]
    weights = [model.state_dict() for model in models]
    assert [*weights[0]] == [*weights[1]]
    assert all(map(torch.equal, weights[0].values(), weights[1].values()))
    sizes = [
        size.evaluate(dict.fromkeys(before.sizes, 64))
        for size in before.inference.input_types[0].shape
    ]
    x = torch.randn(2, *sizes[1:])
    for training in (False, True):
        found = []
        for model in (*models, script(models[1])):
            torch.manual_seed(7)
            found.append(model.train(training)(x))
        assert torch.equal(found[0], found[1])
        assert torch.equal(found[0], found[2])
    reports = [Network(net, ()) for net in (before, after)]
    assert to_json(reports[0].report(training=True)) == to_json(reports[1].report(training=True))
    assert reports[0].parameters == reports[1].parameters
    assert reports[0].macs() == reports[1].macs()


def test_modes_that_become_equal_share_one_graph_again():
    before = shipped("vit_b_16", size=32, dim=24, depth=3, heads=2, hidden=32).compiled
    one = map_network(before, without_dropout, mode="inference")
    assert len(one.graphs) > len(before.graphs)
    both = map_network(one, without_dropout, mode="training")
    assert both.training is both.inference
    assert len(both.graphs) == len(before.graphs)
    assert python_source(both) == python_source(map_network(before, without_dropout))


# ---------------------------------------------------------------------- statements


NAMES = ("a", "b", "x", "y", "z")
ARGUMENTS = NAMES[:2]


@st.composite
def statements(draw, kept=()):
    """Statements that read defined values; those in `kept`, with others between them."""
    lines: list[str] = []
    known = set(ARGUMENTS)
    for old in [*kept, *[None] * draw(st.integers(0, 6))]:
        if (
            old is not None
            and draw(st.integers(0, 3))
            and set(re.findall("[a-z]", old)[1:]) <= known
        ):
            lines.append(old)
        else:
            left, right = (draw(st.sampled_from(sorted(known))) for _ in range(2))
            lines.append(
                f"{draw(st.sampled_from(NAMES))} = {left} + {draw(st.integers(1, 3))} * {right}"
            )
        known.add(lines[-1][0])
    return [*lines, f"return {draw(st.sampled_from(sorted(known)))}"]


@st.composite
def modes(draw):
    inference = draw(statements())
    return inference, draw(statements(inference[:-1]))


def module(lines):
    body = "\n".join(f"        {' ' * line.indent}{flat(line.code)}" for line in lines)
    head = "class Net(nn.Module):\n    def forward(self, a: Tensor, b: Tensor) -> Tensor:\n"
    return load_source(f"from torch import Tensor, nn\n\n\n{head}{body}\n").Net()


@given(modes())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_each_mode_executes_its_statements(given_modes):
    modes = [[Line(code(text)) for text in lines] for lines in given_modes]
    merged = both_modes(*modes, ARGUMENTS)
    a, b = torch.tensor(1.0), torch.tensor(3.0)
    for one in (module(merged), script(module(merged))):
        for training, lines in enumerate(modes):
            assert one.train(bool(training))(a, b) == module(lines)(a, b)


def test_common_statements_are_written_once():
    inference = [Line(code(text)) for text in ("x = f(a)", "x = g(x)", "y = f(x)", "return y")]
    training = [*inference[:1], Line(code("x = h(x)")), *inference[1:3], Line(code("return x"))]
    text = [" " * line.indent + flat(line.code) for line in both_modes(inference, training, ["a"])]
    assert text == [
        "x = f(a)",
        "if self.training:",
        "    x = h(x)",
        "x = g(x)",
        "y = f(x)",
        "if self.training:",
        "    return x",
        "return y",
    ]


def test_listing_shows_shared_blocks_once():
    before = shipped("vit_b_16", size=32, dim=24, depth=3, heads=2, hidden=32).compiled
    after = map_network(before, without_dropout, mode="inference")
    lines = network_text(after).splitlines()
    heads = [line for line in lines if line.startswith(("block ", "network "))]
    assert len(heads) == len(after.graphs)
    assert any(line.startswith("block encoder#1(") for line in heads)
    assert lines.index("# training, where it differs") > lines.index("# inference")
