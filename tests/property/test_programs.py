"""What the compiler infers for random programs agrees with torch.

Each program either has errors, every one with a code, or compiles. Then, for random sizes, torch
runs exactly if `accepts` says so, the outputs have the inferred shapes, and torch counts the same
parameters and (on the meta device) the same multiply-adds.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from archspec.diagnostics.model import Severity
from archspec.diagnostics.text import render
from archspec.graph.walk import requirements
from archspec.network import Network
from archspec.semantics.compile import Compilation
from archspec.source import Source
from archspec.types.condition import evaluate
from tests.property.programs import programs
from tests.unchecked import unchecked

torch = pytest.importorskip("torch")


def network(text: str) -> Network | None:
    """The network, or None for a program with errors, all of which must be well-formed."""
    compilation = Compilation()
    compiled = compilation.network(compilation.load(Source("random.arch", text)), "net")
    found = compilation.sink.diagnostics
    codes = sorted({item.code for item in found if item.severity is Severity.ERROR})
    event(", ".join(codes) or "compiled")
    assert set(codes) <= REFUSALS, render(found)
    assert bool(codes) == compilation.sink.failed
    return None if compiled is None or codes else Network(compiled, found)


EXPLORE = int(os.environ.get("ARCHSPEC_EXPLORE", "1"))
"""Factor for the number of examples; if it is given, examples differ in each run."""

REFUSALS = {"E0401", "E0402", "E0403", "E0404", "E0410", "E0411"}
"""Possible errors in a program that is well-formed: its sizes."""


def some_sizes(net: Network, seed: int) -> list[dict[str, int]]:
    """Sizes that `where` allows: those of reports, small ones, and similar ones."""
    chance = random.Random(seed)
    found = [dict(net.compiled.sizes)]
    for _ in range(60):
        high = chance.choice([3, 8, 26, 40])
        sizes = {
            "B": chance.randint(1, 3),
            "H": chance.randint(1, high),
            "W": chance.randint(1, high),
        }
        if chance.random() < 0.3:
            sizes["W"] = sizes["H"]
        if evaluate(net.compiled.where, sizes):
            found.append(sizes)
    return found[:14]


def ran(module, shapes):
    """The shapes of torch's results and its multiply-adds, or None if it raises."""
    from torch.utils.flop_counter import FlopCounterMode

    data = [torch.empty(shape, device="meta") for shape in shapes]
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), counter:
            result = module(*data)
    except (RuntimeError, ValueError, ZeroDivisionError):
        return None
    results = [result] if isinstance(result, torch.Tensor) else list(result)
    return [list(item.shape) for item in results], counter.get_total_flops() // 2


def broadcasts(net, sizes):
    """Whether torch broadcasts a size that happens to be 1, in which case they need not agree."""
    needs = requirements(net.compiled.inference, training=False)
    failing = [item for item in needs if not evaluate(item.condition, sizes)]
    return bool(failing) and all(item.reason.startswith(("`add`", "`mul`")) for item in failing)


def refused(net, shapes):
    """Whether torch only runs it on meta: an empty tensor cannot be resized."""
    module = unchecked(net.to_torch().eval())
    try:
        with torch.no_grad():
            module(*map(torch.zeros, shapes))
    except (RuntimeError, ValueError):
        return True
    return False


def at(kind, sizes):
    return [size.evaluate(sizes) for size in kind.shape]


@settings(
    max_examples=40 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(text=programs(), seed=st.integers(0, 2**32))
def test_random_programs_agree_with_torch(text: str, seed: int) -> None:
    net = network(text)
    if net is None:
        return
    module = unchecked(net.to_torch(device="meta").eval())
    assert sum(item.numel() for item in module.parameters()) == net.parameters
    for sizes in some_sizes(net, seed):
        shapes = [at(kind, sizes) for item in net.inputs for kind in item.types]
        inferred = [at(kind, sizes) for item in net.outputs for kind in item.types]
        found = ran(module, shapes)
        agrees = found is not None and found[0] == inferred
        accepted = net.accepts(**sizes)
        if agrees and not accepted and (broadcasts(net, sizes) or refused(net, shapes)):
            agrees = False
        assert accepted == agrees, (sizes, found, inferred, text)
        if agrees:
            assert found is not None
            assert net.macs(**sizes) == found[1], (sizes, text)
