"""Blocks for images as samples of a plane."""

import pytest
import torch

from archspec.loading import load


@pytest.fixture
def warp(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "use std.geometry { warp }\n"
        "network net {\n"
        "  input x: f32[B = 2, 3, H = 7, W = 9], u: f32[B, 1, H, W], v: f32[B, 1, H, W]\n"
        "  output y = (x, u, v) -> warp\n}\n",
        encoding="utf-8",
    )
    return load(path).to_torch().eval()


@pytest.mark.parametrize(("u", "v"), [(0, 0), (2, 0), (-3, 0), (0, 1), (-1, -4), (20, 0)])
def test_whole_displacements_shift_the_image_and_leave_zeros(warp, u, v):
    x = torch.randn(2, 3, 7, 9)
    padded = torch.nn.functional.pad(x, (20, 20, 20, 20))
    wanted = padded[:, :, 20 + v : 27 + v, 20 + u : 29 + u]
    flow = torch.ones(2, 1, 7, 9)
    torch.testing.assert_close(warp(x, u * flow, v * flow), wanted)


def test_displacements_between_pixels_interpolate(warp):
    x = torch.randn(1, 3, 7, 9)
    flow = torch.ones(1, 1, 7, 9)
    found = warp(x, 0.25 * flow, 0.5 * flow)[:, :, :-1, :-1]
    a, b = (0.75 * y[..., :-1] + 0.25 * y[..., 1:] for y in (x[:, :, :-1], x[:, :, 1:]))
    torch.testing.assert_close(found, (a + b) / 2)


def test_every_pixel_has_its_own_displacement(warp):
    x = torch.randn(1, 3, 7, 9)
    u, v = torch.zeros(1, 1, 7, 9), torch.zeros(1, 1, 7, 9)
    u[..., 2, 3], v[..., 2, 3] = 4, 3
    wanted = x.clone()
    wanted[..., 2, 3] = x[..., 5, 7]
    torch.testing.assert_close(warp(x, u, v), wanted)


def test_central_differences(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "use std.geometry { central_differences }\n"
        "network net {\n  input x: f32[B = 1, 2, H = 6, W = 5] where H >= 3, W >= 3\n"
        "  output down, right = x -> central_differences\n}\n",
        encoding="utf-8",
    )
    x = torch.randn(2, 2, 6, 5)
    found = load(path).to_torch()(x)
    down, right = torch.gradient(x, dim=(2, 3))
    torch.testing.assert_close(found.down, down[:, :, 1:-1, 1:-1])
    torch.testing.assert_close(found.right, right[:, :, 1:-1, 1:-1])
