"""Sharing, regions, buffers, and sizes that are only known at run time."""

import warnings

import torch

from archspec.graph.model import Instance
from archspec.types.dim import Dim
from archspec_torch.module import to_module
from archspec_torch.source import python_source
from tests.backends.graphs import Builder, compiled


def same_eager_and_script(model, *inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(model.eval())
        torch.testing.assert_close(scripted(*inputs), model(*inputs), rtol=1e-6, atol=1e-6)


# ---------------------------------------------------------------------- sharing, regions


def test_shared_instances_are_one_module():
    b = Builder("net", "network")
    x = b.input("f32[B, 4]")
    inner = Builder("unit")
    inner_graph = inner.build(inner.op("linear", inner.input("f32[B, 4]"), "fc", width=4))
    shared = Instance("unit", graph=inner_graph)
    for _ in range(3):
        x = b.call(inner_graph, x, share=shared)
    model = to_module(compiled(b.build(x)))
    assert len(model.state_dict()) == 2
    same_eager_and_script(model, torch.randn(2, 4))


def test_regions_and_captures(network):
    net = network(
        """
block cell(dim: int) {
  input x: [B, D], h: [B, dim], memory: [B, dim]
  h2 = (x -> a: linear(dim)) + (h -> b: linear(dim)) + memory -> tanh
  output h2 -> out: linear(2)
  output h = h2
}
network net {
  input x: f32[B = 1, T = 5, 4]
  memory = x -> mean(axis=1) -> m: linear(8)
  ys, last = (x, zeros([B, 8])) -> steps: scan({
    input t, h
    output (t, h, memory) -> cell: cell(8)
  }, axis=1)
  output ys
  output last = last
}
"""
    )
    model = to_module(net.compiled)
    out = model(torch.randn(2, 5, 4))
    assert [tuple(item.shape) for item in out] == [(2, 5, 2), (2, 8)]
    assert sum(p.numel() for p in model.parameters()) == net.parameters
    same_eager_and_script(model, torch.randn(3, 7, 4))


def test_buffers_are_computed_in_init(network):
    net = network(
        """
block bias(window: int) {
  input x: [B, N]
  buffer index: i64[window, window] = {
    i = arange(window)
    output (i -> unsqueeze(1)) - (i -> unsqueeze(0)) + (window - 1)
  }
  param table: f32[2 * window - 1] = normal(std=0.02)
  output x + ((table, index) -> take(axis=0) -> sum)
}
network net {
  input x: f32[B = 1, N = 3]
  output x -> a: bias(3) -> b: bias(5)
}
"""
    )
    text = python_source(net.compiled)[0]
    assert text.count("class Bias") == 1
    model = to_module(net.compiled)
    assert model.state_dict()["b.index"].tolist()[0] == [4, 3, 2, 1, 0]
    same_eager_and_script(model, torch.randn(2, 3))


def test_buffers_call_blocks_and_read_one_another_as_in_inference(network):
    net = network(
        """
block twice { input x
  output (x, x) -> add }
network net {
  input x: f32[B = 1, 4]
  buffer a: f32[4] = arange(4) -> cast(f32) -> twice -> dropout(0.9)
  buffer b: f32[4] = (a -> twice) + 1.0
  output x + b
}
"""
    )
    model = to_module(net.compiled)
    assert model.state_dict()["a"].tolist() == [0, 2, 4, 6]
    assert model.state_dict()["b"].tolist() == [1, 5, 9, 13]
    same_eager_and_script(model, torch.randn(2, 4))


def test_buffers_in_blocks_that_differ_between_the_modes(network):
    net = network(
        """
block part { input x: [B, C]
  buffer rows: i64[4] = arange(4) % 2
  output x -> if training { dropout(0.5) -> linear(C) } else { relu } }
network net {
  input x: f32[B = 1, 4]
  buffer scale: f32[4] = (arange(4) -> cast(f32)) * 2.0
  output y = (x -> part) * scale
  output z = x -> linear(2) when training
}
"""
    )
    model = to_module(net.compiled)
    state = model.state_dict()
    assert state["scale"].tolist() == [0, 2, 4, 6]
    assert state["part.rows"].tolist() == [0, 1, 0, 1]
    x = torch.randn(2, 4)
    assert model.train()(x)[1].shape == (2, 2)
    assert torch.equal(model.eval()(x), x.relu() * state["scale"])


def test_state_is_loaded_into_expanded_buffers(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 3, 4]
  i, j = (arange(3), arange(4)) -> meshgrid
  buffer rows: f32[3, 4] = arange(4) -> cast(f32) -> expand(3, 4)
  buffer columns: i64[3, 4] = i
  output x * rows + (columns -> cast(f32))
}
"""
    )
    model, other = to_module(net.compiled), to_module(net.compiled)
    with torch.no_grad():
        other.rows.add_(torch.randn(3, 4))
    model.load_state_dict(other.state_dict())
    assert torch.equal(model.rows, other.rows)
    same_eager_and_script(model, torch.randn(2, 3, 4))


def test_each_sample_is_convolved_with_its_own_filters(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8], filters: f32[B, 3, 3, 3]
  output ((x -> rearrange("b c h w -> 1 (b c) h w"), filters -> rearrange("b c i j -> (b c) 1 i j"))
    -> convolve(groups=3 * B)) -> rearrange("1 (b c) h w -> b c h w", c=3)
}
"""
    )
    x, filters = torch.randn(4, 3, 6, 7), torch.randn(4, 3, 3, 3)
    model = to_module(net.compiled)
    same_eager_and_script(model, x, filters)
    wanted = [
        torch.nn.functional.conv2d(one, own[:, None], padding=1, groups=3)
        for one, own in zip(x, filters, strict=True)
    ]
    torch.testing.assert_close(model(x, filters), torch.stack(wanted))


