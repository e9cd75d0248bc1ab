"""Invalid initial values: out of range, for tensors of another shape, or for no tensor."""

from __future__ import annotations

import pytest

from archspec.analysis.parameters import table
from archspec.types.initialiser import Normal, Ones, Orthogonal
from tests.semantics.specs import compiled, errors, layer, network, ops, printed


@pytest.mark.parametrize(
    "init",
    [
        "normal(std=-1.0)",
        "trunc_normal(std=0.0)",
        "uniform(1.0, 0.0)",
        "trunc_normal(low=1.0, high=-1.0)",
        "xavier_uniform",
        "kaiming_normal",
        "orthogonal",
        "dirac",
        "eye",
    ],
)
def test_vectors_reject_fan_based_initialisers(init):
    text = network(f"param p: f32[8] = {init}", "output x * p", shape="B = 1, 8")
    assert errors(text) == ["E0301"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("conv(8, 3, weight_init=dirac(2))", []),
        ("conv(8, 3, weight_init=dirac(3))", ["E0301"]),
        ("conv(8, 3, weight_init=eye)", ["E0301"]),
        ("conv(8, 3, bias_init=orthogonal)", ["E0301"]),
        ("conv(8, 3, weight_init=orthogonal, bias_init=uniform(0.0, 0.0))", []),
        ("prelu(init=xavier_normal)", ["E0301"]),
        ("global_avg_pool -> linear(3, weight_init=eye)", []),
    ],
)
def test_attributes(expression, expected):
    assert errors(layer(expression)) == expected


def test_the_argument_is_shown():
    message = printed(layer("conv(8, 3, bias=true, bias_init=eye)"))
    assert "`eye` fills tensors of 2 axes, but this one is [8]" in message
    assert "^^^^^^^^^^^^^" in message


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("conv.weight = orthogonal", []),
        ("conv.weight = eye", ["E0301"]),
        ("conv.weigth = zeros", ["E0302"]),
        ("conv.bias = zeros", []),
        ("batch_norm.weight = xavier_normal", ["E0301"]),
        ("linear.weight = zeros", []),  # there is no linear layer below
    ],
)
def test_statements(statement, expected):
    head = "block unit { conv(8, 3, bias=false) -> batch_norm }"
    assert errors(network(f"init {statement}", "output x -> unit -> unit", head=head)) == expected


def test_misspelt_initialiser():
    message = printed(network("init conv.weigth = zeros", "output x -> conv(8, 3)"))
    assert "`conv` has no weights called `weigth`" in message
    assert "did you mean `weight`?" in message


@pytest.mark.parametrize(
    "init", ["normal(spread(0.5, 8))", "normal(std=spread(0.5, 8))", "small(8)", "small(0)"]
)
def test_rules_return_initialisers_and_their_numbers(init):
    rules = (
        "rule spread(scale, fan) => scale * sqrt(2 / fan)",
        "rule small(0) => orthogonal",
        "rule small(fan) => normal(std=spread(0.5, fan))",
    )
    weight, _ = table(compiled(layer(f"conv(8, 3, weight_init={init})", *rules)))
    assert weight.initialiser == (Orthogonal() if init == "small(0)" else Normal(std=0.25))


def test_rules_used_as_initialisers_must_yield_one():
    assert errors(layer("conv(8, 3, weight_init=half(3))", "rule half(n) => n / 2")) == ["E0305"]


@pytest.mark.parametrize("given", ["", "4 < 3"])
def test_conditions_choose_initialisers(given):
    chosen = f"if {given or 'true'} then ones else normal(std=0.25)"
    weight, _ = table(compiled(layer(f"conv(8, 3, weight_init={chosen})")))
    assert weight.initialiser == (Normal(std=0.25) if given else Ones())
    unit = "block unit(first: init) { conv(8, 3, weight_init=first) }"
    weight, _ = table(compiled(layer(f"unit({chosen})", unit)))
    assert weight.initialiser == (Normal(std=0.25) if given else Ones())


def test_conditions_must_choose_initialisers():
    assert errors(layer("conv(8, 3, weight_init=if true then 3 else zeros)")) == ["E0305"]
    assert errors(layer("conv(8, 3, weight_init=if 3 then ones else zeros)")) == ["E0312"]


RANDOM = network(
    "buffer a: f32[8, 3] = normal(std=2.0)", "output (x, a) -> matmul", shape="B = 1, 4, 8"
)


def test_a_buffer_may_be_filled_by_an_initialiser():
    (found,) = table(compiled(RANDOM))
    assert (found.shape, found.learnable, found.persistent) == ((8, 3), False, True)
    assert found.initialiser == Normal(std=2.0)
    assert errors(RANDOM.replace("normal(std=2.0)", "orthogonal")) == []
    assert errors(RANDOM.replace("8, 3] = normal(std=2.0)", "8] = orthogonal")) == ["E0301"]


def test_an_op_in_the_value_of_a_buffer_is_there_once():
    text = network("buffer a: f32[8] = ones([8]) * 2.0", "output x * a", shape="B = 1, 8")
    instances = (node.instance for node in compiled(text).inference.nodes)
    (region,) = (one for instance in instances if instance for one in instance.regions)
    assert ops(region.graph) == ["ones", "mul"]
