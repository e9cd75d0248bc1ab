"""Modules on the meta device, and initial values of tensors that a module itself owns."""

import copy

import pytest
import torch
from torch import nn

import archspec
from archspec_torch.module import to_module
from tests.backends.sources import source
from tests.backends.specs import PLACED

TRANSIENT = (
    PLACED
    + """network net {
  input x: f32[B = 2, 3, 4]
  output y = x -> linear(6) -> a: placed -> head: linear(2)
}
"""
)

NOISY = """
network net {
  input ids: i64[B = 2, 3]
  output y = ids -> table: embedding(5, 4) -> layer_norm
  output n = (arange(3) -> cast(f32)) -> linear(2)
}
"""


def compiled(network, text):
    return network(text).compiled


@pytest.mark.parametrize("text", [TRANSIENT, NOISY])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_assigning_restores_tensors_outside_the_state_dict(network, text, dtype):
    one = to_module(compiled(network, text), seed=1, dtype=dtype).eval()
    two = to_module(compiled(network, text), device="meta").eval()
    two.load_state_dict(one.state_dict(), assign=True)
    assert not any(value.is_meta for value in (*two.parameters(), *two.buffers()))
    x = torch.arange(6).reshape(2, 3) % 5 if text is NOISY else torch.randn(2, 3, 4, dtype=dtype)
    torch.testing.assert_close(two(x), one(x))


def test_to_empty_restores_tensors_outside_the_state_dict(network):
    one = to_module(compiled(network, TRANSIENT), seed=1)
    two = to_module(compiled(network, TRANSIENT), device="meta").to_empty(device="cpu")
    two.load_state_dict(one.state_dict())
    x = torch.randn(2, 3, 4)
    torch.testing.assert_close(two(x), one(x))


def test_reset_parameters_sets_all_own_tensors(network):
    one = to_module(compiled(network, TRANSIENT), seed=1)
    two = copy.deepcopy(one).to_empty(device="cpu")
    for tensor in (*two.parameters(), *two.buffers()):
        tensor.data.fill_(7)
    two.a.reset_parameters()
    assert torch.equal(two.a.lost, one.a.lost)
    assert torch.equal(two.a.kept, one.a.kept)
    assert 0 < two.a.scale.std() < 0.5
    assert (two.head.weight == 7).all()


@pytest.mark.parametrize("name", ["swin_t", "halonet26t", "levit_128s"])
def test_networks_from_meta(name):
    net = archspec.load(name)
    module = net.to_torch(device="meta").to_empty(device="cpu").eval()
    for part in module.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    assert all(value.isfinite().all() for value in (*module.parameters(), *module.buffers()))
    known = net.to_torch(seed=2).eval()
    other = net.to_torch(device="meta").eval()
    other.load_state_dict(known.state_dict(), assign=True)
    for values in zip(known.buffers(), other.buffers(), strict=True):
        assert torch.equal(*values)


@pytest.mark.parametrize(
    "layer",
    [
        'conv(4, 3, parametrization="weight_norm")',
        'conv(4, 3, parametrization="spectral_norm")',
        'conv_transpose(4, 2, stride=2, parametrization="weight_norm")',
        'conv_transpose(4, 2, stride=2, parametrization="spectral_norm")',
        'flatten -> linear(4, parametrization="weight_norm")',
        'flatten -> linear(4, parametrization="spectral_norm")',
        "frozen_batch_norm",
    ],
)
def test_every_module_that_owns_tensors_has_reset_parameters(network, layer):
    text = f"network net {{\n  input x: f32[B = 1, 3, 8, 8]\n  output y = x -> {layer}\n}}\n"
    module = to_module(compiled(network, text)).eval()
    owners = [
        part
        for part in module.modules()
        if [*part.parameters(recurse=False), *part.buffers(recurse=False)]
    ]
    x = torch.randn(1, 3, 8, 8)
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data.fill_(float("nan"))
    for part in reversed(owners):
        part.reset_parameters()
    for part in owners:
        part.reset_parameters()
    assert module(x).isfinite().all()
    assert [*module.state_dict()] == [*to_module(compiled(network, text)).state_dict()]


def test_modules_are_created_on_the_default_device(network):
    with torch.device("meta"):
        module = network(TRANSIENT).to_torch()
    assert all(value.is_meta for value in (*module.parameters(), *module.buffers()))
    with torch.device("meta"):
        module = network(TRANSIENT).to_torch(device="cpu")
    assert not any(value.is_meta for value in (*module.parameters(), *module.buffers()))
    assert isinstance(module, nn.Module)


BIAS = """
block bias(N: dim, heads: int) {
  output ((arange(N) -> unsqueeze(0)) - (arange(N) -> unsqueeze(1)) -> abs -> clamp(high=7))
    -> embedding(8, heads)
}
network net(heads: int = 2) {
  input ids: i64[B = 1, N = 5], mask: bool[B, N]
  table = shared: param([9, heads], normal(std=1.0))
  x = (table, ids) -> take(axis=0)
  output y = x + (bias(N, heads) -> mean(axis=0)) + (mask -> where(0.0, -1.0) -> unsqueeze(2))
}
"""


def test_a_block_without_floating_inputs_reads_type_and_device_of_a_weight(network):
    net = network(BIAS)
    text = source(net)
    assert "device = self.embedding.weight.device" in text
    assert "dtype = self.shared.dtype" in text
    assert "TransientBuffers" not in text
    module = net.to_torch()
    inputs = module.example_inputs()
    assert module.half()(*inputs).dtype == torch.float16
    assert module.to("meta")(*(value.to("meta") for value in inputs)).is_meta
