"""Parameters and MACs of `specs/sic.arch`, calculated from the paper's description of its layers.

A layer costs 9C + C² in the paper; its parts, and the tables of ResNet and VGG, give the networks.
A cost is an array of parameters and multiply-accumulates, of convolutions and matrix products.
`test_counts.py` compares the networks with the same numbers.
"""

import numpy
import pytest

from archspec.shipped import networks
from tests.specs.families import family

COUNTS = family("sic")["counts"]


def conv(fan, width, window, size):
    """A convolution without bias: each of `width` outputs reads `fan` channels."""
    weights = fan * width * window**2
    return numpy.array([weights, weights * size**2])


def norm(width):
    return numpy.array([2 * width, 0])


def linear(fan, width):
    return numpy.array([fan * width + width, fan * width])


def standard(fan, width, size):
    return conv(fan, width, 3, size) + norm(width)


def channels(fan, width):
    """The number of channels from which one output of the projection is computed: all of them."""
    return fan


def quarter(fan, width):
    """Of the projection on a grid, which is only used if the width does not change."""
    return fan // 4 if fan == width else fan


def sic(fan, width, size, read=channels, norms=True):
    """The intra-channel convolution (9C) and the projection (C²)."""
    layer = conv(1, fan, 3, size) + conv(read(fan, width), width, 1, size)
    return layer + norms * (norm(fan) + norm(width))


def bottleneck(fan, width, size, read=channels):
    """A window of 2x2 on each channel, down and up, with the projection at half the size."""
    low = -(-size // 2)
    layer = conv(1, fan, 2, low) + conv(read(fan, width), width, 1, low) + conv(1, width, 2, low)
    return layer + norm(fan) + norm(width)


def two(layer, **how):
    """The replacement of one convolution. A stride is in the first part, so `size` is after it."""
    return lambda fan, width, size: layer(fan, fan, size, **how) + layer(fan, width, size, **how)


def compared(layer):
    """Networks A to E: 221 pixels, a window of 7 with stride 2, poolings to 36, 18 and 6."""
    cost = conv(3, 64, 7, 108) + norm(64) + linear(512, 1000)
    for fan, width, size in ((64, 128, 36), (128, 256, 18), (256, 512, 6)):
        cost += layer(fan, width, size) + layer(width, width, size)
    return cost


def units(fan, widths, depths, size, layer):
    """The blocks of a ResNet: two convolutions, each with its norm."""
    cost = 0
    for i, (width, n) in enumerate(zip(widths, depths, strict=True)):
        for j in range(n):
            size = size // 2 if i > 0 and j == 0 else size
            cost += layer(fan, width, size) + layer(width, width, size) + 2 * norm(width)
            fan = width
    return cost


def resnet(depths, read=channels):
    """For ImageNet: 224 pixels, stages from 56 on, projection shortcuts where the width grows."""
    widths = (64, 128, 256, 512)
    layers = units(64, widths, depths, 56, two(sic, read=read, norms=False))
    shortcuts = sum(
        conv(fan, width, 1, size) + norm(width)
        for fan, width, size in ((64, 128, 28), (128, 256, 14), (256, 512, 7))
    )
    return conv(3, 64, 7, 112) + norm(64) + layers + shortcuts + linear(512, 1000)


def resnet_cifar(depth):
    """6n + 2 layers, shortcuts without weights."""
    layers = units(16, (16, 32, 64), [depth // 6] * 3, 32, two(sic, norms=False))
    return conv(3, 16, 3, 32) + norm(16) + layers + linear(64, 10)


def vgg(layer):
    """VGG-16 at 32 pixels, whose first three convolutions are kept, and one linear layer."""
    cost = standard(3, 64, 32) + standard(64, 64, 32) + standard(64, 128, 16)
    cost += layer(128, 128, 16) + layer(128, 256, 8) + 2 * layer(256, 256, 8)
    cost += layer(256, 512, 4) + 2 * layer(512, 512, 4) + 3 * layer(512, 512, 2)
    return cost + linear(512, 10)


BY_HAND = {
    "sic_a": compared(standard),
    "sic_b": compared(two(sic)),
    "sic_c": compared(two(sic, read=quarter)),
    "sic_d": compared(two(bottleneck)),
    "sic_e": compared(two(bottleneck, read=quarter)),
    "resnet18_sic": resnet([2, 2, 2, 2]),
    "resnet34_sic": resnet([3, 4, 6, 3]),
    "resnet18_sic_windows": resnet([2, 2, 2, 2], read=quarter),
    "resnet20_sic_cifar10": resnet_cifar(20),
    "resnet56_sic_cifar10": resnet_cifar(56),
    "resnet110_sic_cifar10": resnet_cifar(110),
    "vgg16_sic": vgg(two(sic)),
    "vgg16_sic_bottleneck": vgg(two(bottleneck)),
}


def test_layer_costs_without_norms_agree_with_the_paper():
    assert [*sic(12, 12, 9, norms=False)] == [9 * 12 + 12**2, 9 * 9 * (9 * 12 + 12**2)]


@pytest.mark.parametrize("name", BY_HAND)
def test_counts_agree_with_the_arithmetic(name):
    parameters, macs = map(int, BY_HAND[name])
    assert COUNTS[name] == {"parameters": parameters, "macs": macs}


def test_every_preset_is_counted():
    presets = {name for name, path in networks().items() if path.stem == "sic"}
    assert set(BY_HAND) == presets - {"sic_comparison", "vgg_sic"}
