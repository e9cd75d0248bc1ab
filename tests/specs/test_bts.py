"""Local planar guidance: the depth of each pixel from the plane of its position."""

import pytest
import torch

from archspec.loading import load
from tests.specs.compiled import shipped


@pytest.fixture
def guidance(tmp_path):
    """From planes at 2x3 positions to depths, `ratio` pixels for each."""

    def made(ratio):
        path = tmp_path / "plane.arch"
        path.write_text(
            "use bts { plane_depth }\n"
            "network plane {\n"
            "  input planes: f32[B = 1, 4, H = 2, W = 3]\n"
            f"  output depth = planes -> plane_depth({ratio})\n"
            "}\n",
            encoding="utf-8",
        )
        return load(path).to_torch(dtype=torch.float64)

    return made


@pytest.mark.parametrize("ratio", [2, 4, 8])
def test_plane_facing_the_camera_has_constant_depth(guidance, ratio):
    planes = torch.tensor([0.0, 0.0, 1.0, 7.0], dtype=torch.float64)
    depth = guidance(ratio)(planes.reshape(1, 4, 1, 1).expand(1, 4, 2, 3))
    assert torch.equal(depth, torch.full((1, 1, 2 * ratio, 3 * ratio), 7.0, dtype=torch.float64))


@pytest.mark.parametrize("ratio", [2, 4, 8])
def test_depth_is_where_the_ray_of_a_pixel_meets_the_plane(guidance, ratio):
    planes = torch.rand(2, 4, 2, 3, dtype=torch.float64) + 0.5
    planes[:, :2] -= 1
    depth = guidance(ratio)(planes)
    for row in range(2 * ratio):
        for column in range(3 * ratio):
            n1, n2, n3, distance = planes[:, :, row // ratio, column // ratio].unbind(1)
            u = (column % ratio + 0.5) / ratio - 0.5
            v = (row % ratio + 0.5) / ratio - 0.5
            point = depth[:, 0, row, column].unsqueeze(1) * torch.tensor([[u, v, 1.0]])
            on_plane = (point * torch.stack([n1, n2, n3], 1)).sum(1)
            torch.testing.assert_close(on_plane, distance)


def test_depth_is_scaled_by_the_focal_length():
    options = {"encoder": "resnet_encoder(resnet50(depths=[1, 1, 1, 1]))", "features": 128}
    plain = shipped("bts", **options)
    module = plain.to_torch(seed=1).eval()
    kitti = shipped("bts", kitti=True, **options).to_torch(weights=module.state_dict()).eval()
    image = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        *_, depth = module(image)
        *_, scaled = kitti(image, torch.tensor([715.0873, 1430.1746]))
    torch.testing.assert_close(scaled, 8 * depth * torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1))
