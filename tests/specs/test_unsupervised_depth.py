"""Depth from pairs of images: the loss, and that a disparity is found by it."""

import inspect

import pytest
import torch

from tests.specs.compiled import shipped

SMALL = {"encoder": "encoder([8, 8], [1, 1, 1, 1], [4, 4, 4, 4])"}


def build(**options):
    return shipped("unsupervised_depth", **SMALL, **options).to_torch(seed=1)


def gradients(x):
    """Central differences along rows and columns, without the border."""
    down = (x[:, :, 2:, 1:-1] - x[:, :, :-2, 1:-1]) / 2
    right = (x[:, :, 1:-1, 2:] - x[:, :, 1:-1, :-2]) / 2
    return down, right


def test_loss_agrees_with_the_formula():
    module = build(first="normal", smooth=0.3).train()
    left, right = (100 * torch.randn(2, 3, 32, 64) for _ in range(2))
    found = module(left, right)
    disparity = found.disparity
    columns = torch.arange(64) + disparity
    a = columns.floor()
    warped = torch.zeros(2, 3, 32, 64)
    for near, weight in ((a, 1 - (columns - a)), (a + 1, columns - a)):
        inside = (near >= 0) & (near < 64)
        index = near.clamp(0, 63).long().expand(2, 3, 32, 64)
        warped += (0.004 * right).gather(3, index) * weight * inside
    photometric = (warped - 0.004 * left).abs().sum() / 2
    smoothness = sum(
        (d.abs() * torch.exp(-0.33 * g.abs().sum(1, keepdim=True))).sum() / 2
        for d, g in zip(gradients(disparity), gradients(0.004 * left), strict=True)
    )
    torch.testing.assert_close(found.photometric, photometric)
    torch.testing.assert_close(found.smoothness, smoothness)
    torch.testing.assert_close(found.loss, photometric + 0.3 * smoothness)


def test_inference_takes_one_image():
    network = shipped("unsupervised_depth", **SMALL)
    assert [port.name for port in network.inputs] == ["left"]
    module = network.to_torch(seed=1).eval()
    assert inspect.signature(module.forward).parameters["right"].default is None
    assert module(torch.randn(1, 3, 32, 64)).shape == (1, 1, 32, 64)


def test_disparities_are_learned_from_pairs():
    """The right image is the left one, moved to the left by 3 pixels."""
    module = build().train()
    torch.manual_seed(0)
    wide = torch.nn.functional.avg_pool2d(torch.randn(4, 3, 36, 76), 5, 1) * 500
    left, right = wide[..., :64], wide[..., 3:67]
    optimiser = torch.optim.Adam(
        (weight for weight in module.parameters() if weight.requires_grad), lr=0.05
    )
    before = {name: w.clone() for name, w in module.named_parameters() if not w.requires_grad}
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        found = module(left, right)
        losses.append(found.loss.item())
        found.loss.backward()
        optimiser.step()
    assert losses[-1] < 0.5 * losses[0]
    assert found.disparity[..., 8:-8].mean().item() == pytest.approx(-3, abs=0.5)
    assert all(torch.equal(module.get_parameter(name), w) for name, w in before.items())
