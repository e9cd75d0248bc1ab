"""Memory of eager inference: dead values are not kept, and activations are written in place."""

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archspec
from archspec_torch.module import to_module
from archspec_torch.source import python_source


class LiveBytes(TorchDispatchMode):
    """The peak memory of live results, in bytes, without weights."""

    def __init__(self, module):
        super().__init__()
        self.live, self.peak = {}, 0
        self.weights = {
            StorageWeakRef(t.untyped_storage()).cdata for t in module.state_dict().values()
        }

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, torch.Tensor):
                place = StorageWeakRef(value.untyped_storage())
                if place.cdata not in self.weights:
                    self.live[place.cdata] = (place, value.untyped_storage().nbytes())
        self.live = {key: item for key, item in self.live.items() if not item[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self.live.values()))
        return result


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [("resnet50", 10.05), ("resnet18", 6.2), ("vgg16_bn", 24.6)],
)
def test_peak_memory_equals_that_of_torchvision(name, megabytes):
    """The numbers are those of torchvision 0.29 for a 224 by 224 image, measured in the same
    way."""
    module = archspec.load(name).to_torch().eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad(), LiveBytes(module) as found:
        module(image)
    assert found.peak / 2**20 < megabytes


IN_PLACE = """
block plain {{ conv(4, 3) -> batch_norm }}
block twice {{ conv(4, 3) -> [identity, sigmoid] -> add }}
block hands_on {{ identity }}
network net {{
  input x: f32[B = 2, 4, 6, 6]
  output y = x -> {first} -> a: {act} -> conv(2, 3)
}}
"""


@pytest.mark.parametrize(
    ("first", "overwritten"),
    [
        ("conv(4, 3)", True),
        ("plain", True),
        ("twice", True),
        ("conv(4, 3) -> [identity, tanh] -> concat(axis=1)", True),
        ("identity", False),
        ("hands_on", False),
        ("sigmoid", False),
        ("exp", False),
        ("dropout(0.0)", False),
        ("flip(axes=2)", False),
        ("drop_path(0.2)", False),
    ],
)
@pytest.mark.parametrize("act", ["relu", "leaky_relu(0.1)", "elu", "silu", "leaky_relu(-0.5)"])
def test_in_place_only_if_the_input_is_not_read_again(network, first, act, overwritten):
    compiled = network(IN_PLACE.format(first=first, act=act)).compiled
    text, _ = python_source(compiled)
    assert ("inplace=True" in text) == (overwritten and act in ("relu", "leaky_relu(0.1)", "elu"))
    module = to_module(compiled).eval()
    x = torch.randn(2, 4, 6, 6, requires_grad=True)
    before = x.detach().clone()
    module(x).square().sum().backward()
    assert torch.equal(x, before)
    double = module.double()
    values = torch.randn(1, 4, 6, 6, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(double, (values,), nondet_tol=1e-9)


def test_a_value_that_is_read_twice_is_not_overwritten(network):
    text = """
    network net {
      input x: f32[B = 1, 4, 8, 8]
      y = x -> conv(4, 3)
      output z = (y -> relu, y) -> add
    }
    """
    assert "inplace" not in python_source(network(text).compiled)[0]


def test_intermediate_results_take_the_name_of_their_binding(network):
    text = """
    network net {
      input x: f32[B = 1, 4]
      f = x -> linear(4) -> gelu -> linear(4)
      output y = x + f
    }
    """
    source = python_source(network(text).compiled)[0]
    assert "f = F.gelu(f)" in source
    assert "y = " not in source.partition("def forward")[2].replace("y = f", "")
