"""Networks that are too large to build are rejected based on their sizes, with a location."""

from __future__ import annotations

import pytest

from archspec.analysis.buildable import LARGEST_TENSOR, require_buildable
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source

SEQUENCE = 'rearrange("b c h w -> b (h w) c") -> '
TWICE = "rule f(0) => relu\nrule f(n) => f(n - 1) -> f(n - 1)"


def net(layer: str, *lines: str, head: str = "") -> Network:
    body = "\n".join(f"  {line}" for line in lines)
    text = f"{head}\nnetwork net {{\n  input x: f32[B = 1, 4, H = 8, W = 8]\n{body}\n  output x -> "
    return Network(load_network(Source("large.arch", f"{text}{layer}\n}}\n"))[0])


def refused(network: Network, *, with_weights: bool = False) -> tuple[Diagnostic, ...]:
    with pytest.raises(CompileFailed) as failure:
        require_buildable(network.compiled, with_weights=with_weights)
    found = failure.value.diagnostics
    assert {item.code for item in found} == {"E0520"}
    return found


def layer_at(found: Diagnostic) -> str:
    assert found.primary is not None
    return found.primary.span.text


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("conv(4, 10**18, padding=0)", "conv.weight"),
        ("wide: conv_transpose(2**57, 3)", "wide.weight"),
        ('conv(2**28, 1) -> "a.b": conv(2**31 + 1, 1)', "a.b.weight"),
        (SEQUENCE + "linear(2**62)", "linear.weight"),
        (SEQUENCE + "lstm(2**30, layers=2)", "lstm.weight_hh_l0"),
        ("cast(i64) -> embedding(2**40, 2**40)", "embedding.weight"),
        ("conv(4, 10**10, parametrization=weight_norm, padding=0)", "conv.weight_v"),
        ("iterate(conv(4, 2 * 10**9 + 1), steps=2)", "layer.weight"),
    ],
)
def test_oversized_tensor_is_refused(layer: str, name: str) -> None:
    network = net(layer)
    (found,) = refused(network)
    assert f"`{name}` has " in found.message
    assert layer_at(found) in layer
    with pytest.raises(CompileFailed, match="E0520"):
        network.to_torch(device="meta")


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_the_largest_tensor_is_created_without_values(kind: str) -> None:
    assert LARGEST_TENSOR == 2**59
    network = net(
        "relu", "param p: f32[2**30, 2**29] = normal", "buffer q: i64[2**59] = arange(2**59)"
    )
    module = network.to_torch(device="meta", dtype=kind)
    assert [item.numel() for item in module.state_dict().values()] == [LARGEST_TENSOR] * 2
    refused(network, with_weights=True)
    (found,) = refused(net("relu", "param p: f32[2**30 + 1, 2**29] = normal"))
    assert "`p` has 576,460,752,840,294,400 elements" in found.message


@pytest.mark.parametrize(
    "value",
    ["zeros([10**17, 10**17]) -> sum -> unsqueeze(0)", "giant -> sum -> unsqueeze(0)", "b"],
)
def test_tensors_that_a_buffer_is_computed_from_are_checked(value: str) -> None:
    head = "block b { output zeros([10**17, 10**17]) -> sum -> unsqueeze(0) }"
    giant = ("giant = zeros([10**17, 10**17])",) if "giant" in value else ()
    (found,) = refused(net("relu", *giant, f"buffer p: f32[1] = {value}", head=head))
    assert "the value of `p` is computed from a tensor of" in found.message
    assert layer_at(found).startswith("buffer p")


def test_memory_for_the_value_of_a_buffer() -> None:
    network = net("relu", "buffer p: f32[2**10] = zeros([2**10, 2**30]) -> sum(axis=1)")
    require_buildable(network.compiled, with_weights=False)
    assert network.to_torch(device="meta").p.shape == (2**10,)
    (found,) = refused(network, with_weights=True)
    assert "computing the value of `p` takes 4.40 TB; at most 40.0 GB" in found.message
    with pytest.raises(CompileFailed, match="E0520"):
        network.to_torch()


@pytest.mark.parametrize(
    ("step", "leaf"),
    [
        ("f(n - 1) -> f(n - 1)", "relu"),
        ("a: (relu -> f(n - 1)) -> f(n - 1)", "relu"),
        ("f(n - 1) -> iterate(f(n - 1), steps=2)", "tanh"),
        ("f(n - 1) -> if training { f(n - 1) } else { f(n - 1) -> relu }", "relu"),
    ],
)
def test_modules_without_weights_count(step: str, leaf: str) -> None:
    head = f"rule f(0) => {leaf}\nrule f(n) => {step}"
    (found,) = refused(net("f(60)", head=head))
    assert "modules; at most 250,000 can be written out" in found.message
    require_buildable(net("f(8)", head=head).compiled, with_weights=True)


def test_modules_are_counted_as_in_the_generated_code() -> None:
    module = net("f(9)", head=TWICE).to_torch(device="meta")
    count = len(list(module.modules())) - 1
    (found,) = refused(net("f(20)", head=TWICE))
    assert count == 2**10 - 1
    assert f"{2**21 - 1:,} modules" in found.message