# ---------------------------------------------------------------------- free sizes


def test_free_sizes_are_read_from_shapes(network):
    net = network(
        """
block inner { input x: [B, C, h, w]
  output (x -> avg_pool(2) -> resize((h, w), mode="bilinear")) + x }
block tokens { input x: [B, N, D]
  output (arange(N, dtype=f32) -> unsqueeze(1)) + x }
network net {
  input x: f32[B = 1, 3, H = 32, W = 32] where H % 8 == 0, W % 8 == 0
  y = x -> conv(4, 3, stride=2) -> inner -> conv(4, 3, stride=2) -> inner
  output y -> rearrange("b c h w -> b (h w) c") -> tokens -> reshape([B, H // 4, W // 4, 4])
}
"""
    )
    model = to_module(net.compiled)
    for size in ((32, 32), (16, 24), (8, 40)):
        assert model(torch.randn(2, 3, *size)).shape == (2, size[0] // 4, size[1] // 4, 4)
    same_eager_and_script(model, torch.randn(1, 3, 16, 24))


def test_sizes_not_known_from_inputs_are_passed(network):
    net = network(
        """
block make { input x: [B, C]
  output x }
network net {
  input x: f32[B = 1, 4, H = 6]
  output (x -> mean(axis=2) -> {
    input m: [B, C]
    output (m -> unsqueeze(2) -> expand(B, 4, H)) + x
  })
}
"""
    )
    assert to_module(net.compiled)(torch.randn(2, 4, 9)).shape == (2, 4, 9)


def test_extra_symbols_reach_inner_blocks():
    inner = Builder("grow")
    x = inner.input("f32[B, 4]")
    x = inner.op("unsqueeze", x, axis=2)
    x = inner.op("expand", x, sizes=(-1, -1, Dim.symbol("H") // 2))
    grow = inner.build(x)
    b = Builder("net", "network")
    y = b.input("f32[B, 4, H]")
    y = b.op("mean", y, axis=2)
    y = b.call(grow, y, "grow")
    model = to_module(compiled(b.build(y)))
    assert model(torch.randn(2, 4, 9)).shape == (2, 4, 4)
    same_eager_and_script(model, torch.randn(2, 4, 9))


def test_complex_numbers_from_a_permuted_tensor(network):
    """The real and imaginary parts are not adjacent in memory here."""
    net = network(
        """
network net {
  input x: f32[B = 1, 2, N = 5]
  output y = x -> rearrange("b two n -> b n two") -> as_complex -> as_real
}
"""
    )
    x = torch.randn(3, 2, 5)
    model = to_module(net.compiled)
    torch.testing.assert_close(model(x), x.transpose(1, 2))
    same_eager_and_script(model, x)
