"""Single intra-channel convolutions, projections on a grid, spatial bottlenecks."""

import pytest
import torch
import torch.nn.functional as F

IMAGE = "[B = 2, 12, H = 9, W = 9]"


def test_layer_costs_agree_with_the_paper(network):
    net = network(IMAGE, "sic(12)", "std.cnn")
    assert net.parameters == 9 * 12 + 12**2
    assert net.macs(B=1) == 9 * 9 * (9 * 12 + 12**2)


@pytest.mark.parametrize(
    ("stage", "shortcut"), [("s: sic(12)", True), ("s: sic(8)", False), ("s: sic(12, 5, 2)", False)]
)
def test_shortcut_exists_if_the_shape_is_preserved(network, stage, shortcut):
    module = network(IMAGE, stage, "std.cnn").to_torch().eval()
    x = torch.randn(2, 12, 9, 9)
    with torch.inference_mode():
        y = module.s.project(module.s.depthwise(x))
        torch.testing.assert_close(module(x), F.relu(x + y if shortcut else y))


@pytest.mark.parametrize(
    ("grid", "window"), [([12], [5]), ([3, 4], [2, 3]), ([2, 3, 2], [1, 2, 2]), ([3, 4], [3, 4])]
)
def test_projection_on_a_grid_equals_a_masked_one(network, grid, window):
    net = network(IMAGE, f"grid_projection(12, {grid}, {window})", "std.cnn")
    taps = int(torch.tensor(window).prod())
    assert net.parameters == 12 * taps
    module = net.to_torch(seed=0).eval()
    x = torch.eye(12).view(12, 12, 1, 1).expand(12, 12, 3, 3)  # one channel at a time
    with torch.inference_mode():
        matrix = module(x)[:, :, 1, 1].T
    places = list(torch.cartesian_prod(*(torch.arange(n) for n in grid)).view(12, -1))
    for out, there in enumerate(places):
        for read, here in enumerate(places):
            away = [
                int(h - t + w // 2) % n
                for h, t, w, n in zip(here, there, window, grid, strict=True)
            ]
            connected = all(step < w for step, w in zip(away, window, strict=True))
            assert (matrix[out, read] != 0) == connected
    y = torch.randn(2, 12, 5, 4)
    with torch.inference_mode():
        torch.testing.assert_close(module(y), F.conv2d(y, matrix.view(12, 12, 1, 1)))


@pytest.mark.parametrize("size", [(8, 8), (9, 7), (1, 2)])
def test_a_bottleneck_keeps_every_size(network, size):
    net = network(IMAGE, "s: sic_bottleneck(12, 3)", "std.cnn")
    assert net.parameters == 2 * 9 * 12 + 12**2
    module = net.to_torch().eval()
    x = torch.randn(2, 12, *size)
    low = F.pad(x, (0, -size[1] % 3, 0, -size[0] % 3))
    with torch.inference_mode():
        y = module.s.expand(module.s.project(module.s.reduce(low)))
        torch.testing.assert_close(module(x), F.relu(x + y[..., : size[0], : size[1]]))
