"""Convolutions with curves for weights, and what attaches them to the stages of a network."""

import pytest
import torch
import torch.nn.functional as F

IMAGE = "[B = 2, 8, H = 9, W = 9]"


@pytest.mark.parametrize(
    ("kernel", "stride", "degree"), [(3, 1, 3), (3, 2, 3), (5, 2, 1), (1, 1, 5)]
)
def test_every_tap_has_a_curve_of_its_own(network, kernel, stride, degree):
    net = network(IMAGE, f"kan: kan_conv({kernel}, {stride}, {degree})", "std.cnn")
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


@pytest.mark.parametrize(
    ("stage", "stride", "wanted"),
    [
        ("conv1: conv(6, 3, stride=2) -> relu", 2, "f32[B, 6, (H + 1)//2, (W + 1)//2]"),
        ("proj: residual(f: conv(8, 3))", 1, "f32[B, 8, H, W]"),
    ],
)
def test_rkan_stands_beside_any_stage(network, weights, stage, stride, wanted):
    net = network(IMAGE, f"rkan({stage}, stride={stride}, reduce=2)", "std.cnn")
    ((kind,),) = [item.types for item in net.outputs]
    assert str(kind) == wanted
    assert weights(net)["reduce.weight"] == (4, 8, 1, 1)
    assert len(weights(net)) == 2 + 1 + 3 + 1 + 2


def test_rkan_can_be_merged_by_another_layer(network):
    module = network(IMAGE, "rkan(f: identity, 1, merge=mul)", "std.cnn").to_torch().eval()
    x = torch.randn(2, 8, 9, 9)
    with torch.inference_mode():
        curved = module.norm(module.expand(module.kan(module.reduce(x))))
        torch.testing.assert_close(module(x), x * curved)
