"""Shipped networks have the tensors of their references, and compute the same."""

import numpy
import pytest
import torch

from archspec.analysis.parameters import table
from archspec.network import Network
from archspec.shipped import networks
from tests.specs.compiled import shipped
from tests.specs.families import merged, options
from tests.specs.golden import NAMES, Golden, assert_agrees, fill, golden, probe

HOW = merged("golden")
"""Options if the run is for another size than the preset's, `slow` for over 60 million weights, and
if float32 and float64 differ by more than 1e-3 of std either `double`, to run in float64, or a
`tolerance` (of std)."""

RUNS = [
    pytest.param(name, marks=[pytest.mark.slow] * HOW.get(name, {}).get("slow", False))
    for name in NAMES
]


def state(network: Network) -> dict[str, tuple[int, ...]]:
    return {
        entry.name: entry.shape
        for entry in table(network.compiled)
        if entry.persistent and entry.dtype.value == "f32"
    }


def test_there_are_golden_files():
    assert len(NAMES) >= 6


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_of_this_name_is_shipped(name):
    assert name in networks()


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_are_those_of_the_reference(name):
    assert state(shipped(name)) == golden(name).state


@pytest.mark.parametrize("name", NAMES)
def test_as_many_parameters_as_the_reference(name):
    assert shipped(name).parameters == golden(name).parameters


@pytest.mark.parametrize("name", RUNS)
def test_outputs_are_those_of_the_reference(name):
    reference = golden(name)
    how = HOW.get(name, {})
    module = filled(shipped(name, **options(how)), reference)
    image = torch.from_numpy(probe(reference.input))
    if how.get("double"):
        module, image = module.double(), image.double()
    with torch.inference_mode():
        results = module(image)
    tensors = (results,) if isinstance(results, torch.Tensor) else results
    found = [item.numpy() for item in tensors]
    assert len(found) == len(reference.outputs)
    for values, wanted in zip(found, reference.outputs, strict=True):
        assert_agrees(values, wanted, how.get("tolerance", 1e-3), norm=1e-3)


def filled(network: Network, reference: Golden) -> torch.nn.Module:
    """The network in eval mode with the reference's weights. Integer buffers keep their values."""
    computed = [
        entry
        for entry in table(network.compiled)
        if not entry.learnable and entry.op not in {"batch_norm"}
    ]
    if computed:
        module = network.to_torch()
    else:  # random initialisation of weights that are then replaced would take most of the time
        module = network.to_torch(device="meta").to_empty(device="cpu")
    tensors = module.state_dict()
    for name, tensor in tensors.items():
        if tensor.is_floating_point():
            values = numpy.asarray(fill(name, tuple(tensor.shape), reference.gain))
            tensor.copy_(torch.from_numpy(values))
    return module.eval()
