"""Networks that unpool values to the positions from which they were pooled."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import archspec
from archspec import Network

NETWORKS = Path(__file__).parent / "networks"


def loaded(name: str, **parameters: object) -> Network:
    return archspec.load(NETWORKS / f"{name}.arch", **parameters)


def test_segnet_has_the_size_of_the_paper():
    assert round(loaded("segnet").parameters / 1e4) == 2945  # table 6: 29.45 M


def test_enet_costs_agree_with_its_code():
    """Counted from davidtvs/PyTorch-ENet, `ENet(12)`, at 480 x 360."""
    network = loaded("enet")
    assert network.parameters == 350_652
    assert network.macs() == 1_287_144_000
    assert sum(value.numel() for value in network.to_torch().parameters()) == 350_652


class Level(nn.Module):
    """A hand-written SegNet: one convolution on each side of each pool."""

    def __init__(self, channels, widths, classes):
        super().__init__()
        self.down = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.down_norm = nn.BatchNorm2d(widths[0])
        self.pool = nn.MaxPool2d(2, return_indices=True)
        self.inner = Level(widths[0], widths[1:], widths[0]) if len(widths) > 1 else None
        self.unpool = nn.MaxUnpool2d(2)
        self.up = nn.Conv2d(widths[0], classes, 3, padding=1)
        self.up_norm = nn.BatchNorm2d(classes)

    def forward(self, x):
        y = F.relu(self.down_norm(self.down(x)))
        pooled, places = self.pool(y)
        inner = pooled if self.inner is None else self.inner(pooled)
        z = self.unpool(inner, places, output_size=y.shape)
        return F.relu(self.up_norm(self.up(z)))


@pytest.mark.parametrize("size", [(8, 8), (13, 22), (31, 15)])
def test_segnet_restores_odd_sizes(size):
    widths = [4, 6, 5]
    network = loaded("segnet", widths=widths, depths=[2, 1, 1], classes=3)
    ours = network.to_torch().double().eval()
    theirs = Level(3, widths, 4).double().eval()
    head, extra = nn.Conv2d(4, 3, 3, padding=1).double(), nn.Conv2d(4, 4, 3, padding=1).double()
    norm = nn.BatchNorm2d(4).double().eval()

    def reference(x):
        y = F.relu(theirs.down_norm(theirs.down(x)))
        y = F.relu(norm(extra(y)))
        pooled, places = theirs.pool(y)
        z = theirs.unpool(theirs.inner(pooled), places, output_size=y.shape)
        return head(F.relu(theirs.up_norm(theirs.up(z))))

    weights = [theirs.down, theirs.down_norm, extra, norm]
    level = theirs.inner
    while level is not None:
        weights += [level.down, level.down_norm]
        level = level.inner
    backwards = [theirs.inner.inner, theirs.inner, theirs]
    weights += [part for one in backwards for part in (one.up, one.up_norm)] + [head]
    values = [value for part in weights for value in part.state_dict().values()]
    state = ours.state_dict()
    assert len(state) == len(values)
    ours.load_state_dict(dict(zip(state, values, strict=True)))
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        wanted = reference(x)
        assert ours(x).shape == (2, 3, *size)
        torch.testing.assert_close(ours(x), wanted, rtol=0, atol=1e-12)
        torch.testing.assert_close(torch.jit.script(ours)(x), wanted, rtol=0, atol=1e-12)
        folded = network.fold().to_torch(dtype=torch.float64, weights=ours.state_dict()).eval()
        torch.testing.assert_close(folded(x), wanted, rtol=0, atol=1e-12)


def test_layers_after_a_pool_can_be_tapped(tmp_path):
    text = """
use std.cnn { conv_bn_relu }
network base {
  input x: f32[B = 1, 3, H = 12, W = 12]
  y, places = x -> a: conv(4, 3) -> pool: max_pool(2, indices=true)
  output z = (y, places) -> max_unpool(2, size=[H, W]) -> b: conv(2, 3)
}
network features {
  input x: f32[B = 1, 3, H = 12, W = 12]
  y, places = x -> body: tap(base, "pool")
  output values = y
  output indices = places
}
"""
    (tmp_path / "net.arch").write_text(text, encoding="utf-8")
    network = archspec.load(tmp_path / "net.arch", "features")
    model = network.to_torch()
    assert list(model.state_dict()) == ["body.a.weight", "body.a.bias"]
    y, places = model(torch.randn(1, 3, 7, 9))
    assert y.shape == places.shape == (1, 4, 3, 4)
    assert places.dtype == torch.int64
