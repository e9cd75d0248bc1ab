"""Specialisations that differ in their inputs are one class with optional inputs."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from tests.backends.scripts import script
from tests.backends.sources import source

ATTENTION = """
block attention(heads: int) {
  input x: [B, N, D], y: [B, M, D], ...bias
  q = x -> q: linear(D) -> rearrange("b n (h d) -> b h n d", h=heads)
  k = y -> k: linear(D) -> rearrange("b n (h d) -> b h n d", h=heads)
  output (q, k, k, ...bias) -> scaled_dot_product_attention -> rearrange("b h n d -> b n (h d)")
}
network net {
  input x: f32[B = 2, N = 5, 8], bias: f32[N, N], memory: f32[B, M = 7, 8]
  y = (x, x, bias) -> own: attention(2)
  output (y, memory) -> cross: attention(2)
}
"""


def test_optional_inputs_of_ops_are_passed_on(network):
    net = network(ATTENTION)
    text = source(net)
    assert text.count("class Attention") == 1
    assert "def forward(self, x: Tensor, y: Tensor, bias: Optional[Tensor] = None)" in text
    assert "F.scaled_dot_product_attention(q, k, k, attn_mask=bias)" in text
    assert "y = self.own(x, x, bias=bias)" in text
    assert "self.cross(y, memory)" in text
    assert "if bias is" not in text
    model = net.to_torch()
    inputs = torch.randn(2, 5, 8), torch.randn(5, 5), torch.randn(2, 7, 8)
    q, k = (
        layer(inputs[0]).unflatten(2, (2, 4)).transpose(1, 2)
        for layer in (model.own.q, model.own.k)
    )
    weights = torch.softmax(q @ k.transpose(2, 3) / 2 + inputs[1], -1)
    expected = model.cross((weights @ k).transpose(1, 2).flatten(2), inputs[2])
    for one in (model, script(model)):
        torch.testing.assert_close(one(*inputs), expected)


LAYERS_OF_A_DECODER = """
block own { input x: [B, N, D]
  output x -> proj: linear(D) }
block mlp { input x: [B, N, D]
  output x + (x -> fc: linear(2 * D) -> relu -> out: linear(D)) }
block cross { input x: [B, N, D], memory: [B, M, D]
  output x + ((x, memory, memory) -> scaled_dot_product_attention -> proj: linear(D)) }
block layer(decoder: bool) {
  input x, ...memory
  y = x -> "parts.0": own
  z = if decoder { (y, ...memory) -> "parts.1": cross } else { y }
  output z -> "parts.{if decoder then 2 else 1}": mlp
}
block stack(depth: int, decoder: bool) {
  input x, ...memory
  output x -> for i in 0..depth { input x
    output (x, ...memory) -> "layers.{i}": layer(decoder) }
}
network net {
  input x: f32[B = 2, N = 5, 8], y: f32[B, M = 7, 8]
  memory = x -> encoder: stack(3, false)
  output (y, memory) -> decoder: stack(3, true)
}
"""


def test_encoder_and_decoder_are_one_class(network):
    net = network(LAYERS_OF_A_DECODER)
    text = source(net)
    for name in ("Layer", "Stack"):
        assert len(re.findall(rf"^class {name}\d*\(", text, re.MULTILINE)) == 1
    assert "x = layer(x, memory=memory)" in text
    assert "memory = self.encoder(x)" in text
    assert "self.decoder(y, memory=memory)" in text
    assert "decoder: Final[bool]" in text  # TorchScript compiles one side only
    assert "if decoder:\n            self.parts.append(Cross(" in text
    assert "self.parts[-1](" in text
    assert "assert memory is not None" in text
    model = net.to_torch()
    x, y = torch.randn(2, 5, 8), torch.randn(2, 7, 8)
    expected = y
    memory = x
    for layer in model.encoder.layers:
        memory = layer.parts[1](layer.parts[0](memory))
    for layer in model.decoder.layers:
        expected = layer.parts[2](layer.parts[1](layer.parts[0](expected), memory))
    for one in (model, script(model)):
        torch.testing.assert_close(one(x, y), expected)


def test_statements_that_read_an_optional_input_are_under_an_if(network):
    net = network(
        """
block unit {
  input x: [B, C], ...more
  y = x -> first: linear(C) -> relu
  z = (y, ...(m -> tanh for m in more)) -> add
  output z -> last: linear(C)
}
network net {
  input x: f32[B = 2, 8], m: f32[B, 8]
  y = x -> a: unit
  output (y, m) -> b: unit
}
"""
    )
    text = source(net)
    assert text.count("class Unit") == 1
    assert "if more is not None:" in text
    model = net.to_torch()
    x, m = torch.randn(2, 8), torch.randn(2, 8)
    y = model.a.last(model.a.first(x).relu())
    expected = model.b.last(model.b.first(y).relu() + m.tanh())
    for one in (model, script(model)):
        torch.testing.assert_close(one(x, m), expected)


NESTED = """
block part(flag: bool = false, other: bool = false) {
  input x: [B, D], memory, ...more
  v1 = if other {
    if len(more) > 0 { more[0] -> relu } else { memory }
  } else {
    (memory, memory > 0.0) -> masked_fill(0.5)
  }
  v2 = (x, x) -> maximum
  v3 = if flag { v1 -> relu } else { v2 -> relu }
  v4 = (v1 + memory) -> sigmoid
  output x + v4 + v3 + v4
}
network net {
  input x: f32[B = 4, 8], m: f32[B, 8]
  output o0 = (x, m, x) -> p0: part(true, true)
  output o1 = (x, m, x) -> p1: part(false, false)
  output o2 = (x, m) -> p2: part(false, true)
  output o3 = (x, m, x) -> p3: part(true, false)
  output o4 = (x, m) -> p4: part(true, true)
}
"""


def test_a_value_that_one_side_of_an_inner_if_assigns_and_another_if_reads(network):
    net = network(NESTED)
    module = net.to_torch().eval()
    inputs = torch.randn(3, 8), torch.randn(3, 8)
    for one, two in zip(script(module)(*inputs), module(*inputs), strict=True):
        torch.testing.assert_close(one, two)


def test_blocks_with_little_else_in_common_are_two_classes(network):
    text = source(
        network(
            """
