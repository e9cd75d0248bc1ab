"""AtlasNet: the points of each square, in training and in inference."""

import torch

from tests.specs.compiled import shipped


def test_squares_map_a_regular_grid_or_drawn_points_with_networks_of_their_own():
    options = {"encoder": "resnet18(depths=[1], classes=6)", "squares": 3, "grid": 3, "hidden": 5}
    module = shipped("atlasnet", **options).to_torch().eval()
    images = torch.randn(2, 3, 33, 33)
    line = torch.tensor([0.0, 0.5, 1.0])
    grid = torch.cartesian_prod(line, line).T
    with torch.no_grad():
        latent = module.encoder(images).unsqueeze(2)
        parts = module.decoder.decoder
        wanted = torch.stack([part(grid[None], latent) for part in parts], 1)
        torch.testing.assert_close(module(images), wanted)
        assert wanted.shape == (2, 3, 3, 9)
        drawn = torch.rand(3, 2, 7)
        module.train()
        found = module(images, drawn)
        latent = module.encoder(images).unsqueeze(2)
        wanted = [part(drawn[i : i + 1], latent) for i, part in enumerate(parts)]
        torch.testing.assert_close(found, torch.stack(wanted, 1))
