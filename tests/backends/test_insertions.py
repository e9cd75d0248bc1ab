"""Labels that insert layers into a called block: the callee's own layers do not change."""

from __future__ import annotations

import pytest
import torch

from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec_torch.source import python_source
from tests.backends.scripts import script

INNER = """
block inner {
  input x: [B, D]
  output x -> "layer.0": linear(D) -> "layer.1": linear(D)
}
block outer {
  input x: [B, D]
  output x -> inner: inner
}
"""


def network(body: str, blocks: str = INNER) -> Network:
    text = f"{blocks}network net {{\n  input x: f32[B = 2, 4]\n{body}\n}}\n"
    return Network(load_network(Source("net.arch", text))[0])


def test_inserted_layers_do_not_change_the_callee() -> None:
    net = network('  output y = x -> "block.0": inner -> "block.0.layer.0.extra": linear(4)')
    text, module = python_source(net.compiled)[0], net.to_torch()
    assert "self.block[0].layer[0].extra = nn.Linear(4, 4)" in text
    assert {name for name, _ in module.named_parameters()} == {
        f"block.0.layer.{path}.{name}"
        for path in ("0", "0.extra", "1")
        for name in ("bias", "weight")
    }
    one, two = module.block[0].layer
    x = torch.randn(2, 4)
    expected = one.extra(two(one(x)))
    torch.testing.assert_close(module(x), expected)
    torch.testing.assert_close(script(module)(x), expected)


def test_insertion_through_nested_calls_into_a_container() -> None:
    net = network('  output y = x -> a: outer -> "a.inner.layer.extra": linear(4)')
    text, module = python_source(net.compiled)[0], net.to_torch()
    assert "self.a.inner.layer.extra = nn.Linear(4, 4)" in text
    assert "self.layer = Scope(" in text  # it must not run the inserted layers
    x, parts = torch.randn(2, 4), module.a.inner.layer._modules
    expected = parts["extra"](parts["1"](parts["0"](x)))
    torch.testing.assert_close(module(x), expected)
    torch.testing.assert_close(script(module)(x), expected)


def test_insertion_into_a_container_that_iterates_over_children() -> None:
    blocks = """
block many {
  input x: [B, D]
  output x -> for i in 0..4 {
    input x
    output x + (x -> "layer{i}": linear(D))
  }
}
"""
    net = network('  output y = x -> a: many -> "a.extra": linear(4)', blocks)
    module = net.to_torch()
    assert "self.children()" not in python_source(net.compiled)[0]
    assert (
        "self.children()" in python_source(network("  output y = x -> a: many", blocks).compiled)[0]
    )
    x = expected = torch.randn(2, 4)
    for number in range(4):
        expected = getattr(module.a, f"layer{number}")(expected) + expected
    torch.testing.assert_close(module(x), module.a.extra(expected))


def test_tensor_inserted_in_one_of_several_equal_blocks() -> None:
    net = network("""
  scale = "block.0.layer.1.scale": param([4], ones)
  output y = (x * scale) -> for i in 0..4 { "block.{i}": inner }
""")
    text, module = python_source(net.compiled)[0], net.to_torch()
    assert "self.block[0].layer[1].scale = nn.Parameter(torch.empty(4))" in text
    assert "for block in self.block:" in text
    x = torch.randn(2, 4)
    expected = x * module.block[0].layer[1].scale
    for block in module.block:
        expected = block.layer[1](block.layer[0](expected))
    torch.testing.assert_close(module(x), expected)


def test_arguments_of_the_callee_are_renamed() -> None:
    blocks = """
block mixed(heads: int) {
  input x: [B, N, D]
  y = x -> a: linear(D) -> rearrange("b n (h d) -> b h n d", h=heads)
  output y -> rearrange("b h n d -> b n (h d)")
}
"""
    text = """
  y = x -> unsqueeze(1)
  output z = y -> a: mixed(2) -> b: mixed(4) -> "a.heads": linear(4)
"""
    net = network(text, blocks)
    module, x = net.to_torch(), torch.randn(2, 4)
    expected = module.a.heads(module.b.a(module.a.a(x[:, None])))
    torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize("learns", ["call", "part"])
def test_insertion_into_a_frozen_block(learns: str) -> None:
    call, part = (
        ("outer", "frozen(linear(4))") if learns == "call" else ("frozen(outer)", "linear(4)")
    )
    module = network(f'  output y = x -> a: {call} -> "a.inner.extra": {part}').to_torch()
    for name, weight in module.named_parameters():
        assert weight.requires_grad == (("extra" in name) == (learns == "part")), name


def test_names_inside_torch_modules_are_refused() -> None:
    text = '  output y = (x -> unsqueeze(1)) -> a: multihead_attention(2) -> "{}": linear(4)'
    net = network(text.format("a.out_proj.extra"))
    assert "self.a.out_proj.extra = nn.Linear(4, 4)" in python_source(net.compiled)[0]
    for path in ("a.out_proj", "a.out_proj.weight.x"):
        with pytest.raises(CompileFailed) as failed:
            network(text.format(path))
        assert "E0601" in [one.code for one in failed.value.diagnostics]


def test_insertion_into_a_tensor_is_refused() -> None:
    text = """
  w = "w": param([4], ones)
  output y = (x * w) -> "w.x": linear(4)
"""
    with pytest.raises(CompileFailed) as failed:
        network(text)
    assert "E0601" in [one.code for one in failed.value.diagnostics]


@pytest.mark.parametrize("key", ["", "f: "])
def test_insertion_into_the_body_of_an_op(key: str) -> None:
    path = "a.f.layer.0.extra" if key else "a.layer.layer.0.extra"
    net = network(f'  output y = x -> a: iterate({key}inner, 2) -> "{path}": linear(4)')
    module, x = net.to_torch(), torch.randn(2, 4)
    inner = next(one for one in module.modules() if type(one).__name__ == "Inner")
    expected = x
    for _ in range(2):
        expected = inner.layer[1](inner.layer[0](expected))
    torch.testing.assert_close(module(x), inner.layer[0].extra(expected))
    assert f"{path}.weight" in module.state_dict()
