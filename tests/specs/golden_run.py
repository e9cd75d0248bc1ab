"""A network with the weights and inputs of a golden file, and the comparison of its outputs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import torch

from archspec.analysis.parameters import table
from archspec.network import Network
from tests.specs.golden import Golden, assert_agrees


def assert_state(network: Network, reference: Golden) -> None:
    """Assert that floating tensors of the state dict have the names and shapes of the file.

    Files differ in whether `state` has the tensors that are listed elsewhere too: second names of
    tensors, constants, and buffers that are not filled, which may be transient.
    """
    entries = {entry.name: entry for entry in table(network.compiled)}
    elsewhere = {*reference.aliases, *reference.fixed, *reference.kept}
    state = {
        name: entry.shape
        for name, entry in entries.items()
        if entry.persistent and entry.dtype.value == "f32"
    }
    assert _without(state, elsewhere) == _without(reference.state, elsewhere)
    assert {name: entries[name].shape for name in reference.kept} == reference.kept
    assert {name: entries[name].tied for name in reference.aliases} == reference.aliases
    assert reference.fixed.keys() <= state.keys()


def _without(tensors: dict[str, tuple[int, ...]], names: set[str]) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in tensors.items() if name not in names}


def assert_outputs(network: Network, reference: Golden, how: Mapping[str, Any]) -> None:
    """Assert that the outputs for the inputs of the file are those of the file, as for `how`."""
    found = run(network, reference, how.get("double", False), how.get("unused", ()))
    if "gates" in how:
        gates = found[how["gates"]]
        numpy.testing.assert_array_equal(gates, numpy.asarray(reference.gates, gates.dtype))
    chosen = [found[name] for name in how.get("outputs", found)]
    assert len(chosen) == len(reference.outputs)
    for values, wanted in zip(chosen, reference.outputs, strict=True):
        assert_agrees(values, wanted, how.get("tolerance", 1e-3), norm=1e-3)


def run(
    network: Network, reference: Golden, double: bool = False, unused: Sequence[str] = ()
) -> dict[str, numpy.ndarray]:
    """The outputs in inference, by name; `sides[0]` and so on for an output of several tensors.

    Inputs of the reference that are `unused` are not passed.
    """
    module = filled(network, reference)
    inputs = [
        torch.from_numpy(given)
        for name, given in zip(reference.inputs, reference.arguments(), strict=True)
        if name not in unused
    ]
    if double:
        module = module.double()
        inputs = [given.double() if given.is_floating_point() else given for given in inputs]
    with torch.inference_mode():
        results = module(*inputs)
    names = [
        output.name if len(output.types) == 1 else f"{output.name}[{i}]"
        for output in network.outputs
        for i in range(len(output.types))
    ]
    return dict(zip(names, flat(results), strict=True))


def flat(results: torch.Tensor | Sequence[Any]) -> list[numpy.ndarray]:
    """The tensors of a result, as arrays."""
    if isinstance(results, torch.Tensor):
        return [results.numpy()]
    return [array for result in results for array in flat(result)]


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
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            values = reference.value(name, tuple(tensor.shape))
            if tensor.is_floating_point() and values is not None:
                tensor.copy_(torch.from_numpy(numpy.array(values)))
    return module.eval()
