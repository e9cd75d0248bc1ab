"""The variants for CIFAR: as deep as in the paper, with masks down to 4x4."""

import pytest
import torch
from torch import nn

from tests.specs.compiled import shipped


def trunk(module):
    """Layers with weights outside masks and shortcuts."""
    return [
        name
        for name, part in module.named_modules()
        if isinstance(part, nn.Conv2d | nn.Linear) and "mask" not in name and "branch2" not in name
    ]


@pytest.mark.parametrize("modules", [1, 2, 6])
def test_depth_of_the_trunk(modules):
    network = shipped("residual_attention_cifar", modules=modules)
    assert len(trunk(network.to_torch(device="meta"))) == 36 * modules + 20


def test_depth_of_the_trunk_for_imagenet():
    assert len(trunk(shipped("attention56").to_torch(device="meta"))) == 56
    assert len(trunk(shipped("attention92").to_torch(device="meta"))) == 92


def test_smallest_masks_are_4x4(monkeypatch):
    module = shipped("attention56_cifar10").to_torch(device="meta").eval()
    seen = []
    pooled = nn.functional.max_pool2d

    def watched(x, *args, **options):
        y = pooled(x, *args, **options)
        seen.append(tuple(y.shape[1:]))
        return y

    monkeypatch.setattr(nn.functional, "max_pool2d", watched)
    assert module(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 10)
    assert seen == [(64, 16, 16), (64, 8, 8), (64, 4, 4), (128, 8, 8), (128, 4, 4), (256, 4, 4)]
