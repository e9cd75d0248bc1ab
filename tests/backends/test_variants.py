"""Specialisations that differ in a flag, in a clause of a rule, or in numbers are one class."""

import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from tests.backends.sources import source

PROJECTED = """
block unit(width: int, stride: int = 1) {
  input x: [B, C, H, W]
  f = x -> conv1: conv(width, 3, stride) -> bn1: batch_norm -> relu -> conv2: conv(width, 3)
  s = x -> if stride != 1 or C != width { downsample: (conv(width, 1, stride) -> batch_norm) }
  output (f + s) -> relu
}
network net {
  input image: f32[B = 2, 8, H = 8, W = 8]
  output y = image -> a: unit(8) -> b: unit(16, 2) -> c: unit(16) -> d: unit(24)
}
"""


def test_layer_added_by_a_condition(network):
    text = source(network(PROJECTED))
    assert text.count("class Unit") == 1
    assert "if stride != 1 or in_channels != width:\n            self.downsample = nn." in text
    assert "        else:\n            self.downsample = None" in text
    assert "if self.downsample is not None:\n            x = self.downsample(x)" in text
    assert "self.c = Unit(in_channels=16, width=16)" in text


def test_the_other_variant_has_no_such_child(network):
    model = network(PROJECTED).to_torch()
    assert model.a.downsample is None
    assert [name for name, _ in model.a.named_children()] == ["conv1", "bn1", "conv2"]
    assert not any(name.startswith("a.downsample") for name in model.state_dict())
    assert "b.downsample.1.running_mean" in model.state_dict()


def test_code_under_a_condition_on_an_argument(network):
    net = network(
        """
block unit(shift: int) {
  input x: [B, N, D]
  k, v = x -> both: linear(2 * D) -> rearrange("b n (t d) -> t b n d", t=2) -> unbind(0)
  output (k + v) -> if shift > 0 { roll([shift], axes=[1]) -> gelu } -> last: linear(D)
}
network net {
  input x: f32[B = 2, N = 6, 8]
  output y = x -> a: unit(0) -> b: unit(2) -> c: unit(0) -> d: unit(3)
}
"""
    )
    text = source(net)
    assert text.count("class Unit") == 1
    assert "if self.shift > 0:" in text
    torch.jit.script(net.to_torch())


def test_a_recursive_rule_is_one_class(network):
    text = """
rule level(0, width) => conv: conv(width, 3)
rule level(n, width) => down: conv(width, 3)
  -> [identity, max_pool(2) -> inner: level(n - 1, 2 * width) -> up: conv_transpose(width, 2, 2)]
  -> concat
  -> conv: conv(width, 3)
network net {
  input x: f32[B = 1, 3, H = 16, W = 16]
  output y = x -> level: level(3, 4)
}
"""
    net = network(text)
    code = source(net)
    assert code.count("class Level") == 1
    assert "self.inner = Level(in_channels=width, n=n - 1, width=2 * width)" in code
    assert re.search(r"if n == 0:\s+self.conv = nn.Conv2d\(in_channels, width", code)
    model = net.to_torch()
    (x,) = model.example_inputs()
    torch.testing.assert_close(torch.jit.script(model)(x), model(x))


def test_two_flags_are_one_class(network):
    text = """
block unit(a: bool, b: bool) {
  input x: [B, C]
  output x -> first: linear(C) -> if a { norm: layer_norm } -> relu
    -> if b { extra: linear(C) -> gelu } -> last: linear(C)
}
network net {
  input x: f32[B = 2, 8]
  output y = x -> p: unit(false, false) -> q: unit(true, false) -> r: unit(false, true)
    -> s: unit(true, true)
}
"""
    code = source(network(text))
    assert code.count("class Unit") == 1
    assert "if a:" in code
    assert "if b:" in code


def test_ops_are_matched_by_the_names_of_their_values(network):
    """The first `clamp` of one specialisation computes another value than that of the other."""
    net = network(
        """
block bucket(buckets: int, far: int, both: bool) {
  input distance: [N, M]
  n = if both then buckets // 2 else buckets
  exact = n // 2
  side = if both { ((distance > 0) -> cast(i64)) * n } else { distance * 0 }
  d = if both { distance -> abs } else { (-distance) -> clamp(0) }
  ratio = ((d -> clamp(1) -> cast(f32)) / exact -> log) / log(far / exact)
  large = exact + (ratio * (n - exact) -> cast(i64)) -> clamp(0, n - 1)
  output side + ((d < exact, d, large) -> where)
}
network net {
  input x: i64[N = 8, M = 6]
  output y = (x -> a: bucket(32, 128, true)) + (x -> b: bucket(32, 128, false))
}
"""
    )
    text = source(net)
    assert text.count("class Bucket") == 1
    assert "if self.both:" in text
    model = net.to_torch()
    x = torch.arange(48).reshape(8, 6) - 24
    torch.testing.assert_close(torch.jit.script(model)(x), model(x))


