"""Blocks of convolutional networks."""

import shutil

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from archspec.shipped import networks

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
        ("conv_bn(4, 1, 2)", "f32[B, 4, (H + 1)//2, (W + 1)//2]", 4 * 8 + 8),
        ("depthwise_conv(5)", "f32[B, 8, H, W]", 8 * 25 + 8),
        ("separable_conv(4, 5, 2)", "f32[B, 4, (H + 1)//2, (W + 1)//2]", 200 + 16 + 32 + 8),
        ("double_conv(4)", "f32[B, 4, H, W]", 4 * 8 * 9 + 8 + 4 * 4 * 9 + 8),
        ("double_conv(4, 2, norm=identity, bias=true)", "f32[B, 4, H, W]", 146 + 76),
        ("up_conv(4)", "f32[B, 4, 2*H, 2*W]", 8 * 4 * 4 + 4),
        ("squeeze_excite(2)", "f32[B, 8, H, W]", 8 * 2 + 2 + 2 * 8 + 8),
        ("gnconv(1)", "f32[B, 8, H, W]", 144 + 400 + 72),
        ("gnconv(2, identity)", "f32[B, 8, H, W]", 144 + 40 + 72),
        ("standard_conv(4, 3, 2)", "f32[B, 4, (H + 1)//2, (W + 1)//2]", 4 * 8 * 9),
        ("standard_conv(4, 3, padding=0, groups=2)", "f32[B, 4, H - 2, W - 2]", 4 * 4 * 9),
        ("blur_pool", "f32[B, 8, (H + 1)//2, (W + 1)//2]", 0),
        ("blur_pool(5, 1)", "f32[B, 8, H, W]", 0),
        ("same_padding(3, 2)", "f32[B, 8, 2*((H + 1)//2) + 1, 2*((W + 1)//2) + 1]", 0),
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


def test_parameter_names(network, weights):
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


def test_standard_conv_has_filters_of_mean_0_and_variance_1(network):
    module = network(IMAGE, "f: standard_conv(4, 3, 2)", "std.cnn").to_torch(seed=1)
    x, w = torch.randn(2, 8, 9, 9), module.f.weight
    variance, mean = torch.var_mean(w, (1, 2, 3), unbiased=False, keepdim=True)
    wanted = F.conv2d(x, (w - mean) / (variance + 1e-8).sqrt(), stride=2, padding=1)
    torch.testing.assert_close(module(x), wanted)
    with torch.no_grad():
        w.mul_(3.0).add_(2.0)
    torch.testing.assert_close(module(x), wanted)


def test_squeeze_excite(network):
    module = (
        network(IMAGE, "se: squeeze_excite(2, gelu, hard_sigmoid)", "std.cnn").to_torch().eval()
    )
    x = torch.randn(2, 8, 9, 9)
    gate = module.se.fc2(F.gelu(module.se.fc1(x.mean((2, 3), keepdim=True))))
    with torch.inference_mode():
        torch.testing.assert_close(module(x), x * F.hardsigmoid(gate))


@pytest.mark.parametrize(
    ("width", "parameters"),
    [(64, 680), (256, 8_564), (512, 33_412), (1024, 132_260), (2048, 526_564)],
)
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


@pytest.mark.parametrize(
    ("width", "stride", "wanted", "parameters"),
    [(64, 1, "f32[B, 64, H, W]", 4_388), (128, 2, "f32[B, 128, H//2, W//2]", 17_096)],
)
def test_shapes_and_parameters_of_involution(network, width, stride, wanted, parameters):
    shape = f"[B = 1, {width}, H = 8, W = 6] where H % 2 == 0, W % 2 == 0"
    net = network(shape, f"involution(7, {stride})", "std.cnn")
    assert output(net) == wanted
    assert net.parameters == parameters


