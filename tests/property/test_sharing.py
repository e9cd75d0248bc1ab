"""Shared, tapped, extracted and folded layers agree with torch at each size.

For random programs the inferred shapes, parameters and multiply-adds are compared with those of the
module, in both modes, at the reported sizes and at others.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from tests.property.sharing import programs
from tests.property.test_programs import EXPLORE, at, network

torch = pytest.importorskip("torch")


def sizes_of(net: Network, seed: int) -> list[dict[str, int]]:
    """The reported sizes, and others that are accepted in both modes."""
    chance = random.Random(seed)
    tried = [dict(net.compiled.sizes)]
    tried += [{name: chance.randint(1, 30) for name in tried[0]} for _ in range(30)]
    both = [one for one in tried if net.accepts(**one) and net.accepts(training=True, **one)]
    return both[:3]


def compare(net: Network, seed: int, text: str) -> None:
    """Compare what the compiler infers with what the module does."""
    from torch.utils._pytree import tree_leaves
    from torch.utils.flop_counter import FlopCounterMode

    device = "cpu" if "gated" in text else "meta"  # a gate needs a value
    module = net.to_torch(device=device)
    assert sum(item.numel() for item in module.parameters()) == net.parameters, text
    taken = sizes_of(net, seed)
    for training in (False, True) if taken else ():
        resized = Network(replace(net.compiled, sizes=taken[0]))  # the spec may report others
        report = resized.report(training=training)
        for sizes in taken:
            shapes = [at(kind, sizes) for item in report.inputs for kind in item.types]
            data = [torch.rand(shape, device=device) for shape in shapes]
            expected = [at(kind, sizes) for item in report.outputs for kind in item.types]
            with torch.no_grad(), FlopCounterMode(display=False) as counter:
                try:
                    result = module.train(training)(*data)
                except ValueError as error:  # a norm over one value in training
                    if "more than 1 value per channel" in str(error):
                        continue
                    raise
            assert [list(item.shape) for item in tree_leaves(result)] == expected, (sizes, text)
            counted = counter.get_total_flops() // 2
            assert counted == report.macs.evaluate(sizes), (sizes, training, text)


@settings(
    max_examples=60 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(text=programs(), seed=st.integers(0, 2**32))
def test_each_use_agrees_with_torch(text: str, seed: int) -> None:
    net = network(text)
    if net is None:
        return
    compare(net, seed, text)
    compare(net.fold(), seed, text)
    if "-> join" in text:
        try:
            column = net.extract(column=1 + seed % 2)
        except CompileFailed as failed:
            if [item.code for item in failed.diagnostics] == ["E0902"]:
                return
            raise
        event("extracted")
        compare(column, seed, text)
