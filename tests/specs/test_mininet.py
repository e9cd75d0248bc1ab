"""MiniNet: one block applied several times, and the views that teach it."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from tests.specs.compiled import shipped

SMALL = {"widths": (4, 6, 8), "times": 2, "scales": 2, "pose_widths": (4, 4)}

VIEW = """
use std.geometry { view_synthesis }

network view {
  input source: f32[B = 2, 3, H = 6, W = 9], depth: f32[B, 1, H, W]
  input pose: f32[B, 6], camera: f32[B, 4]
  output (source, depth, pose -> reshape([B, 6, 1, 1]), camera) -> view_synthesis
}
"""


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    path = tmp_path_factory.mktemp("view") / "view.arch"
    path.write_text(VIEW, encoding="utf-8")
    return load(path).to_torch()


@pytest.fixture
def frame():
    generator = torch.Generator().manual_seed(3)
    depth = 2 + torch.rand(2, 1, 6, 9, generator=generator)
    return torch.randn(2, 3, 6, 9, generator=generator), depth


CAMERA = torch.tensor([[10.0, 12.0, 4.0, 2.5], [9.0, 9.0, 3.5, 3.0]])


def test_parameters_do_not_depend_on_the_number_of_applications():
    counts, depths = [], []
    for times in (1, 2, 6):
        network = shipped("mininet", times=times)
        counts.append(network.parameters)
        depths.append(network.depth)
    assert len(set(counts)) == 1
    assert depths[1] - depths[0] == 5 * 2  # five stages, two layers in a block
    assert depths[2] - depths[1] == 4 * 5 * 2


def test_the_block_is_applied_again_with_the_same_weights():
    module = shipped("mininet", **SMALL).to_torch(seed=1).eval()
    stage = module.depth_net.encoder[1]
    x = torch.randn(2, 4, 8, 10)
    y = stage.down(x)
    for _ in range(2):
        y = y + stage.step(y)
    torch.testing.assert_close(stage(x), y)


def test_inference_has_less_than_half_a_million_parameters():
    module = shipped("mininet").to_torch(device="meta")
    assert sum(p.numel() for p in module.depth_net.parameters()) < 500_000


def test_disparities_have_four_sizes_and_are_bounded():
    module = shipped("mininet").to_torch(seed=1).eval()
    found = module(torch.randn(1, 3, 50, 70))
    sizes = [(7, 9), (13, 18), (25, 35), (50, 70)]
    assert [tuple(x.shape) for x in found] == [(1, 1, *size) for size in sizes]
    for x in found:
        assert 0.01 <= x.min() <= x.max() <= 10.01


def test_without_motion_the_view_is_the_image(view, frame):
    torch.testing.assert_close(view(*frame, torch.zeros(2, 6), CAMERA), frame[0])


def test_a_sideways_motion_shifts_by_the_disparity(view, frame):
    """At a depth of 5 and a focal length of 10, one unit is two columns."""
    source, _ = frame
    pose = torch.tensor([[1.0, 0, 0, 0, 0, 0]]).expand(2, 6)
    camera = torch.tensor([[10.0, 10.0, 4.0, 2.5]]).expand(2, 4)
    found = view(source, torch.full((2, 1, 6, 9), 5.0), pose, camera)
    torch.testing.assert_close(found[..., :7], source[..., 2:])
    assert not found[..., 7:].any()  # outside of the image


def test_a_quarter_turn_around_the_axis_of_the_camera_turns_the_image(view):
    source = torch.arange(2 * 3 * 6 * 9, dtype=torch.float).view(2, 3, 6, 9)
    pose = torch.tensor([[0, 0, 0, 0, 0, torch.pi / 2]]).expand(2, 6)
    camera = torch.tensor([[7.0, 7.0, 4.0, 2.5]]).expand(2, 4)
    found = view(source, torch.full((2, 1, 6, 9), 3.0), pose, camera)
    # column 4 + a, row 2.5 + b reads column 4 - b, row 2.5 + a
    wanted = (source[:, :, 1, 4] + source[:, :, 1, 5] + source[:, :, 2, 4] + source[:, :, 2, 5]) / 4
    torch.testing.assert_close(found[:, :, 2, 3], wanted, rtol=1e-4, atol=1e-3)


def test_views_agree_with_matrices(view, frame):
    """Any motion, as a product of rotations around the axes, pixel by pixel."""
    source, depth = frame
    pose = 0.1 * torch.randn(2, 6, generator=torch.Generator().manual_seed(5))
    found = view(source, depth, pose, CAMERA)
    for b in range(2):
        fx, fy, cx, cy = CAMERA[b]
        k = torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
        a, e, r = pose[b, 3:]
        one, zero = torch.ones(()), torch.zeros(())
        pitch = [one, zero, zero, zero, a.cos(), -a.sin(), zero, a.sin(), a.cos()]
        yaw = [e.cos(), zero, e.sin(), zero, one, zero, -e.sin(), zero, e.cos()]
        roll = [r.cos(), -r.sin(), zero, r.sin(), r.cos(), zero, zero, zero, one]
        turn = torch.eye(3)
        for matrix in (pitch, yaw, roll):
            turn = torch.stack(matrix).view(3, 3) @ turn
        rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(9.0), indexing="ij")
        pixels = torch.stack((columns, rows, torch.ones(6, 9))).flatten(1)
        points = turn @ (torch.linalg.inv(k) @ pixels * depth[b].flatten()) + pose[b, :3, None]
        u, v, w = k @ points
        grid = torch.stack(((2 * u / w + 1) / 9 - 1, (2 * v / w + 1) / 6 - 1), 1).view(1, 6, 9, 2)
        wanted = F.grid_sample(source[b : b + 1], grid, align_corners=False)
        torch.testing.assert_close(found[b : b + 1], wanted, rtol=1e-3, atol=1e-4)


def frames(count=2, shift=1):
    """Frames of a plane that moves by whole columns from one to the next."""
    wide = F.avg_pool2d(
        torch.randn(count, 3, 28, 40, generator=torch.Generator().manual_seed(1)), 5, 1
    )
    starts = (4 - shift, 4, 4 + shift)
    before, image, after = (3 * wide[..., at : at + 28] for at in starts)
    return image, torch.tensor([[20.0, 20.0, 13.5, 11.5]]).expand(count, 4), before, after


def test_losses_agree_with_their_formulas(view):
    module = shipped("mininet", smooth=0.3, **SMALL).to_torch(seed=1).train()
    image, camera, before, after = frames()
    found = module(image, camera, before, after)
    photometric, smoothness = 0.0, 0.0
    for disparity in found.disparities:
        d = F.interpolate(disparity, image.shape[2:], mode="bilinear")
        for other in (before, after):
            pose = module.losses.pose_net(image, other).flatten(1)
            photometric += F.l1_loss(view(other, 1 / d, pose, camera), image)
        even = d / d.mean((2, 3), keepdim=True)
        for axis in (2, 3):
            edges = (-image.diff(dim=axis).abs().mean(1, keepdim=True)).exp()
            smoothness += (even.diff(dim=axis).abs() * edges).mean()
    torch.testing.assert_close(found.photometric, photometric)
    torch.testing.assert_close(found.smoothness, smoothness)
    torch.testing.assert_close(found.loss, photometric + 0.3 * smoothness)


def test_disparities_and_motions_are_learned_together():
    module = shipped("mininet", **SMALL).to_torch(seed=1).train()
    data = frames()
    optimiser = torch.optim.Adam(module.parameters(), lr=2e-3)
    losses = []
    for _ in range(60):
        found = module(*data)
        optimiser.zero_grad()
        found.loss.backward()
        optimiser.step()
        losses.append(float(found.photometric.detach()))
    assert losses[-1] < 0.8 * losses[0]
    for name in ("depth_net.encoder.0.down.depthwise.weight", "losses.pose_net.pose.weight"):
        assert module.get_parameter(name).grad.abs().max() > 0
