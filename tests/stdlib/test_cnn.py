"""Blocks of convolutional networks."""

import pytest
import torch
import torch.nn.functional as F

IMAGE = "[B = 2, 8, H = 9, W = 9]"


def output(network):
    ((kind,),) = [item.types for item in network.outputs]
    return str(kind)


@pytest.mark.parametrize(
    ("stage", "wanted", "parameters"),
    [
        ("conv_bn_relu(4)", "f32[B, 4, H, W]", 4 * 8 * 9 + 8),
        ("conv_bn_relu(4, (1, 3), 2)", "f32[B, 4, (H + 1)//2, (W + 1)//2]", 4 * 8 * 3 + 8),
        ("conv_bn_relu(4, groups=4, bias=true)", "f32[B, 4, H, W]", 4 * 2 * 9 + 4 + 8),
        ("conv_bn_relu(4, norm=group_norm(2))", "f32[B, 4, H, W]", 4 * 8 * 9 + 8),
        ("conv_bn_relu(4, padding=0, dilation=2)", "f32[B, 4, H - 4, W - 4]", 4 * 8 * 9 + 8),
        ("depthwise_conv(5)", "f32[B, 8, H, W]", 8 * 25 + 8),
        ("separable_conv(4, 5, 2)", "f32[B, 4, (H + 1)//2, (W + 1)//2]", 200 + 16 + 32 + 8),
        ("double_conv(4)", "f32[B, 4, H, W]", 4 * 8 * 9 + 8 + 4 * 4 * 9 + 8),
        ("double_conv(4, 2, norm=identity, bias=true)", "f32[B, 4, H, W]", 146 + 76),
        ("up_conv(4)", "f32[B, 4, 2*H, 2*W]", 8 * 4 * 4 + 4),
        ("squeeze_excite(2)", "f32[B, 8, H, W]", 8 * 2 + 2 + 2 * 8 + 8),
    ],
)
def test_shapes_and_parameters(network, stage, wanted, parameters):
    net = network(IMAGE, stage, "std.cnn")
    assert output(net) == wanted
    assert net.parameters == parameters


@pytest.mark.parametrize("shape", ["[B = 1, 8, L = 9]", "[B = 1, 8, D = 5, H = 5, W = 5]"])
def test_any_number_of_spatial_axes(network, shape):
    net = network(
        shape, "conv_bn_relu(4) -> separable_conv(6) -> double_conv(2) -> up_conv(3)", "std.cnn"
    )
    assert output(net).startswith("f32[B, 3, 2*")


def test_names(network, weights):
    net = network(IMAGE, "conv_bn_relu(4) -> depthwise_conv -> up_conv(4)", "std.cnn")
    assert [*weights(net)] == [
        "conv_bn_relu.conv.weight",
        "conv_bn_relu.norm.weight",
        "conv_bn_relu.norm.bias",
        "conv.weight",
        "conv.bias",
        "conv_transpose.weight",
        "conv_transpose.bias",
    ]


def test_squeeze_excite(network):
    module = (
        network(IMAGE, "se: squeeze_excite(2, gelu, hard_sigmoid)", "std.cnn").to_torch().eval()
    )
    x = torch.randn(2, 8, 9, 9)
    gate = module.se.fc2(F.gelu(module.se.fc1(x.mean((2, 3), keepdim=True))))
    with torch.inference_mode():
        torch.testing.assert_close(module(x), x * F.hardsigmoid(gate))


@pytest.mark.parametrize(("width", "parameters"), [(64, 680), (256, 8_564), (2048, 526_564)])
def test_parameters_of_cbam(network, width, parameters):
    assert network(f"[B = 1, {width}, H = 7, W = 7]", "cbam", "std.cnn").parameters == parameters


@pytest.mark.parametrize("order", ["channel", "spatial", "parallel"])
def test_orders_of_cbam(network, order):
    stage = f'cbam: cbam(4, 3, order="{order}")'
    module = network(IMAGE, stage, "std.cnn").to_torch(seed=0).eval()
    torch.nn.init.ones_(module.cbam.SpatialGate.spatial.bn.weight)
    x = torch.randn(2, 8, 9, 9)
    channel, spatial = module.cbam.ChannelGate, module.cbam.SpatialGate
    wanted = {
        "channel": lambda: (y := x * channel(x)) * spatial(y),
        "spatial": lambda: (y := x * spatial(x)) * channel(y),
        "parallel": lambda: x * channel(x) * spatial(x),
    }
    with torch.inference_mode():
        torch.testing.assert_close(module(x), wanted[order]())