block unit(deep: bool) {
  input x: [B, C], ...more
  output if deep { (x, ...more) -> concat(axis=1) -> a: linear(8) -> relu -> b: linear(8) -> gelu }
    else { x -> n: layer_norm -> sigmoid -> m: linear(8) -> softmax }
}
network net {
  input x: f32[B = 2, 8], m: f32[B, 8]
  output y = (x -> p: unit(false), m) -> q: unit(true)
}
"""
        )
    )
    assert text.count("class Unit") == 2
    assert "Optional[Tensor]" not in text


STAGES = (
    "{y} -> {n}: linear(8)",
    "{y} -> relu",
    "{y} + ({y} -> {n}: layer_norm)",
    "{y} -> dropout(0.5)",
    "({y}, ...more) -> concat(axis=1) -> {n}: linear(8)",
    "({y}, ...more) -> add",
    "({y}, ...more) -> {n}: inner(a)",
    "({y}, ...(m -> tanh for m in more)) -> add",
)
CONDITIONS = ("", "", "a", "not a", "len(more) > 0", "len(more) == 2 or a")


@st.composite
def programs(draw):
    """Two bodies of stages, the first of which calls the second, and calls of the first.

    A call has a flag, and the number of inputs besides the first one.
    """
    bodies = []
    for stages in (STAGES, [stage for stage in STAGES if "inner" not in stage]):
        body = []
        for _ in range(draw(st.integers(1, 5))):
            condition = draw(st.sampled_from(CONDITIONS))
            body.append((draw(st.sampled_from(stages)), condition))
        bodies.append(body)
    calls = draw(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=2, max_size=4))
    return bodies, calls


def block(name, stages, inner, call=None):
    """A block; for one `call`, without conditions."""
    lines, y = [], "x"
    for at, (stage, condition) in enumerate(stages):
        written = stage.format(y=y, n=f"n{at}").replace("inner(", f"{inner}(")
        if condition and call is not None:
            flag, count = call
            holds = eval(condition, {"a": flag, "more": [None] * count, "len": len})
            written = written if holds else y
        elif condition:
            written = f"if {condition} {{ {written} }} else {{ {y} }}"
        lines.append(f"  y{at} = {written}")
        y = f"y{at}"
    end = f"  output {y} -> last: linear(8)"
    return "\n".join(
        [f"block {name}(a: bool) {{", "  input x: [B, C], ...more", *lines, end, "}\n"]
    )


def program(bodies, calls, apart):
    """The network as text: with a block for each call, or one for all of them."""
    texts = []
    for at, call in enumerate(calls if apart else [None]):
        number = at if apart else ""
        texts.append(block(f"inner{number}", bodies[1], "", call))
        texts.append(block(f"unit{number}", bodies[0], f"inner{number}", call))
    lines, y = [], "x"
    for at, (flag, count) in enumerate(calls):
        given = f"({', '.join((y, 'p', 'q')[: count + 1])})" if count else y
        lines.append(f"  z{at} = {given} -> u{at}: unit{at if apart else ''}({str(flag).lower()})")
        y = f"z{at}"
    head = "network net {\n  input x: f32[B = 3, 8], p: f32[B, 8], q: f32[B, 8]\n"
    end = f"  output {y} + 0 * p + 0 * q\n}}\n"
    return "".join([*texts, head, "\n".join(lines), "\n", end])


@settings(max_examples=25, deadline=None)
@given(programs())
def test_shared_class_agrees_with_separate_blocks(drawn):
    bodies, calls = drawn
    nets = [
        Network(load_network(Source("net.arch", program(bodies, calls, apart)))[0])
        for apart in (False, True)
    ]
    one, two = (net.to_torch() for net in nets)
    assert list(one.state_dict()) == list(two.state_dict())
    two.load_state_dict(one.state_dict())
    inputs = torch.randn(3, 8), torch.randn(3, 8), torch.randn(3, 8)
    for training in (False, True):
        results = []
        for model in (one, two):
            torch.manual_seed(0)
            results.append(model.train(training)(*inputs))
        torch.testing.assert_close(*results, rtol=0, atol=0)
    scripted = torch.jit.script(one.eval())
    torch.testing.assert_close(scripted(*inputs), one(*inputs), rtol=1e-6, atol=1e-6)
    assert source(nets[0]) == source(nets[0])


def test_torchscript_says_which_input_training_needs(network):
    net = network(
        """
network net {
  input x: f32[B = 2, 8]
  input wanted: f32[B, 4] when training
  y = x -> linear(4)
  output y
  output loss = y - wanted -> square -> mean when training
}
"""
    )
    scripted = script(net.to_torch()).train()
    with pytest.raises(Exception, match="`wanted` is missing: training needs it"):
        scripted(torch.randn(2, 8))
    assert scripted.eval()(torch.randn(2, 8)).shape == (2, 4)
