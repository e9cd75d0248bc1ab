"""Costs of a layer that runs n times, where n is a size, equal those for n as a number."""

from __future__ import annotations

from typing import Any

import pytest

from archspec.analysis.cost import report
from archspec.analysis.depth import depth
from archspec.analysis.memory import peak_memory
from archspec.analysis.operations import operations
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source

HEAD = """
block wide { input t
  a = t -> conv(8, 3)
  b = t -> relu
  output (a, b -> conv(8, 1)) -> add -> conv(4, 1) }
block step { input t
  output (t -> linear(3), t -> linear(6) -> linear(6)) }
"""

LAYERS = [
    "iterate(conv(4, 3), N)",
    "iterate(wide, 2 * N)",
    "iterate(iterate(wide, N) -> relu, N + 1)",
    "iterate(iterate(conv(4, 1), 3), N) -> conv(2, 1)",
    "iterate({ input t\n gate = (t -> mean(axis=[1, 2, 3])) > 0.0\n"
    " output (gate, t, t) -> gated(wide) }, N)",
    "{ input t\n ys, last = (t, t -> select(axis=2, index=0)) -> scan({ input row, s\n"
    " output (row, s -> iterate(linear(6), N)) }, axis=2)\n output (ys, last) }",
    "reshape(B, 4, -1, 6) -> mean(axis=2) -> iterate(step, N)",
    "mean(axis=2) -> [iterate(linear(6), N), iterate(linear(6), ceil_div(N, 2))] -> add",
]


def network(layer: str, size: int, *, free: bool) -> Network:
    shape = "f32[B = 2, 4, H = 5, 6]"
    if free:
        taken = f"input x: {shape}, steps: f32[N = {size}]"
    else:
        taken, layer = f"input x: {shape}, steps: f32[{size}]", layer.replace("N", str(size))
    text = f"{HEAD}network net {{\n  {taken}\n  output y = x -> {layer}\n}}\n"
    return Network(load_network(Source("net.arch", text))[0])


def costs(net: Network, **sizes: int) -> dict[str, Any]:
    """The report for sizes that may differ from those of the spec."""
    at, graph, found = {**net.compiled.sizes, **sizes}, net.compiled.inference, report(net.compiled)
    return {
        "macs": found.macs.evaluate(at),
        "memory": found.memory.evaluate(at),
        "peak": peak_memory(graph, at),
        "depth": depth(graph, at),
        "operations": operations(graph).evaluate(at),
        "rows": [(row.title, row.parameters, row.macs.evaluate(at)) for row in found.rows],
        "paths": found.paths,
        "fields": tuple(found.receptive_fields.values())[:1],
    }


@pytest.mark.parametrize("layer", LAYERS)
def test_free_number_of_steps_costs_the_same_as_a_constant(layer: str) -> None:
    once = network(layer, 3, free=True)
    for size in (1, 2, 3, 7):
        fixed = network(layer, size, free=False)
        assert costs(once, N=size) == costs(fixed)
        spec = network(layer, size, free=True)
        assert spec.depth == fixed.depth
        assert spec.report().depth == fixed.report().depth == costs(fixed)["depth"]
        assert spec.report().macs_at_sizes == fixed.macs() == once.macs(N=size)
        assert spec.report().memory_at_sizes == fixed.report().memory_at_sizes
        assert spec.report().peak == fixed.report().peak


@pytest.mark.parametrize("layer", ["conv(4, 3)", "wide", "relu", "conv(4, 3) -> relu -> wide"])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_n_runs_cost_as_much_as_n_layers_in_sequence(layer: str, steps: int) -> None:
    again = network(f"iterate({layer}, N)", steps, free=True)
    line = network(" -> ".join([layer] * steps), steps, free=False)
    assert costs(again)["macs"] == costs(line)["macs"]
    assert costs(again)["depth"] == costs(line)["depth"]
    state = 4 * 2 * 4 * 5 * 6  # of `iterate` itself, in addition to the ops of its body
    assert costs(again)["memory"] == costs(line)["memory"] + state
    assert costs(again)["operations"] == costs(line)["operations"] + 1


def test_zero_steps_cost_nothing() -> None:
    text = (
        "network net {\n  input x: f32[B = 1, 4, 6], t: f32[T = 0] where T >= 0\n"
        "  output y = x -> iterate(linear(6) -> linear(6), T)\n}\n"
    )
    net = Network(load_network(Source("net.arch", text))[0])
    found = net.report()
    assert (net.depth, net.macs(), found.macs_at_sizes) == (0, 0, 0)
    assert (found.depth.shortest, found.memory_at_sizes) == (0, 96)
    assert found.peak == 96 + 96  # x, and the output of `iterate`
    assert net.macs(T=2) == 2 * 2 * 4 * 36
