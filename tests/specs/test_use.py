"""Blocks from papers, used in networks in a user's own file."""

import pytest
import torch

from archspec.loading import load
from tests.specs.compiled import shipped

MINE = """
use convnext { convnext }
use feature_pyramid { fpn, rpn }
use regnet { regnet }
use resnet { basic, bottleneck, resnet }
use std.attention { attention_pool }
use std.cnn { cbam, feature_pyramid, gnconv }

preset attended = resnet(basic(attend=cbam: cbam), [2, 2, 2, 2])
preset pooled = resnet(bottleneck, [3, 4, 6, 3], pool=attention_pool)
preset recursive = convnext(mixer=gnconv(3))
preset maps = fpn(resnet(norm=frozen_batch_norm))

network anything(body: layer = regnet, stages: list[str] = ["block2", "block3"]) {
  input image: f32[B = 1, 3, H = 64, W = 64]
  ...seen = image -> body: tap(body, ...["trunk_output.{stage}" for stage in stages])
  weighed = (x -> "cbam.{i}": cbam for i, x in enumerate(seen))
  low, high = weighed -> fpn: feature_pyramid(32, gnconv(2, scale=1.0))
  output classes = high -> pool: attention_pool(heads=4) -> fc: linear(4)
  output low
}
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    path = tmp_path_factory.mktemp("user") / "mine.arch"
    path.write_text(MINE, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("attended", "resnet18_cbam"),
        ("pooled", "resnet50_attention_pool"),
        ("recursive", "convnext_tiny_gnconv"),
        ("maps", "resnet50_fpn"),
    ],
)
def test_user_file_equals_the_shipped_network(mine, name, same):
    own, published = load(mine, name), shipped(same)
    assert own.warnings == ()
    assert own.parameters == published.parameters
    assert own.report().macs == published.report().macs
    states = [net.to_torch(device="meta").state_dict() for net in (own, published)]
    assert [(key, value.shape) for key, value in states[0].items()] == [
        (key, value.shape) for key, value in states[1].items()
    ]


def test_all_library_parts_on_one_backbone(mine):
    network = load(mine, "anything")
    assert network.warnings == ()
    classes, low = network.to_torch().eval()(torch.randn(2, 3, 64, 96))
    assert classes.shape == (2, 4)
    assert low.shape[:2] == (2, 32)
