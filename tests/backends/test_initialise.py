"""`initialise` sets everything in a network as its constructor does, with the same draws."""

import pickle

import pytest
import torch

import archspec
from archspec_torch.module import load_source
from archspec_torch.source import python_source
from tests.backends.specs import PLACED

LAYERS = (
    PLACED
    + """block inner {
  input x: [B, N, D]
  init linear.bias = normal(std=0.1)
  output x -> linear(D, weight_init=uniform(0.0, 1.0)) -> attend: multihead_attention(2)
}
network net {
  input x: f32[B = 2, 3, 8]
  init linear.weight = normal(std=0.5)
  y, _, _ = x -> lstm(8, layers=2)
  output y -> a: placed -> b: inner -> head: linear(4) -> layer_norm -> prelu
}
"""
)

NORMED = """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  init conv.weight = normal(std=3.0)
  a = x -> conv(4, 3, parametrization=weight_norm) -> batch_norm -> relu
    -> conv_transpose(4, 2, parametrization=weight_norm)
  output a -> conv(4, 3, parametrization=spectral_norm) -> frozen_batch_norm
    -> conv_transpose(4, 2, parametrization=spectral_norm)
    -> conv(2, 3) -> global_avg_pool -> linear(3, parametrization=spectral_norm)
}
"""

TIED = """
network net(words: int = 11, dim: int = 6) {
  input ids: i64[B = 1, T = 4]
  init embedding.weight = normal(std=0.02)
  x = ids -> table: embedding(words, dim) -> body: linear(dim)
  output logits = x -> head: linear(words, bias=false)
  tie "head.weight" = "table.weight"
}
"""

SHARED = """
network net {
  input x: f32[B = 1, 6]
  input y: f32[B, 6]
  shared f = linear(6) -> relu -> linear(6)
  output (x -> f, y -> f) -> add -> last: linear(2)
}
"""

ADDED = """
block self_attention { input x: [B, D]
  output x -> q: linear(D) -> o: linear(D) }
block stack { input x: [B, D]
  param scale: f32[D] = normal
  y = x -> for i in 0..2 { "layer.{i}.attend": self_attention }
  z = x -> "layer.0.attend.more": linear(D)
  output (y + z) * scale -> out: linear(D) }
network net {
  input x: f32[B = 1, 4]
  output x -> a: stack -> b: stack -> linear(2)
}
"""

NESTED = f"""
network net {{
  input x: f32[B = 1, 4]
  output x -> first: linear(4) -> "{".".join("abcdefghijk")}": linear(4) -> "a.b.z": linear(4)
    -> "a.y": linear(4) -> last: linear(2)
}}
"""

SPECS = {
    "layers": LAYERS,
    "normed": NORMED,
    "tied": TIED,
    "shared": SHARED,
    "added": ADDED,
    "nested": NESTED,
}

SHIPPED = {
    "swin_t": {},
    "inception_v3": {},
    "siglip": {"dim": 64, "depth": 2, "words": 50, "size": 32},
    "cait_xxs24_224": {"depth": 2},
    "tests/tied/t5.arch": {},
    "tests/tied/gpt2.arch": {},
}


def tensors(module):
    named = (*module.named_parameters(remove_duplicate=False), *module.named_buffers())
    return dict(named)


def must_be_equal(one, two):
    first, second = tensors(one), tensors(two)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert len([*one.parameters()]) == len([*two.parameters()])


def check(net):
    source, name = python_source(net.compiled)
    kind = getattr(load_source(source), name)
    torch.manual_seed(3)
    known = kind()
    following = torch.rand(1)
    with torch.device("meta"):
        module = kind()
    module = module.to_empty(device="cpu")
    for tensor in tensors(module).values():
        tensor.data.fill_(7)
    for _ in range(2):
        torch.manual_seed(3)
        module.initialise()
        assert torch.equal(torch.rand(1), following)
        must_be_equal(known, module)
    torch.manual_seed(4)
    module.initialise()
    before = [*known.parameters()]
    torch.manual_seed(4)
    known.initialise()
    must_be_equal(known, module)
    assert all(one is two for one, two in zip(before, known.parameters(), strict=True))
    assert not torch.equal(following, torch.rand(1))
    must_be_equal(pickle.loads(pickle.dumps(known)), known)


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_initialise_equals_the_constructor(network, text):
    check(network(text))


@pytest.mark.parametrize("name", SHIPPED)
def test_initialise_equals_the_constructor_for_shipped_networks(name):
    check(archspec.load(name, **SHIPPED[name]))


def test_a_module_without_tensors_has_nothing_to_initialise(network):
    module = network("network net { input x: f32[B = 1, 4]\n output x -> relu }").to_torch()
    assert not hasattr(module, "initialise")
