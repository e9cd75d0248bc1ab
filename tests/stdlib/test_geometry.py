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


@pytest.fixture
def windows(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "use std.geometry { crop_at, paste }\n"
        "network net {\n"
        "  input x: f32[B = 2, 3, H = 7, W = 9], patch: f32[B, 3, P = 3, Q = 4]\n"
        "  input corners: i64[B, 2]\n"
        "  output window = (x, corners) -> crop_at(3, 4)\n"
        "  output pasted = (x, patch, corners) -> paste\n}\n",
        encoding="utf-8",
    )
    return load(path)


CORNERS = [(0, 0), (4, 5), (2, 3), (-2, 7), (6, -3), (0, 8), (-3, 0), (9, 20)]


@pytest.mark.parametrize("first", CORNERS)
@pytest.mark.parametrize("second", [(1, 1), (-1, -1)])
def test_windows_are_slices_of_the_image_with_its_edges_repeated(windows, first, second):
    x, corners = torch.randn(2, 3, 7, 9), torch.tensor([first, second])
    found = windows.to_torch().eval()(x, torch.randn(2, 3, 3, 4), corners).window
    padded = torch.nn.functional.pad(x, (30, 30, 30, 30), mode="replicate")
    for i, (top, left) in enumerate((first, second)):
        wanted = padded[i, :, 30 + top : 33 + top, 30 + left : 34 + left]
        assert torch.equal(found[i], wanted)


@pytest.mark.parametrize("first", CORNERS)
@pytest.mark.parametrize("size", [(3, 4), (1, 1), (8, 10)])
def test_pasting_is_the_assignment_of_a_slice(windows, first, size):
    """Also at the borders, where a part of the patch is outside of the image, or all of it."""
    x, corners = torch.randn(2, 3, 7, 9), torch.tensor([first, (2, 3)])
    patch = torch.randn(2, 3, *size, requires_grad=True)
    found = windows.to_torch().eval()(x, patch, corners).pasted
    other = patch.detach().clone().requires_grad_()
    canvas = torch.nn.functional.pad(x, (30, 30, 30, 30))
    for i, (top, left) in enumerate((first, (2, 3))):
        rows, columns = slice(30 + top, 30 + top + size[0]), slice(30 + left, 30 + left + size[1])
        canvas[i, :, rows, columns] = other[i]
    wanted = canvas[:, :, 30:37, 30:39]
    assert torch.equal(found, wanted)
    factors = torch.randn(2, 3, 7, 9)
    (factors * found).sum().backward()
    (factors * wanted).sum().backward()
    assert torch.equal(patch.grad, other.grad)


def test_a_patch_may_be_larger_than_the_image_and_windows_too(windows):
    assert windows.accepts(P=20, Q=30)
    assert windows.accepts(H=1, W=1)


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "use std.geometry { triplane_features, volume_render }\n"
        "network planes {\n"
        "  input xy: f32[B = 2, C = 4, P = 5, Q = 6]\n"
        "  input xz: f32[B, C, R = 3, Q], yz: f32[B, C, R, P]\n"
        "  input points: f32[B, N = 7, 8, 3]\n"
        "  output y = (xy, xz, yz, points) -> triplane_features\n}\n"
        "network ray {\n"
        "  input density: f32[B = 2, N = 7, S = 9], deltas: f32[S], values: f32[B, C = 3, N, S]\n"
        "  output image, weights = (density, deltas, values) -> volume_render\n}\n",
        encoding="utf-8",
    )
    return path


def test_planes_are_sampled_as_torch_samples_and_added(volume):
    module = load(volume, "planes").to_torch().eval()
    planes = [torch.randn(2, 4, *size) for size in ((5, 6), (3, 6), (3, 5))]
    points = torch.rand(2, 7, 8, 3) * 2.4 - 1.2  # a few are outside
    x, y, z = points.unbind(-1)
    wanted = sum(
        torch.nn.functional.grid_sample(plane, torch.stack(at, -1), align_corners=False)
        for plane, at in zip(planes, ((x, y), (x, z), (y, z)), strict=True)
    )
    torch.testing.assert_close(module(*planes, points), wanted.flatten(2))


def test_rendering_is_the_closed_form(volume):
    module = load(volume, "ray").to_torch().eval()
    density, deltas, values = torch.rand(2, 7, 9) * 3, torch.rand(9), torch.randn(2, 3, 7, 9)
    found = module(density, deltas, values)
    wanted, light = torch.zeros(2, 3, 7), torch.ones(2, 7)
    for i in range(9):
        alpha = 1 - (-density[..., i] * deltas[i]).exp()
        torch.testing.assert_close(found.weights[..., i], light * alpha)
        wanted = wanted + (light * alpha)[:, None] * values[..., i]
        light = light * (1 - alpha)
    torch.testing.assert_close(found.image, wanted)
    torch.testing.assert_close(found.weights.sum(-1), 1 - light)


def test_weights_of_a_ray_add_up_to_at_most_one(volume):
    module = load(volume, "ray").to_torch().eval()
    density = torch.cat([torch.zeros(1, 7, 9), 1e4 * torch.rand(1, 7, 9)])
    weights = module(density, torch.ones(9), torch.randn(2, 3, 7, 9)).weights
    assert (weights >= 0).all()
    assert (weights.sum(-1) <= 1 + 1e-6).all()
    assert not weights[0].any()
    assert (weights[1, :, 0] > 0.99).sum() >= 6  # what is opaque hides all behind it


def test_thin_plate_spline_interpolates_targets_and_keeps_affine_maps(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "use std.geometry { thin_plate_spline }\n"
        "network net {\n  input targets: f32[16, 2]\n"
        "  buffer matrix: f32[35, 16] = thin_plate_spline(4, 5, 7)\n"
        "  output positions = (matrix, targets) -> matmul\n}\n",
        encoding="utf-8",
    )
    module = load(path).to_torch()

    def grid(rows, columns):
        places = torch.arange(rows * columns)
        x, y = places % columns / (columns - 1), places // columns / (rows - 1)
        return torch.stack([x, y], 1).double() * 2 - 1

    def radial(p, q):
        r = ((p[:, None] - q) ** 2).sum(-1)
        return r * r.clamp(min=1e-10).log()

    def with_one(p):
        return torch.cat([torch.ones(len(p), 1).double(), p], 1)

    points, places = grid(4, 4), grid(5, 7)
    left = torch.cat([with_one(points), torch.zeros(3, 3)])
    system = torch.cat([left, torch.cat([radial(points, points), with_one(points).T])], 1)
    solved = torch.linalg.inv(system)[:, :16]
    wanted = torch.cat([with_one(places), radial(places, points)], 1) @ solved
    torch.testing.assert_close(module.matrix.double(), wanted, rtol=1e-4, atol=1e-4)
    affine = torch.tensor([[0.5, -0.2], [0.3, 0.9]]).double()
    found = module((points @ affine + 0.1).float())
    torch.testing.assert_close(found, (places @ affine + 0.1).float(), rtol=1e-4, atol=1e-4)
