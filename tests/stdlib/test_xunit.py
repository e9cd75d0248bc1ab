"""Activations with a spatial neighbourhood, alone and in networks that take an activation."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from archspec.shipped import networks

IMAGE = "[B = 2, 8, H = 9, W = 9]"


@pytest.mark.parametrize(
    ("unit", "parameters"),
    [
        ("xunit", 8 * 81 + 8 + 32),
        ("xunit(7, bias=false)", 8 * 49 + 32),
        ('xunit(7, "slim", gate=sigmoid)', 8 * 49 + 8 + 16),
        ('xunit(7, "slim", identity, sigmoid)', 8 * 49 + 8),
        ('xunit(7, "dense", gate=sigmoid)', 8 * 8 + 8 + 8 * 49 + 8 + 32),
    ],
)
def test_forms(network, unit, parameters):
    net = network(IMAGE, unit, "std.cnn")
    ((kind,),) = [item.types for item in net.outputs]
    assert str(kind) == "f32[B, 8, H, W]"
    assert net.parameters == parameters


def test_gate_agrees_with_the_paper(network, weights):
    net = network(IMAGE, "u: xunit(5)", "std.cnn")
    assert [*weights(net)] == [
        f"u.features.{name}"
        for name in ("0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias")
    ]
    module = net.to_torch(seed=0).eval()
    window = module.get_parameter("u.features.2.weight")
    x = torch.randn(2, 8, 9, 9)
    with torch.inference_mode():
        scale = (1 + 1e-5) ** -0.5  # of a batch norm with initial values
        near = F.conv2d(F.relu(x * scale), window, padding=2, groups=8)
        near = (near + module.get_parameter("u.features.2.bias").view(-1, 1, 1)) * scale
        torch.testing.assert_close(module(x), x * torch.exp(-near.square()))


@pytest.mark.parametrize(
    ("host", "options", "size"),
    [("resnet18", "[1, 1, 1, 1]", 32), ("densenet121", "[1, 1, 1, 1]", 64)],
)
def test_xunit_as_the_activation_of_networks(tmp_path, host, options, size):
    path = tmp_path / "net.arch"
    stem = networks()[host].stem
    path.write_text(
        f"use std.cnn {{ xunit }}\nuse {stem} {{ {host} }}\n"
        f'preset net = {host}(depths={options}, act=xunit(3, "slim", gate=sigmoid), classes=3)\n',
        encoding="utf-8",
    )
    path.with_name(f"{stem}.arch").write_bytes(networks()[host].read_bytes())
    net = load(path, "net")
    plain = load(networks()[host], host, depths=(1, 1, 1, 1), classes=3)
    assert net.parameters > plain.parameters
    with torch.inference_mode():
        assert net.to_torch().eval()(torch.randn(1, 3, size, size)).shape == (1, 3)