def test_a_size_for_each_axis(network):
    code = source(
        network(
            """
block unit(width: int, kernel) { conv: conv(width, kernel) -> relu }
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output y = x -> a: unit(8, 3) -> b: unit(8, [1, 7])
}
"""
        )
    )
    assert code.count("class Unit") == 1
    assert "kernel: Union[int, Tuple[int, int]]" in code


def test_a_parameter_that_only_one_variant_owns(network):
    net = network(
        """
block unit(scaled: bool) {
  input x: [B, D]
  y = x -> linear: linear(D)
  output y -> if scaled { own }
}
inline block own {
  input x: [B, D]
  param scale: f32[D] = ones
  output x * scale
}
network net {
  input x: f32[B = 2, 8]
  output y = x -> a: unit(true) -> b: unit(false)
}
"""
    )
    code = source(net)
    assert code.count("class Unit") == 1
    with torch.device("meta"):
        model = net.to_torch()
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    torch.testing.assert_close(model.a.scale, torch.ones(8))
    torch.jit.script(model)


def test_variants_with_little_in_common_are_two_classes(network):
    code = source(
        network(
            """
block unit(deep: bool) {
  if deep { a: linear(8) -> relu -> b: linear(8) -> gelu -> c: linear(8) -> tanh }
  else { n: layer_norm -> sigmoid -> m: linear(8) -> softmax -> o: layer_norm }
}
network net {
  input x: f32[B = 2, 8]
  output y = x -> p: unit(true) -> q: unit(false)
}
"""
        )
    )
    assert code.count("class Unit") == 2


LAYERS = (
    "{n}: linear(8)",
    "{n}: layer_norm",
    "relu",
    "gelu",
    "dropout(0.5)",
    "{n}: linear(4) -> {n}_2: linear(8)",
)
CONDITIONS = ("a", "b > 1", "not a", "a and b > 0", "b == 2", "C != 8")


@st.composite
def programs(draw):
    """A body of stages, some of them conditional, and calls with values of `a` and `b`."""
    stages = []
    for number in range(draw(st.integers(2, 6))):
        layer = draw(st.sampled_from(LAYERS)).format(n=f"n{number}")
        condition = draw(st.sampled_from(("", "", *CONDITIONS)))
        other = ""
        if condition and draw(st.booleans()):
            other = draw(st.sampled_from(LAYERS)).format(n=f"m{number}")
        residual = draw(st.booleans())
        stages.append((layer, condition, other, residual))
    calls = draw(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=2, max_size=4))
    return stages, calls


def load(text):
    return Network(load_network(Source("net.arch", text))[0])


def written(stages, values=None):
    """The body of a block; with `values` of a and b, the statements whose conditions are true."""
    lines, name = [], "x"
    for at, (layer, condition, other, residual) in enumerate(stages):
        if values is not None and condition:
            a, b = values
            holds = eval(condition, {"a": a, "b": b, "C": 8})
            layer, condition = (layer if holds else other or "identity"), ""
        stage = layer
        if condition:
            stage = f"if {condition} {{ {layer} }}" + (f" else {{ {other} }}" if other else "")
        made = f"{name} -> {stage}" if not residual else f"{name} + ({name} -> {stage})"
        lines.append(f"  y{at} = {made}")
        name = f"y{at}"
    return "\n".join(["  input x: [B, C]", *lines, f"  output {name} -> last: linear(8)"])


@settings(max_examples=25, deadline=None)
@given(programs())
def test_shared_class_agrees_with_separate_blocks(program):
    stages, calls = program
    joined = f"block unit(a: bool, b: int) {{\n{written(stages)}\n}}\n"
    uses = " -> ".join(f"u{at}: unit({str(a).lower()}, {b})" for at, (a, b) in enumerate(calls))
    apart = "\n".join(
        f"block unit{at} {{\n{written(stages, values)}\n}}" for at, values in enumerate(calls)
    )
    separate = " -> ".join(f"u{at}: unit{at}" for at in range(len(calls)))
    network = "\nnetwork net {{\n  input x: f32[B = 3, 8]\n  output y = x -> {}\n}}\n"
    net = load(joined + network.format(uses))
    other = load(apart + network.format(separate))
    one, two = net.to_torch(), other.to_torch()
    assert list(one.state_dict()) == list(two.state_dict())
    two.load_state_dict(one.state_dict())
    x = torch.randn(3, 8)
    for training in (False, True):
        results = []
        for model in (one, two):
            torch.manual_seed(0)
            results.append(model.train(training)(x))
        torch.testing.assert_close(*results, rtol=0, atol=0)
    scripted = torch.jit.script(one.eval())
    torch.testing.assert_close(scripted(x), one(x), rtol=1e-6, atol=1e-6)
