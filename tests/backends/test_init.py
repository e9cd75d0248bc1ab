"""Initial values: PyTorch's defaults, those of attributes, and those of `init` statements."""

import math

import pytest
import torch
from torch import nn

from archspec.analysis.parameters import table
from archspec_torch.module import to_module
from archspec_torch.source import python_source


def test_defaults_are_not_repeated(network):
    text, _ = python_source(
        network(
            """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> conv(4, 3) -> batch_norm -> prelu -> conv_transpose(4, 2, stride=2)
    -> flatten(2) -> layer_norm(axis=1)
    -> rearrange("b c n -> b n c") -> multihead_attention(2) -> lstm(4) -> { input y, h, c
      output y } -> linear(2) -> rms_norm
}
""",
        ).compiled
    )
    assert "init_weights" not in text
    assert "nn.init" not in text


def test_innermost_init_statement_wins_and_attributes_override_all(network):
    net = network(
        """
block inner {
  init linear.weight = constant(3.0)
  a: linear(4) -> b: linear(4, weight_init=constant(4.0))
}
block outer { c: linear(4) -> i: inner }
network net {
  input x: f32[B = 1, 4]
  init linear.weight = constant(1.0)
  init linear.bias = zeros
  output x -> d: linear(4) -> e: linear(4, bias_init=constant(2.0)) -> o: outer -> f: multihead(2)
}
inline block multihead(heads: int) { input x: [B, D]
  output x -> unsqueeze(1) -> attend: multihead_attention(heads) -> squeeze(1) }
"""
    )
    model = to_module(net.compiled)
    means = {name: value.mean().item() for name, value in model.named_parameters()}
    assert means["d.weight"] == 1
    assert means["d.bias"] == 0
    assert means["e.bias"] == 2
    assert means["o.c.weight"] == 1
    assert means["o.i.a.weight"] == 3
    assert means["o.i.b.weight"] == 4
    assert means["o.i.b.bias"] == 0
    (attend,) = [m for m in model.modules() if isinstance(m, nn.MultiheadAttention)]
    assert attend.out_proj.weight.mean() == 1
    assert attend.out_proj.bias.abs().max() == 0
    assert attend.in_proj_weight.std() > 0.01  # no such layer in torch


@pytest.mark.parametrize(
    ("written", "check"),
    [
        ("zeros", lambda w: w.abs().max() == 0),
        ("constant(0.25)", lambda w: bool((w == 0.25).all())),
        (
            "normal(std=0.5, mean=2.0)",
            lambda w: abs(w.mean() - 2) < 0.05 and abs(w.std() - 0.5) < 0.02,
        ),
        ("uniform(-3.0, -1.0)", lambda w: w.min() >= -3 and w.max() <= -1),
        ("trunc_normal(std=1.0, low=-0.5, high=0.5)", lambda w: w.abs().max() <= 0.5),
        ("xavier_uniform", lambda w: abs(w.abs().max() - math.sqrt(6 / 128)) < 0.01),
        ("kaiming_normal(mode=fan_out)", lambda w: abs(w.std() - math.sqrt(2 / 64)) < 0.01),
        ("orthogonal", lambda w: torch.allclose(w @ w.T, torch.eye(64), atol=1e-4)),
        ("eye", lambda w: torch.equal(w, torch.eye(64))),
    ],
)
def test_initialisers(network, written, check):
    layer = f"linear(64, weight_init={written})"
    text = f"network net {{\n input x: f32[B = 1, 64]\n output x -> l: {layer}\n}}"
    with torch.no_grad():
        assert check(to_module(network(text).compiled).l.weight)


def test_weight_norm_preserves_the_initial_weight(network):
    text = """
network net {
  input x: f32[B = 1, 8]
  init linear.bias = zeros
  output x -> l: linear(4, parametrization=weight_norm, weight_init=normal(std=3.0))
}
"""
    model = to_module(network(text).compiled)
    x = torch.randn(2, 8)
    torch.testing.assert_close(model(x), x @ model.l.weight_v.T + model.l.bias)


def test_parameters_have_the_declared_initial_values(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 8]
  param a: f32[8] = ones
  param b: f32[8] = constant(0.5)
  param c: f32[8] = normal(std=0.02)
  output x * a + b + c
}
"""
    )
    model = to_module(net.compiled)
    assert model.a.unique().tolist() == [1]
    assert model.b.unique().tolist() == [0.5]
    assert 0 < model.c.std() < 0.1


def test_init_rule_for_an_op_wins_over_one_for_a_layer_inside_it(network):
    net = network(
        """
block own { input x: [B, N, D]
  init multihead_attention.out_proj.weight = constant(4.0)
  output x -> multihead_attention(2) }
block inner { input x: [B, N, D]
  init linear.weight = constant(5.0)
  output x -> multihead_attention(2) }
