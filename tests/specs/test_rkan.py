"""The curves applied to a stage's input: ways to merge their output, other curves, all hosts."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from tests.specs.compiled import shipped


@pytest.fixture
def merging(tmp_path):
    """A module that merges two tensors as stage 2 of a network does."""

    def made(merge):
        path = tmp_path / "net.arch"
        path.write_text(
            "use std.kan\nnetwork net {\n"
            "  input y: f32[B = 2, 32, H = 7, W = 6], r: f32[B, 32, H, W]\n"
            f"  m = {merge}\n  output (y, r) -> m(2)\n}}\n",
            encoding="utf-8",
        )
        return load(path, "net").to_torch(seed=0).eval()

    return made


def one(of, name):
    return of.get_submodule(f"{name}.2")


def mlp(of, name, x):
    first, second = (of.get_submodule(f"{name}.2.{place}") for place in (1, 3))
    return second(first(x.mean((2, 3), keepdim=True)).relu())


def halves(of, y, r):
    gate, value = r.chunk(2, 1)
    return y + one(of, "glu_conv_upscale")(value * gate.sigmoid())


def shares(of, y, r):
    weights = one(of, "attention_convs")(torch.cat((y, r), 1)).softmax(1)
    return (torch.stack((y, r), 2) * weights[:, None]).sum(2)


def seen(of, y, r):
    highest = F.adaptive_max_pool2d(r, 1)
    r = r * (mlp(of, "cbam_channel", r) + mlp(of, "cbam_channel", highest)).sigmoid()
    maps = torch.stack((r.mean(1), r.amax(1)), 1)
    return y + r * one(of, "cbam_spatial")(maps).sigmoid()


def gated(of, y, r):
    return torch.lerp(r, y, one(of, "gate_convs")(r).sigmoid())


def film(of, y, r):
    return y + y * one(of, "gamma_convs")(r) + one(of, "beta_convs")(r)


MERGES = {
    "addition": lambda of, y, r: y + r,
    "rectified": lambda of, y, r: y + r.relu(),
    "modulation": lambda of, y, r: y * (1 + r.sigmoid()),
    "modulation(f=tanh)": lambda of, y, r: y * (1 + r.tanh()),
    "modulation(f=[sigmoid, tanh] -> mul)": lambda of, y, r: y + r.sigmoid() * r.tanh() * y,
    "exponential": lambda of, y, r: y * r.tanh().exp(),
    "gating": gated,
    "attention": shares,
    "film": film,
    "gated_halves": halves,
    "excitation": lambda of, y, r: y * mlp(of, "se_blocks", r).sigmoid() + r,
    "channels_then_places": seen,
    "scaled": lambda of, y, r: y + one(of, "scaling_factor") * r,
    "scaled(merge=film)": lambda of, y, r: film(of, y, one(of, "scaling_factor") * r),
}


@pytest.mark.parametrize("merge", MERGES)
def test_ways_to_merge(merging, merge):
    module = merging(merge)
    for weight in module.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    y, r = torch.randn(2, 2, 32, 7, 6)
    with torch.inference_mode():
        torch.testing.assert_close(module(y, r), MERGES[merge](Named(module), y, r))
    if any(True for _ in module.parameters()):
        module(y, r).square().sum().backward()
        assert all(weight.grad.abs().sum() > 0 for weight in module.parameters())


class Named:
    """Access to weights of a module, and layers, by their names."""

    def __init__(self, module):
        self.module = module

    def get_submodule(self, name):
        weights = dict(self.module.named_parameters())
        return weights[name] if name in weights else self.module.get_submodule(name)


HOSTS = {
    "rkan_resnet18_s4_r1": {"depths": (1, 1, 1, 1)},
    "rkan_densenet121_s4_r1": {"depths": (2, 2, 2, 2)},
    "rkan_regnet_y_800mf_s3_r1": {},
    "rkan_vgg11_bn_s4_r1": {},
    "rkan_convnext_tiny_s4_r1": {"depths": (1, 1, 1, 1)},
}


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("host", HOSTS)
def test_every_network_has_curves_at_every_stage(host, small):
    """Spatial sizes of stages and curves agree, and weights are named by stage."""
    net = shipped(host, reduce=(2, 2, 2, 2), small=small, **HOSTS[host])
    assert net.accepts(H=64, W=32)
    names = net.to_torch(device="meta").state_dict()
    for stage in range(4):
        assert f"conv_reduce.{stage}.weight" in names


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("curve", ["kan_conv_rbf", "kan_conv_spline"])
def test_every_network_accepts_other_curves_and_merges(host, curve):
    net = shipped(host, curve=curve, merge="film", **HOSTS[host])
    plain = shipped(host, **HOSTS[host])
    assert net.parameters > plain.parameters
    assert {"gamma_convs.3.weight", "beta_convs.3.bias"} <= set(
        net.to_torch(device="meta").state_dict()
    )
