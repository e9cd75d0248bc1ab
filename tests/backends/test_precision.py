"""Arithmetic on positions is float32, whatever the type of the module is."""

import math

import pytest
import torch

from archspec_torch.module import to_module
from archspec_torch.source import python_source
from tests.backends.scripts import script

BUCKETS = """
network net {
  input ids: i64[B = 1, N = 200]
  far = (arange(N) -> unsqueeze(0)) - (arange(N) -> unsqueeze(1))
  behind = (0 - far) -> clamp(low=0)
  spread = ((behind -> cast(f32) -> clamp(low=1.0)) / 16) -> log
  large = (((spread / log(8.0) * 16) -> cast(i64)) + 16) -> clamp(high=31)
  bucket = (behind < 16, behind, large) -> where
  output bucket
  output bias = bucket -> bias: embedding(32, 2)
}
"""


def t5_buckets(n):
    """`_relative_position_bucket` of transformers, for a decoder."""
    place = torch.arange(n)
    behind = -torch.min(place[None, :] - place[:, None], torch.zeros(n, n, dtype=torch.int64))
    large = 16 + (torch.log(behind.float() / 16) / math.log(128 / 16) * 16).to(torch.int64)
    return torch.where(behind < 16, behind, torch.min(large, torch.full_like(large, 31)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_t5_buckets_do_not_depend_on_the_dtype_of_the_module(network, dtype):
    model = to_module(network(BUCKETS).compiled, dtype=dtype)
    ids = torch.zeros(1, 200, dtype=torch.int64)
    for one in (model, script(model)):
        found = one(ids)
        assert torch.equal(found.bucket, t5_buckets(200))
        assert found.bias.dtype == dtype


ROTATED = """
network net {
  input x: f32[B = 1, N = 300, 4]
  rate = (arange(4) -> cast(f32)) / 4 -> exp
  angle = (arange(N) -> cast(f32) -> unsqueeze(1)) * rate
  output y = x * (angle -> sin) + (angle -> cos)
  output angle
}
"""


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_sinusoidal_positions_are_rounded_once(network, dtype):
    model = to_module(network(ROTATED).compiled, dtype=dtype)
    x = torch.randn(1, 300, 4, dtype=dtype)
    angle = torch.arange(300.0)[:, None] * torch.exp(torch.arange(4.0) / 4)
    for one in (model, script(model)):
        found = one(x)
        assert torch.equal(found.angle, angle.to(dtype))
        assert torch.equal(found.y, x * angle.sin().to(dtype) + angle.cos().to(dtype))


def test_values_with_floating_data_have_the_type_of_the_module(network):
    text = """
network net {
  input x: f32[B = 1, N = 6]
  param scale: f32[1] = ones
  place = arange(N) -> cast(f32)
  warm = place * 0.5 + 1.0
  output a = place * scale
  output b = (warm, x) -> concat(axis=0) when training
  output c = (x > warm) -> cast(f32)
  output d = warm -> unsqueeze(0)
}
"""
    net = network(text.replace("(warm, x)", "(warm -> unsqueeze(0), x)"))
    model = to_module(net.compiled, dtype=torch.bfloat16).train()
    for one in (model, script(model)):
        found = one(torch.ones(1, 6, dtype=torch.bfloat16))
        assert {value.dtype for value in found} == {torch.bfloat16}
        assert found.c.tolist() == [[0.0] * 6]


def test_cast_directly_combined_with_data_is_written_unchanged(network):
    text = """
network net {
  input x: f32[B = 1, N = 6]
  output x * (arange(N) -> cast(f32) -> flip(axes=[0]))
}
"""
    source, _ = python_source(network(text).compiled)
    assert "float32" not in source


def test_a_buffer_of_positions_in_a_narrow_type(network):
    text = """
network net {
  input x: f32[B = 1, 300]
  buffer table: f32[300] = positions
  output x * table
}
inline block positions {
  output (arange(300) -> cast(f32)) * 0.5 -> sin
}
"""
    expected = (torch.arange(300.0) * 0.5).sin().to(torch.bfloat16)
    model = to_module(network(text).compiled, dtype=torch.bfloat16)
    assert torch.equal(model(torch.ones(1, 300, dtype=torch.bfloat16))[0], expected)