network net {
  input x: f32[B = 1, 3, 8]
  init multihead_attention.out_proj.weight = constant(1.0)
  init linear.weight = constant(2.0)
  init linear.bias = constant(3.0)
  init multihead_attention.in_proj_bias = constant(6.0)
  output x -> a: multihead_attention(2) -> b: multihead_attention(2, bias=false) -> c: linear(8)
    -> d: own -> e: inner
}
"""
    )
    found = {key: value.mean().item() for key, value in to_module(net.compiled).named_parameters()}
    wanted = {
        "a.in_proj_bias": 6,
        "a.out_proj.weight": 1,
        "a.out_proj.bias": 3,
        "b.out_proj.weight": 1,
        "c.weight": 2,
        "c.bias": 3,
        "d.multihead_attention.out_proj.weight": 4,
        "e.multihead_attention.out_proj.weight": 5,
        "e.multihead_attention.out_proj.bias": 3,
    }
    assert {name: found[name] for name in wanted} == wanted
    entries = {entry.name: entry.initialiser for entry in table(net.compiled)}
    assert {name: entries[name].value for name in wanted} == wanted


def test_init_rule_applies_only_to_modules_with_the_tensor(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 3, 8]
  init lstm.weight_ih_l1 = constant(9.0)
  init lstm.weight_ih_l1 = constant(1.0)
  init multihead_attention.q_proj_weight = constant(2.0)
  y, _, _ = x -> multihead_attention(2) -> a: lstm(6, layers=2)
  z, _, _ = y -> b: lstm(4)
  output (x, z, z) -> c: multihead_attention(2)
}
"""
    )
    found = {key: value.mean().item() for key, value in to_module(net.compiled).named_parameters()}
    assert found["a.weight_ih_l1"] == 1  # the later one of two in a block applies
    assert abs(found["b.weight_ih_l0"]) < 0.5
    assert found["c.q_proj_weight"] == 2


def test_init_rule_for_an_op_without_its_own_module_class(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 5, 8]
  init lstm.weight_hh_l0 = zeros
  init prelu.weight = constant(0.5)
  y, h, c = x -> r: lstm(4)
  output y -> p: prelu
}
"""
    )
    model = to_module(net.compiled)
    assert model.r.weight_hh_l0.abs().max() == 0
    assert model.r.weight_ih_l0.abs().max() > 0
    assert model.p.weight.item() == 0.5


PARAMETRISED = """
network net {{
  input x: f32[B = 1, 3, H = 8, W = 8]
  {rule}
  output x -> c: conv(4, 3{attributes}) -> t: conv_transpose(5, 2{attributes})
    -> flatten(2) -> transpose(1, 2) -> l: linear(6{attributes})
}}
"""


@pytest.mark.parametrize("form", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("by", ["rule", "attribute", "neither"])
def test_initial_values_of_computed_weights_set_their_source_tensors(network, form, by):
    how = "normal(std=3.0)"
    ops = ("conv", "conv_transpose", "linear")
    rule = "".join(f"init {op}.weight = {how}\n  " for op in ops) if by == "rule" else ""
    attributes = f", parametrization={form}"
    attributes += f", weight_init={how}" if by == "attribute" else ""
    model = network(PARAMETRISED.format(rule=rule, attributes=attributes)).to_torch()
    for name, rows in (("c", 0), ("t", 1), ("l", 0)):
        layer = model.get_submodule(name)
        if form == "weight_norm":
            given = layer.weight_v
            norms = given.flatten(1).norm(dim=1)
            torch.testing.assert_close(layer.weight_g.flatten(), norms)
        else:
            given = layer.parametrizations.weight.original
            vectors = layer.parametrizations.weight.get_submodule("0")
            matrix = given.movedim(rows, 0).flatten(1)
            for vector in (vectors._u, vectors._v):
                torch.testing.assert_close(vector.norm(), torch.tensor(1.0))
            found = vectors._u @ matrix @ vectors._v
            # after 15 steps of power iteration
            torch.testing.assert_close(found, torch.linalg.matrix_norm(matrix, 2), rtol=0.1, atol=0)
        assert (given.std() > 1.5) == (by != "neither")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("kaiming_uniform(slope=2.23606797749979)", "a=math.sqrt(5))"),
        ("normal(std=0.022360679774997897)", "std=1 / math.sqrt(2000))"),
        ("normal(std=0.027777777777777776)", "std=1 / 36)"),
        ("constant(2.302585092994046)", "math.log(10))"),
        ("constant(0.70710678)", "0.70710678)"),
        ("normal(std=0.02)", "std=0.02)"),
    ],
)
def test_roots_and_logarithms_are_written_as_calls(network, written, text):
    layer = f"l: linear(8, weight_init={written})"
    net = network(f"network net {{\n input x: f32[B = 1, 8]\n output x -> {layer}\n}}")
    (line,) = (one for one in python_source(net.compiled)[0].splitlines() if "nn.init" in one)
    assert line.endswith(text)
    assert net.to_torch().l.weight.isfinite().all()


def test_numbers_with_many_digits_are_written_as_roots(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  param scale: f32[4] = uniform(-1 / sqrt(40), 1 / sqrt(40))
  param shift: f32[4] = uniform(-sqrt(3), 0.25)
  output x * scale + shift
}
""",
    )
    text, _ = python_source(net.compiled)
    assert "a=-1 / math.sqrt(40), b=1 / math.sqrt(40)" in text
    assert "a=-math.sqrt(3), b=0.25" in text
    module = to_module(net.compiled)
    assert 0 < module.scale.abs().max() <= 1 / math.sqrt(40)
    assert -math.sqrt(3) <= module.shift.min() <= module.shift.max() <= 0.25
