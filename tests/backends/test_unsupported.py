"""Ops that a target cannot lower are reported at their position."""

from typing import ClassVar

import pytest

from archspec.cli.check import examine
from archspec.diagnostics.failure import CompileFailed
from archspec.ops import registry
from archspec.ops.base import Op
from archspec.options import Options
from archspec.targets import Uncovered, backend, preflight
from archspec_torch.source import python_source
from tests.building import Build, compiled, tensor

TEXT = """
block inner { linear(4) -> strange }
block step { add -> inner }
network net {
  input g: bool[B = 2], x: f32[B, 4], s: f32[B, 3, 4]
  a = x -> linear(4) -> strange
  output y = NEST
}
"""
NESTS = ["a -> iterate(inner, 3)", "(s, a) -> scan(step)", "(g, a, x) -> gated(inner)"]


class Strange(Op):
    """An op of another package, without a lowering to PyTorch."""

    name: ClassVar[str] = "strange"
    category: ClassVar[str] = "activation"
    pointwise: ClassVar[bool] = True

    def infer(self, check, *inputs):
        return inputs[0]


class Third:
    """A backend of another package, which cannot lower linear layers either."""

    name = "third"
    options = Options
    holds_weights = False

    def keeps(self, name):
        return False

    def faults(self, network):
        return ()

    def coverage(self, network):
        reasons = {"linear": "weights are not for it", "strange": "nobody knows it"}
        for graph in network.graphs:
            for node in graph.nodes:
                if node.op is not None and node.op.name in reasons:
                    yield Uncovered(graph, node, reasons[node.op.name])

    def build(self, request):
        raise AssertionError("it lowers nothing")


@pytest.fixture
def strange(monkeypatch):
    """Register the op as a package does by entry point."""
    known = registry.all_ops()
    monkeypatch.setitem(known._modules, "strange", __name__)
    monkeypatch.setitem(known._loaded, "strange", Strange)


def places_and_reasons(found):
    """The lines with the marked text, and the messages."""
    return [
        (one.code, one.primary.span.line, one.primary.span.text, one.message.partition(":")[0])
        for one in found
        if one.code != "W0704"  # the text has inputs for all of its variants
    ]


def places(words):
    message = f"{words} no lowering for `strange`"
    return [("E0802", 2, "strange", message), ("E0802", 6, "strange", message)]


@pytest.mark.parametrize("nest", NESTS)
def test_each_place_is_reported_once(strange, network, tmp_path, nest):
    net = network(TEXT.replace("NEST", nest))
    target = "target `{}` has"
    both = "targets `torch` and `torchscript` have"
    attempts = [
        (lambda: net.build(tmp_path, targets=["torch"]), target.format("torch")),
        (lambda: net.build(tmp_path, targets=["torchscript"]), target.format("torchscript")),
        (lambda: net.build(tmp_path, targets=["torch", "torchscript", "torch"]), both),
        (net.to_torch, target.format("torch")),
        (lambda: python_source(net.compiled), target.format("torch")),
    ]
    for attempt, words in attempts:
        with pytest.raises(CompileFailed) as failure:
            attempt()
        assert places_and_reasons(failure.value.diagnostics) == places(words)
    found = examine(tmp_path / "net.arch").diagnostics
    assert places_and_reasons(found) == places(both)
    assert {one.severity.value for one in found} == {"warning"}
    assert [path.name for path in tmp_path.iterdir()] == ["net.arch"]


def test_unsupported_ops_of_any_backend_are_reported(strange, network, tmp_path, monkeypatch):
    """A backend of another package that rejects other ops, and one of ours for its own reason."""
    network(TEXT.replace("NEST", "a -> inner"))
    known = (backend("torch"), backend("torchscript"), Third())
    monkeypatch.setattr(preflight, "_installed", lambda: known)
    found = examine(tmp_path / "net.arch").diagnostics
    of_torch, of_third = ("targets `torch` and `torchscript` have", "target `third` has")
    assert places_and_reasons(found) == [
        ("E0802", line, op, f"{words} no lowering for `{op.partition('(')[0]}`")
        for line, op, words in (
            (2, "linear(4)", of_third),
            (2, "strange", of_third),
            (2, "strange", of_torch),
            (6, "linear(4)", of_third),
            (6, "strange", of_third),
            (6, "strange", of_torch),
        )
    ]


def test_an_inline_block_shows_where_it_was_used(strange, network):
    net = network(
        "inline block odd { strange }\n"
        "network net {\n  input x: f32[B = 1, 4]\n  output y = x -> relu -> odd\n}"
    )
    with pytest.raises(CompileFailed) as failure:
        net.to_torch()
    (fault,) = failure.value.diagnostics
    assert fault.primary.span.line == 1
    assert [frame.span.line for frame in fault.expansion] == [4]


def test_op_without_a_location_is_reported_at_the_definition(tmp_path):
    build = Build()
    x = build.input(tensor("B", 4))
    net = compiled(build.graph(build.op(Strange(), x)), B=1)
    with pytest.raises(CompileFailed, match="E0802") as failure:
        python_source(net)
    assert len(failure.value.diagnostics) == 1
