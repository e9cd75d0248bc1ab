"""The authors' networks for Caffe have other layers than those for PyTorch."""

import pytest
from torch import nn

from tests.specs.compiled import shipped

NAMES = {nn.Conv2d: "conv", nn.BatchNorm2d: "norm", nn.ReLU: "relu", nn.MaxPool2d: "pool"}


def features(name):
    return shipped(name).to_torch(device="meta").features


def layers(name):
    found = (NAMES.get(type(layer)) for layer in features(name))
    return [kind for kind in found if kind]


@pytest.mark.parametrize("size", ["5m", "310k", "460k"])
def test_order_of_layers_in_caffe(size):
    unit, bare = ["conv", "norm", "relu"], ["conv", "relu"]
    begin = [*unit * 4, "pool", *unit * 2]
    end = [*unit * 2, "pool", *unit, *bare * 2, "pool", *bare]
    assert layers(f"simplenet_cifar_{size}_caffe") == [
        *begin,
        *["conv", "pool", "norm", "relu"],
        *end,
    ]


def test_order_of_layers_in_pytorch():
    unit = ["conv", "norm", "relu"]
    assert layers("simplenet_cifar_5m") == [
        *[*unit * 4, "pool", *unit * 3, "pool"],
        *[*unit * 2, "pool", *unit * 3, "pool", *unit],
    ]


def test_dropout_in_caffe():
    found = list(features("simplenet_cifar_5m_caffe"))
    drops = [i for i, layer in enumerate(found) if isinstance(layer, nn.Dropout)]
    before = [NAMES[type(found[i - 1])] for i in drops]
    assert before == [*["relu"] * 3, "pool", *["relu"] * 7, "pool"]
    assert {found[i].p for i in drops} == {0.2}
    assert isinstance(found[drops[8] + 1], nn.MaxPool2d)
