"""Octree generation in its dense form, and the baselines that recognise shapes."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.specs.compiled import shipped
from tests.specs.golden import fill

WIDTHS = (6, 4, 4)
SIDE = 4 * 2 ** len(WIDTHS)


@pytest.fixture(scope="module")
def module():
    network = shipped("ogn", image_widths=(4, 4, 4, 4, 4), features=6, widths=WIDTHS)
    found = network.to_torch()
    for name, value in found.state_dict().items():
        value.copy_(torch.from_numpy(fill(name, tuple(value.shape), gain=2.0)))
    return found


@pytest.fixture(scope="module")
def images():
    return torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def scores_of(module, images: Tensor, mixed_of) -> list[tuple[Tensor, Tensor]]:
    """Scores and masks of the levels; `mixed_of(i, scores)` are the mixed cells."""
    x = module.encoder(images)
    mask = torch.ones(len(images), 1, 8, 8, 8)
    found = []
    for i in range(len(WIDTHS)):
        part = module.levels[i]
        x = functional.relu(part.deconv(x)) * mask
        x = functional.relu(part.conv(x)) * mask
        scores = part.head(x)
        found.append((scores, mask))
        mixed = mixed_of(i, scores) * mask
        mask = mixed.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
    return found


def blocks(voxels: Tensor, size: int) -> Tensor:
    """The voxels of each cell along the last axis."""
    n = voxels.shape[-1] // size
    split = voxels.reshape(-1, 1, n, size, n, size, n, size)
    return split.permute(0, 1, 2, 4, 6, 3, 5, 7).flatten(5)


def states_of(voxels: Tensor, level: int) -> Tensor:
    cells = blocks(voxels, 2 ** (len(WIDTHS) - 1 - level))
    empty, filled = (cells == 0).all(-1), (cells == 1).all(-1)
    return torch.where(empty, 0, torch.where(filled, 1, 2))


def loss_of(levels, voxels: Tensor) -> Tensor:
    total = torch.zeros(())
    for i, (scores, mask) in enumerate(levels):
        terms = functional.cross_entropy(scores, states_of(voxels, i)[:, 0], reduction="none")
        total = total + (terms * mask[:, 0]).sum() / len(voxels)
    return total


def test_if_all_cells_are_mixed_the_loss_is_that_of_a_dense_decoder(module, images):
    grid = torch.arange(SIDE)
    odd = (grid[:, None, None] + grid[:, None] + grid) % 2
    voxels = odd.float().expand(2, 1, SIDE, SIDE, SIDE)
    dense = scores_of(module, images, lambda i, scores: torch.ones_like(scores[:, :1]))
    assert all(mask.all() for _, mask in dense)
    found = module.train()(images, voxels)
    torch.testing.assert_close(found, loss_of(dense, voxels), rtol=1e-5, atol=1e-4)


def test_cells_whose_parents_are_finished_have_no_features_and_do_not_count(module, images):
    voxels = torch.zeros(2, 1, SIDE, SIDE, SIDE)
    voxels[:, :, :19, 3:30, 5:22] = 1
    known = scores_of(module, images, lambda i, _: (states_of(voxels, i) == 2).float())
    shares = [mask.mean() for _, mask in known]
    assert shares[0] == 1
    assert shares[2] < shares[1] < 1
    found = module.train()(images, voxels)
    torch.testing.assert_close(found, loss_of(known, voxels), rtol=1e-5, atol=1e-4)


def test_occupied_voxels_are_those_of_the_first_level_that_does_not_divide(module, images):
    levels = scores_of(module, images, lambda i, s: (s.argmax(1, keepdim=True) == 2).float())
    states = [scores.argmax(1) for scores, _ in levels]
    with torch.no_grad():
        found = module.eval()(images)
    assert 0 < found.mean() < 1
    for b, d, h, w in torch.randint(SIDE, (300, 4), generator=torch.Generator().manual_seed(1)):
        b = b % 2
        for i, level in enumerate(states):
            size = 2 ** (len(WIDTHS) - 1 - i)
            state = level[b, d // size, h // size, w // size]
            if state != 2:
                break
        assert found[b, 0, d, h, w] == (state == 1)


def test_a_cluster_answers_with_its_mean_shape_which_is_not_trained(images):
    options = {"encoder": "resnet50(depths=[1])", "clusters": 5, "side": 4}
    module = shipped("shape_clusters", **options).to_torch().eval()
    module.means.copy_(torch.rand(5, 4, 4, 4))
    assert not module.means.requires_grad
    small = images[:, :, :33, :33]
    best = module.encoder(small).argmax(1)
    assert torch.equal(module(small), module.means[best])
