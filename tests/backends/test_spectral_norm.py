"""Weights divided by their largest singular value, as in torch."""

import warnings
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

LAYERS = {
    "conv1d": ("conv(4, 3)", nn.Conv1d(3, 4, 3, padding=1), (9,)),
    "conv2d": ("conv(4, 3, stride=2)", nn.Conv2d(3, 4, 3, 2, padding=1), (7, 9)),
    "conv3d": ("conv(4, 3)", nn.Conv3d(3, 4, 3, padding=1), (4, 5, 6)),
    "grouped": (
        "conv(6, 3, groups=3, bias=false)",
        nn.Conv2d(3, 6, 3, padding=1, groups=3, bias=False),
        (7, 9),
    ),
    "transposed": (
        "conv_transpose(5, 4, stride=2, padding=1)",
        nn.ConvTranspose2d(3, 5, 4, 2, 1),
        (5, 4),
    ),
    "linear": ("linear(7)", nn.Linear(8, 7), (8,)),
}


def both(network, kind):
    layer, theirs, shape = LAYERS[kind]
    sizes = ", ".join(["B = 2", "3", *map(str, shape)])
    layer = f"{layer[:-1]}, parametrization=spectral_norm)"
    ours = network(f"network n {{\n input x: f32[{sizes}]\n output x -> it: {layer}\n}}").to_torch()
    theirs = parametrizations.spectral_norm(type(theirs)(*arguments(theirs)))
    return ours.double(), theirs.double(), torch.randn(2, 3, *shape, dtype=torch.float64)


def arguments(module):
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    given = [module.in_channels, module.out_channels, module.kernel_size, module.stride]
    if isinstance(module, nn.ConvTranspose2d):
        return *given, module.padding
    return *given, module.padding, module.dilation, module.groups, module.bias is not None


@pytest.mark.parametrize("kind", LAYERS)
def test_values_gradients_and_names_agree_with_torch(network, kind):
    ours, theirs, x = both(network, kind)
    state = theirs.state_dict()
    assert [key.removeprefix("it.") for key in sorted(ours.state_dict())] == sorted(state)
    ours.it.load_state_dict(state)
    scripted = script(deepcopy(ours))
    scripted.it.load_state_dict(state)
    for training in (True, True, False, True, False):  # power iteration only runs in training
        for module in (ours, scripted, theirs):
            module.train(training)
        wanted = theirs(x)
        for module in (ours, scripted):
            found = module(x)
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
            for key, value in theirs.state_dict().items():
                torch.testing.assert_close(
                    module.state_dict()[f"it.{key}"], value, atol=1e-12, rtol=0
                )
            torch.testing.assert_close(
                gradient(found, module.it.parametrizations.weight.original),
                gradient(wanted, theirs.parametrizations.weight.original),
                rtol=0,
                atol=1e-12,
            )


def gradient(result, weight):
    return torch.autograd.grad(result.sin().sum(), weight, retain_graph=True)[0]


def script(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(module)


def test_largest_singular_value_becomes_one(network):
    ours, _, x = both(network, "linear")
    for _ in range(200):
        ours.train()(x)
    weight = ours.eval().it.parametrizations["weight"]()
    torch.testing.assert_close(
        torch.linalg.matrix_norm(weight, 2), torch.tensor(1.0, dtype=torch.float64)
    )


def test_folding_does_not_change_spectral_norm(network):
    net = network(
        """
network n {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> a: conv(4, 3, parametrization=spectral_norm) -> b: batch_norm
}
"""
    )
    assert net.fold().parameters == net.parameters
