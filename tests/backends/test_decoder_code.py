"""The code of an encoder and a decoder whose loops read masks, biases and a memory, as in T5."""

import inspect
from types import ModuleType

import pytest
import torch

import archspec
from archspec_torch.source import python_source

SPEC = """
inline block buckets_of(buckets: int, longest: int, both: bool) {
  input offset: [N, M]
  half = if both then buckets // 2 else buckets
  exact = half // 2
  distance = if both { offset -> abs } else { (-offset) -> clamp(low=0) }
  scaled = ((distance -> cast(f32) -> clamp(low=1.0)) / exact -> log) / log(longest / exact)
  far = ((scaled * (half - exact) -> cast(i64)) + exact) -> clamp(high=half - 1)
  bucket = (distance < exact, distance, far) -> where
  output if both { bucket + ((offset > 0) -> cast(i64)) * half } else { bucket }
}
block relative_bias(heads: int, buckets: int, longest: int, both: bool) {
  input q: [B, N, D], k: [B, M, D]
  output ((arange(M) -> unsqueeze(0)) - (arange(N) -> unsqueeze(1)))
    -> buckets_of(buckets, longest, both) -> embedding: embedding(buckets, heads)
    -> rearrange("n m h -> 1 h n m")
}
block attention(heads: int, key: int) {
  input x: [B, N, D], context: [B, M, D], bias
  q = x -> q: linear(heads * key) -> rearrange("b n (h d) -> b h n d", h=heads)
  k = context -> k: linear(heads * key) -> rearrange("b m (h d) -> b h m d", h=heads)
  v = context -> v: linear(heads * key) -> rearrange("b m (h d) -> b h m d", h=heads)
  scores = (q, k) -> einsum("b h n d, b h m d -> b h n m")
  output ((scores + bias) -> softmax, v) -> matmul -> rearrange("b h n d -> b n (h d)")
    -> o: linear(D)
}
network t5(vocab: int = 20, dim: int = 12, key: int = 6, depth: int = 3, heads: int = 2,
           buckets: int = 8, longest: int = 16, drop: float = 0.1) {
  input source: i64[B = 2, N = 9], target: i64[B, M = 7], source_mask: bool[B, N]
  shared embed = shared: embedding(vocab, dim)
  mask = source_mask -> where(0.0, -1e9) -> rearrange("b n -> b 1 1 n")
  x = source -> embed
  bias = ((x, x) -> encoder_bias: relative_bias(heads, buckets, longest, true)) + mask
  memory = x -> for i in 0..depth {
    input x
    y = x -> "encoder.{i}.norm": rms_norm
    output x + ((y, y, bias) -> "encoder.{i}.attention": attention(heads, key) -> dropout(drop))
  }
  t = target -> embed
  causal = ((arange(M) -> unsqueeze(0)) > (arange(M) -> unsqueeze(1))) -> where(-1e9, 0.0)
  self_bias = ((t, t) -> decoder_bias: relative_bias(heads, buckets, longest, false)) + causal
  y = t -> for i in 0..depth {
    input x
    a = x -> "decoder.{i}.norm1": rms_norm
    y = x + ((a, a, self_bias) -> "decoder.{i}.self_attention": attention(heads, key))
    b = y -> "decoder.{i}.norm2": rms_norm
    output y + ((b, memory, mask) -> "decoder.{i}.cross_attention": attention(heads, key))
  }
  output logits = (y * dim ** -0.5) -> head: linear(vocab, bias=false)
}
"""
OTHER = {"vocab": 24, "dim": 16, "key": 4, "heads": 4, "buckets": 12, "longest": 30, "drop": 0.3}


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    path = tmp_path_factory.mktemp("specs") / "t5.arch"
    path.write_text(f"language 1\n{SPEC}", encoding="utf-8")
    return lambda **values: archspec.load(path, **values)


@pytest.fixture(scope="module")
def text(load):
    return python_source(load().compiled)[0]


def classes_in(text):
    module = ModuleType("generated")
    exec(compile(text, "generated", "exec"), module.__dict__)
    return module


def arguments(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_what_every_iteration_reads_has_its_name_in_the_spec(text):
    module = classes_in(text)
    assert arguments(module.EncoderLayer.forward) == ["x", "bias"]
    assert arguments(module.DecoderLayer.forward) == ["x", "self_bias", "memory", "mask"]
    assert "memory = encoder(memory, bias)" in text
    assert "decoder(y, self_bias, memory, mask)" in text


def test_comparisons_of_data_leave_the_parameters_arguments(load, text):
    module = classes_in(text)
    assert arguments(module.T5.__init__) == list(OTHER)
    assert "Fixed in this file: `depth = 3`." in module.T5.__doc__
    torch.manual_seed(0)
    one = module.T5(**OTHER).eval()
    torch.manual_seed(0)
    two = load(**OTHER).to_torch().eval()
    two.load_state_dict(one.state_dict())
    inputs = one.example_inputs()
    assert torch.equal(one(*inputs), two(*inputs))


def test_derived_numbers_are_expressions_of_the_names(text):
    for part in (
        "half = self.buckets // 2 if self.both else self.buckets\n        exact = half // 2",
        "/ math.log(self.longest / exact)",
        "distance < exact",
        ".clamp(max=half - 1)",
        "self.dim ** -0.5",
    ):
        assert part in text
