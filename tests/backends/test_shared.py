"""Shared blocks have one set of weights for all of their uses."""

from __future__ import annotations

import pytest
import torch

from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec_torchscript.script import to_torchscript

PYRAMID = """
block head(anchors: int) {
  input x: [B, C, H, W]
  h = x -> conv: conv(C, 3) -> relu
  output cls = h -> cls_logits: conv(anchors, 1)
  output box = h -> bbox_pred: conv(4 * anchors, 1)
}
network pyramid {
  input image: f32[B = 1, 3, H = 64, W = 64]
  shared head = rpn: head(3)
  shared stem = "stem": (conv(8, 3) -> relu)
  levels = (t -> stem for t in (image, image -> max_pool(2)))
  output boxes = (level -> head for level in levels)
}
"""


def network(text: str) -> Network:
    compiled, _ = load_network(Source("pyramid.arch", text))
    return Network(compiled)


def test_one_set_of_weights_over_two_shapes() -> None:
    net = network(PYRAMID)
    module = net.to_torch()
    names = dict(module.named_parameters())
    assert sorted({name.split(".")[0] for name in names}) == ["rpn", "stem"]
    assert sum(item.numel() for item in names.values()) == net.parameters == 224 + 584 + 27 + 108
    image = torch.randn(1, 3, 32, 48)
    large, small = module(image)
    assert [tuple(item.shape) for item in (*large, *small)] == [
        (1, 3, 32, 48),
        (1, 12, 32, 48),
        (1, 3, 16, 24),
        (1, 12, 16, 24),
    ]
    pooled = torch.nn.functional.max_pool2d(image, 2)
    torch.testing.assert_close(module(pooled)[0], small)


def test_shared_layer_can_be_scripted() -> None:
    net = network(PYRAMID)
    module = net.to_torch().eval()
    image = torch.randn(1, 3, 32, 32)
    scripted = to_torchscript(net.compiled, module=module)
    torch.testing.assert_close(scripted(image), module(image))


def test_sizes_may_be_used_in_lists_and_named_attributes() -> None:
    """The shared layer reads them from its arguments."""
    text = """
    block f {
      input x: [B, C, H, W]
      windows = x -> unfold(3, padding=1) -> rearrange("b (c k) (h w) -> b c k h w", c=C, h=H, w=W)
      output windows -> max(axis=2) -> pad([(2, 0, H)]) -> crop([(2, H, 2 * H)])
    }
    network net {
      input image: f32[B = 1, 3, H = 16, W = 16]
      shared g = f
      output both = (image -> g, image -> max_pool(2) -> g)
    }
    """
    net = network(text)
    image = torch.randn(2, 3, 6, 10)
    large, small = net.to_torch()(image)
    assert (large.shape, small.shape) == ((2, 3, 6, 10), (2, 3, 3, 5))
    assert not large.any()
    assert not small.any()


def test_shared_layer_with_other_data_is_refused() -> None:
    text = """
    network net {
      input x: f32[B = 2, 8, H = 16, W = 16]
      shared norm = norm: batch_norm
      output x -> norm
      output pooled = x -> global_avg_pool -> norm
    }
    """
    with pytest.raises(CompileFailed) as caught:
        network(text).to_torch()
    (found,) = caught.value.diagnostics
    assert found.code == "E0822"
    assert "nn.BatchNorm1d(8)" in found.message
