"""Unused values are not computed: torch agrees about costs, sizes and unused weights."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.test_programs import EXPLORE, at, network, some_sizes
from tests.property.unused import programs
from tests.unchecked import unchecked

torch = pytest.importorskip("torch")
FlopCounterMode = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode


def tensors(result):
    """All tensors in a result."""
    if isinstance(result, torch.Tensor):
        yield result
    elif result is not None:
        for item in result:
            yield from tensors(item)


def computed_macs(module, shapes):
    """The multiply-adds that torch counts, or None if it raises."""
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), counter:
            module(*(torch.empty(shape, device="meta") for shape in shapes))
    except (RuntimeError, ValueError, ZeroDivisionError):
        return None
    return counter.get_total_flops() // 2


def without_gradient(net):
    """Names of the parameters that have a gradient in neither mode."""
    module = unchecked(net.to_torch())
    data = torch.zeros(2, 3, 24, 24)
    for training in (True, False):
        results = list(tensors(module.train(training)(data)))
        total = sum(item.sum() for item in results)
        if total.requires_grad:
            total.backward()
    return {name: item.numel() for name, item in module.named_parameters() if item.grad is None}


@settings(
    max_examples=60 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=programs(), seed=st.integers(0, 2**32))
def test_counted_macs_agree_with_torch(text: str, seed: int) -> None:
    net = network(text)
    if net is None:
        return
    module = unchecked(net.to_torch(device="meta").eval())
    for training in (False, True):
        module.train(training)
        if training and "drop" in text:
            continue  # it is random which values are computed
        macs = net.report(training=training).macs
        for sizes in some_sizes(net, seed)[:6]:
            shapes = [at(kind, sizes) for item in net.inputs for kind in item.types]
            found = computed_macs(module, shapes)
            assert net.accepts(**sizes, training=training) == (found is not None), (sizes, text)
            if found is not None:
                assert macs.evaluate(sizes) == found, (training, sizes, text)


@settings(
    max_examples=60 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=programs().filter(lambda text: "drop" not in text))
def test_unused_weights_are_those_without_gradient(text: str) -> None:
    net = network(text)
    if net is None or not net.accepts() or not net.accepts(training=True):
        return
    lost = without_gradient(net)
    assert net.unused_parameters == sum(lost.values()), (lost, text)
    assert bool(lost) == any(item.code == "W0701" for item in net.warnings), text
