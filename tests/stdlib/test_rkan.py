"""Convolutions with learned curves, and the layer that attaches them to stages of a network."""

import math

import pytest
import torch
import torch.nn.functional as F

IMAGE = "[B = 2, 8, H = 9, W = 9]"


@pytest.mark.parametrize(
    ("kernel", "stride", "degree"), [(3, 1, 3), (3, 2, 3), (5, 2, 1), (1, 1, 5)]
)
def test_every_tap_has_its_own_curve(network, kernel, stride, degree):
    net = network(IMAGE, f"kan: kan_conv({kernel}, {stride}, {degree})", "std.kan")
    assert net.parameters == kernel**2 * (degree + 3)
    kan = net.to_torch(seed=0).eval()
    line, curves, scaler = (
        kan.get_parameter(f"kan.{name}")
        for name in ("base_linear.weight", "chebyshev_weight", "chebyshev_scaler")
    )
    with torch.no_grad():
        scaler.normal_()
        x = torch.randn(2, 8, 9, 9)
        columns = F.unfold(x, kernel, stride=stride, padding=kernel // 2)
        taps = columns.view(2, 8, kernel**2, -1)
        angle = torch.acos(torch.tanh(taps).clamp(-1 + 1e-6, 1 - 1e-6))
        wanted = torch.einsum("bckn,k->bcn", taps, line[0])
        for n in range(degree + 1):  # T_n(cos a) = cos(n a)
            wanted += torch.einsum("bckn,k->bcn", torch.cos(n * angle), curves[0, :, n] * scaler[0])
        found = kan(x)
    torch.testing.assert_close(found, wanted.view(found.shape), rtol=1e-4, atol=1e-4)


def taps_of(x, kernel, stride):
    """Windows of each channel: [B, C, N, K]."""
    columns = F.unfold(x, kernel, stride=stride, padding=kernel // 2)
    return columns.unflatten(1, (x.shape[1], -1)).transpose(2, 3)


@pytest.mark.parametrize(("kernel", "stride", "count"), [(3, 1, 5), (3, 2, 2), (5, 2, 8)])
def test_curves_of_bumps(network, kernel, stride, count):
    net = network(IMAGE, f"kan: kan_conv_rbf({kernel}, {stride}, {count})", "std.kan")
    taps = kernel**2
    assert net.parameters == 2 * taps + taps * count + taps + 1
    module = net.to_torch(seed=0).eval()
    kan = module.kan
    grid = torch.linspace(-2, 2, count)
    torch.testing.assert_close(kan.rbf.grid, grid)
    x = torch.randn(2, 8, 9, 9)
    v = taps_of(x, kernel, stride)
    normed = F.layer_norm(v, (taps,))
    # a normal curve, as wide as the distance of the points
    near = torch.exp(-(((normed[..., None] - grid) * (count - 1) / 4) ** 2))
    wanted = (near * kan.spline_linear.weight.view(taps, count)).sum((-1, -2))
    wanted = wanted + F.silu(v) @ kan.base_linear.weight[0] + kan.base_linear.bias
    found = module(x)
    torch.testing.assert_close(found, wanted.view(found.shape), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kernel", "stride", "pieces", "order"), [(3, 1, 5, 3), (5, 2, 4, 2)])
def test_curves_of_splines(network, kernel, stride, pieces, order):
    stages = f"kan: kan_conv_spline({kernel}, {stride}, {pieces}, {order})"
    net = network(IMAGE, stages, "std.kan")
    taps = kernel**2
    assert net.parameters == taps * (pieces + order + 2)
    module = net.to_torch(seed=0).eval()
    kan = module.kan
    torch.nn.init.normal_(kan.spline_weight)
    step = 2 / pieces
    x = torch.randn(2, 8, 9, 9) / 2
    v = taps_of(x, kernel, stride)
    wanted = F.silu(v) @ kan.base_weight[0]
    for i in range(pieces + order):
        place = v / step + pieces / 2 - (i - order)  # 0 to order + 1 where the spline is not 0
        wanted = wanted + cardinal(order, place) @ (
            kan.spline_weight[0, :, i] * kan.spline_scaler[0]
        )
    # a spline is truncated at the last piece on either side
    found = module(x)
    torch.testing.assert_close(found, wanted.view(found.shape), rtol=1e-4, atol=1e-4)


def cardinal(order, x):
    """The B-spline with integer knots from 0 on, by differences of powers."""
    total = torch.zeros_like(x, dtype=torch.float64)
    for k in range(order + 2):
        total += (-1) ** k * math.comb(order + 1, k) * (x.double() - k).clamp(min=0) ** order
    return (total / math.factorial(order)).float()


@pytest.mark.parametrize(
    ("stage", "stride", "wanted"),
    [
        ("conv1: conv(6, 3, stride=2) -> relu", 2, "f32[B, 6, (H + 1)//2, (W + 1)//2]"),
        ("proj: residual(f: conv(8, 3))", 1, "f32[B, 8, H, W]"),
    ],
)
def test_rkan_can_be_attached_to_any_stage(network, weights, stage, stride, wanted):
    net = network(IMAGE, f"rkan({stage}, stride={stride}, reduce=2)", "std.kan")
    ((kind,),) = [item.types for item in net.outputs]
    assert str(kind) == wanted
    assert weights(net)["reduce.weight"] == (4, 8, 1, 1)
    assert len(weights(net)) == 2 + 1 + 3 + 1 + 2


def test_rkan_can_be_merged_by_another_layer(network):
    module = network(IMAGE, "rkan(f: identity, 1, merge=mul)", "std.kan").to_torch().eval()
    x = torch.randn(2, 8, 9, 9)
    with torch.inference_mode():
        curved = module.norm(module.expand(module.kan(module.reduce(x))))
        torch.testing.assert_close(module(x), x * curved)