@pytest.mark.parametrize("stride", [1, 2])
def test_involution_is_a_weighted_sum_over_windows(network, stride):
    shape = "[B = 2, 8, H = 6, W = 4] where H % 2 == 0, W % 2 == 0"
    net = network(shape, f"inv: involution(3, {stride}, 4, 2)", "std.cnn")
    module = net.to_torch(seed=0).eval()
    x = torch.randn(2, 8, 6, 4)
    with torch.inference_mode():
        found = module(x)
        weights = module.inv.conv2.conv(module.inv.conv1(F.avg_pool2d(x, stride)))
    padded = F.pad(x, (1, 1, 1, 1))
    for channel, i, j in [(0, 0, 0), (3, 1, 1), (4, 2, 0), (7, 2, 1)]:
        window = padded[:, channel, i * stride : i * stride + 3, j * stride : j * stride + 3]
        group = 9 * (channel // 4)
        wanted = (window.flatten(1) * weights[:, group : group + 9, i, j]).sum(1)
        torch.testing.assert_close(found[:, channel, i, j], wanted)


@pytest.mark.parametrize("module", ["cbam", "involution(3)"])
def test_modules_attach_to_blocks_of_resnet(module, tmp_path):
    """They are layers, and keep their labels."""
    shutil.copy(networks()["resnet"], tmp_path)
    path = tmp_path / "host.arch"
    host = f"preset host = resnet(basic(attend=extra: {module}), [1, 1, 1, 1])"
    path.write_text(f"language 1\nuse std.cnn\nuse resnet {{ basic, resnet }}\n{host}\n")
    net = load(path, "host")
    assert {
        name.split(".")[2] for name in net.to_torch(device="meta").state_dict() if "layer" in name
    } >= {"extra", "conv2"}
    assert net.to_torch(seed=0).eval()(torch.randn(1, 3, 32, 32)).isfinite().all()


def test_squeeze_excite_with_other_names(network, weights):
    net = network(IMAGE, 'se: squeeze_excite(2, names=["down", "up"])', "std.cnn")
    assert [*weights(net)] == ["se.down.weight", "se.down.bias", "se.up.weight", "se.up.bias"]


def test_gnconv(network):
    """The paper's recursion, order 3: widths 2, 4 and 8."""
    module = network(IMAGE, "g: gnconv(3)", "std.cnn").to_torch().eval().g
    x = torch.randn(2, 8, 9, 9)
    with torch.inference_mode():
        first, around = module.proj_in(x).split([2, 14], dim=1)
        gates = (module.dwconv(around) / 3).split([2, 4, 8], dim=1)
        y = module.pws[1](module.pws[0](first * gates[0]) * gates[1]) * gates[2]
        torch.testing.assert_close(module(x), module.proj_out(y))


def test_gnconv_has_the_published_number_of_weights(network):
    net = network("[B = 1, 64, H = 14, W = 14]", "gnconv(5)", "std.cnn")
    assert net.parameters == 21_520


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 3), (2, 2)])
def test_padding_of_tensorflow(network, kernel, stride):
    """Half of the padding, rounded down, comes first, and the size is ceil(size / stride)."""
    stage = f"same_padding({kernel}, {stride}) -> conv(4, {kernel}, {stride}, padding=0)"
    net = network("[B = 1, 8, H = 9, W = 10]", stage, "std.cnn")
    size = "{0}" if stride == 1 else f"({{0}} + {stride - 1})//{stride}"
    assert output(net) == f"f32[B, 4, {size.format('H')}, {size.format('W')}]"
    x = torch.randn(1, 8, 9, 10)
    sides = []
    for axis in (3, 2):
        total = (-(-x.shape[axis] // stride) - 1) * stride + kernel - x.shape[axis]
        sides += [total // 2, total - total // 2]
    module = net.to_torch().eval()
    with torch.inference_mode():
        torch.testing.assert_close(module(x), module.conv(F.pad(x, sides)))


def test_maxout(network):
    net = network(IMAGE, "maxout(4)", "std.cnn")
    assert output(net) == "f32[B, 2, H, W]"
    x = torch.randn(2, 8, 9, 9)
    wanted = torch.stack([x[:, :4].max(1).values, x[:, 4:].max(1).values], 1)
    torch.testing.assert_close(net.to_torch()(x), wanted)
