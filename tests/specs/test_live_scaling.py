"""Networks scaled in width and depth have the parameters of those that torchvision and timm scale.

The numbers for some factors are in `families/`; this test compares them with their source.
"""

from math import ceil

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.specs.compiled import shipped

torchvision = pytest.importorskip("torchvision")
efficientnet = pytest.importorskip("timm.models.efficientnet")

pytestmark = pytest.mark.live

# expansion, width, repeats, stride
STAGES = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]


class ScaledResNet(torchvision.models.ResNet):
    """ResNet-50 with another number of channels after its first convolution."""

    def __init__(self, width, depth):
        self.width = width
        depths = [ceil(n * depth) for n in (3, 4, 6, 3)]
        super().__init__(torchvision.models.resnet.Bottleneck, depths)
        self.fc = nn.Linear(self.inplanes, 1000)

    def _make_layer(self, block, planes, *more, **named):
        if planes == 64:
            self.inplanes = self.width
            self.conv1 = nn.Conv2d(3, self.width, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(self.width)
        return super()._make_layer(block, planes * self.width // 64, *more, **named)


def mobilenetv1(width, depth):
    reference = efficientnet._gen_mobilenet_v1("mobilenetv1_100", width, depth)
    return shipped("mobilenetv1", factor=width, depth=depth), reference


def mobilenet_v2(width, depth):
    stages = [[*ends, ceil(n * depth), stride] for *ends, n, stride in STAGES]
    reference = torchvision.models.MobileNetV2(width_mult=width, inverted_residual_setting=stages)
    return shipped("mobilenet_v2", width=width, depth=depth), reference


def resnet50(width, depth):
    channels = round(64 * width)
    return shipped("resnet50", width=channels, depth=depth), ScaledResNet(channels, depth)


@pytest.mark.parametrize(
    ("width", "depth", "size"),
    [(2.0, 1.0, 224), (1.0, 4.0, 224), (1.0, 1.0, 448), (1.2, 1.4, 288), (0.5, 1.0, 224)],
)
@pytest.mark.parametrize("scaled", [mobilenetv1, mobilenet_v2, resnet50])
def test_counts_agree_with_the_reference(scaled, width, depth, size):
    with torch.device("meta"):
        network, reference = scaled(width, depth)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            reference.eval()(torch.empty(1, 3, size, size))
    assert network.parameters == sum(value.numel() for value in reference.parameters())
    assert network.macs(H=size, W=size) == counter.get_total_flops() // 2
