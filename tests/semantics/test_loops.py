"""Iterations of a `for` that repeat an earlier one are copied, with the same result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archspec.diagnostics.text import render
from archspec.graph.compiled import Compiled
from archspec.graph.model import Instance
from archspec.graph.walk import walk
from archspec.semantics.compile import check, load_network
from archspec.semantics.expansion import loops
from archspec.semantics.expansion.repeated_iterations import repeat
from archspec.source import Source
from tests.semantics.specs import compiled, errors, keys, layer, network, weights

UNIT = "block unit(width: int = 4, kernel: int = 3) { conv(width, kernel) -> relu }"
HEADS = "block heads { input x\n output a = x -> conv(4, 3)\n output b = x -> conv(4, 1) }"
CELL = "block cell { input s\n t = s -> conv(4, 3)\n output first = t\n output second = t }"

COPIED = {
    "a block": layer("for i in 0..6 { unit }", UNIT),
    "numbered": layer("body: for i in 0..6 { unit -> relu -> unit(4, 1) }", UNIT),
    "by the library": layer("repeated(6, unit) -> b: repeated(5, conv(4, 3) -> relu)", UNIT),
    "loops in loops": layer("a: for i in 0..5 { _: (c: conv(4, 3) -> s: for j in 0..4 { tanh }) }"),
    "values": layer("for w in [4, 4, 4, 8, 8, 8, 8, 4, 4, 4] { unit(w) }", UNIT),
    "several names": layer("for i, w in zip(0..6, [4, 4, 4, 4, 8, 8]) { unit(w) }", UNIT),
    "a state of two": network(
        "a, b = (x, x -> relu) -> for i in 0..7 { input p, q\n output q -> conv(4, 3)\n output p }",
        "output (a, b) -> add",
    ),
    "data from around": network(
        "z = x -> conv(4, 1)", "output x -> for i in 0..6 { input y\n output (z, y, x) -> add }"
    ),
    "tensors gone through": network(
        "a, b = x -> [relu, tanh]",
        "output x -> for t in (a, b, a, a, a) { input y\n output (y, t) -> add -> conv(4, 3) }",
    ),
    "dims that are bound": layer(
        "for i in 0..6 { input y: [B, C, H, W]\n output y -> conv(C, 3) }"
    ),
    "arithmetic": network("output x -> for i in 0..5 { input y\n output y * 2 + x }"),
    "inline": layer("for i in 0..6 { _: residual(one: conv(4, 3) -> two: conv(4, 3)) }"),
    "paths": layer('for i in 0..5 { _: ("a.b": conv(4, 3) -> "a.c": conv(4, 3)) }'),
    "one of two outputs": layer("for i in 0..5 { heads.b }", HEADS),
    "the mode": layer("for i in 0..5 { if training { dropout(0.1) } else { tanh } }"),
    "needs of sizes": network(
        "output x -> for i in 0..5 { input y\n"
        "output (y, y -> conv(4, 3, stride=2) -> upsample(2)) -> add }"
    ),
    "variables": network(
        "output x -> for i in 0..6 { input y\n z = y -> tanh\n output z -> relu }"
    ),
    "regions that hold loops": layer(
        "for i in 0..3 { input y\n a, b = y -> iterate({ input q\n"
        "r = q -> for j in 0..5 { conv(4, 3) }\n output first = r\n output second = r }, 3)\n"
        "output b }"
    ),
}
"""Loops in which iterations are copied."""

CARRIED_OUT = {
    "numbers": layer("for i in 0..5 { conv(4, 2 * i + 1) }"),
    "initialisers": network(
        "output x -> for i in 0..5 { input y\n"
        "init conv.weight = normal(std=0.1)\n output y -> conv(4, 3) }"
    ),
    "shared": network("shared f = conv(4, 3)", "output x -> for i in 0..6 { f -> relu }"),
    "shared in an iteration": network(
        "output x -> for i in 0..6 { input y\n shared f = conv(4, 3)\n output y -> f -> f }"
    ),
    "other names for data": network(
        "output x -> for i in 0..6 { input y\n z = y\n output z -> conv(4, 3) }"
    ),
    "regions": layer("for i in 0..5 { input y\n a, b = y -> iterate(cell, 3)\n output b }", CELL),
    "nothing": layer("for i in 0..5 { identity }"),
}
"""Loops whose iterations do more than add nodes, or differ from each other."""

ODD = {
    "a number that is taken": layer('body: ("4": conv(4, 1) -> for i in 0..6 { conv(4, 3) })'),
    "a key that is taken": layer(
        'body: ("4.conv": conv(4, 1) -> for i in 0..6 { _: (conv: conv(4, 3)) })'
    ),
    "a label that looks like a number": layer(
        "body: (for b in [false, false, true, false, true, true] "
        '{ if b { identity -> "2": conv(4, 3) } else { conv(4, 1) } })'
    ),
    "first used in a later iteration": network(
        "output x -> body: { input x\n shared f = conv(4, 3)\n output x -> "
        "for b in [false, true, true, true, false, true] { if b { f } else { conv(4, 1) } } }"
    ),
    "a fault that nothing depends on": network(
        "output x -> for i in 0..6 { input y\n z = y -> linear(3, bogus=2)\n output y -> tanh }"
    ),
    "a part too many": layer("for a, b in [[1, 2], [1, 2], [1, 2], [1, 2, 3]] { tanh }"),
    "a second loop": layer("for i in 0..5 { tanh } -> for i in 0..5 { tanh }"),
}
"""Loops in which a copy would be invalid, or an iteration has an error."""


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many iterations were copied, for each loop."""
    found: list[int] = []

    def counted(*arguments: object) -> object:
        result = repeat(*arguments)  # type: ignore[arg-type]
        found.append(result[0])
        return result

    monkeypatch.setattr(loops, "repeat", counted)
    return found


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no iteration is copied."""
    monkeypatch.setattr(loops, "record", lambda *arguments: None)


def described(text: str) -> object:
    """The graphs of a text without errors as text, or else its errors."""
    found = check(Source("spec.arch", text))
    if found.failed:
        return render(found.diagnostics)
    return list(_described(load_network(Source("spec.arch", text))[0]))


def _described(network: Compiled) -> Iterator[object]:
    numbers: dict[int, int] = {}
    for graph in (*walk(network.inference), *walk(network.training)):
        numbers.setdefault(id(graph), len(numbers))
        yield graph.name, graph.outputs, dict(graph.arguments), graph.init_rules
        yield {
            (need.condition, need.reason, str(need.origin.span)) for need in graph.size_requirements
        }
        for node in graph.nodes:
            iterations = [(str(iteration.loop), iteration.index) for iteration in node.iterations]
            yield node.id, node.inputs, node.types, iterations, node.name, str(node.origin.span)
            yield _instance(node.instance, numbers) if node.instance is not None else None
        yield [instance.key for instance in graph.instances]


def _instance(instance: Instance, numbers: dict[int, int]) -> object:
    frames = [(frame.what, str(frame.span)) for frame in instance.origin.frames]
    regions = [(item.key, numbers[id(item.graph)], item.captured) for item in instance.regions]
    called = numbers[id(instance.graph)] if instance.graph is not None else None
    place = str(instance.origin.span)
    return instance.key, instance.op, called, regions, place, frames, instance.explicit


@pytest.mark.parametrize("name", COPIED)
def test_copied_iterations_equal_evaluated_ones(
    name: str, copies: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = described(COPIED[name])
    assert sum(copies) > 0
    one_by_one(monkeypatch)
    assert found == described(COPIED[name])


@pytest.mark.parametrize("name", CARRIED_OUT)
def test_iterations_with_side_effects_are_evaluated(name: str, copies: list[int]) -> None:
    assert not errors(CARRIED_OUT[name])
    assert sum(copies) == 0


@pytest.mark.parametrize("name", ODD)
def test_mismatched_iterations_are_evaluated(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = described(ODD[name])
    one_by_one(monkeypatch)
    assert found == described(ODD[name])


def test_copies_have_their_own_iteration_and_weights() -> None:
    text = layer("body: for i in 0..50 { unit }", UNIT)
    nodes = compiled(text).inference.nodes[1:]
    assert [node.iterations[0].index for node in nodes] == list(range(50))
    assert len({id(node.instance) for node in nodes}) == 50
    assert keys(text) == [f"body.{number}.conv" for number in range(50)]


def test_weights_in_regions_are_not_shared_between_iterations() -> None:
    assert len(weights(CARRIED_OUT["regions"])) == 10


def test_the_budget_counts_copies() -> None:
    assert errors(layer("for i in 0..7000 { relu -> tanh }")) == []
    assert errors(layer("for i in 0..8000 { relu -> tanh }")) == ["E0501"]


def test_an_error_in_an_iteration_is_reported_once() -> None:
    assert errors(ODD["a fault that nothing depends on"]) == ["E0302"]
