"""Noise as targets: the filter, unit outputs, and fixed targets that are assigned to images."""

import pytest
import torch
import torch.nn.functional as F

from tests.specs.compiled import shipped
from tests.specs.training import trained

SMALL = {"dim": 12, "widths": (6, 8, 8, 8, 8), "hidden": 16, "size": 67}


@pytest.fixture(scope="module")
def small():
    return shipped("nat", **SMALL)


def data(count=8):
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(count, 3, 67, 67, generator=generator)
    return images, F.normalize(torch.randn(count, 12, generator=generator))


def test_the_filter_has_the_derivatives_of_the_mean_colour(small):
    module = small.to_torch(seed=1)
    height, width = torch.meshgrid(torch.arange(9.0), torch.arange(9.0), indexing="ij")
    colours = torch.tensor([0.5, 1.0, 3.0]).view(3, 1, 1)
    image = (2 * height + 5 * width) * colours
    inner = module.filter(image[None])[0, :, 1:-1, 1:-1]
    # a Sobel filter yields 8 times the slope, and the colours have a mean of 1.5
    torch.testing.assert_close(inner[0], torch.full((7, 7), 8 * 5 * 1.5))
    torch.testing.assert_close(inner[1], torch.full((7, 7), 8 * 2 * 1.5))
    assert [name for name, _ in module.filter.named_parameters()] == []


def test_outputs_are_unit_vectors_of_pooled_then_rectified_maps(small):
    module = small.to_torch(seed=1).eval()
    images, _ = data()
    y = module.filter(images)
    convolutions = [x for x in module.features if isinstance(x, torch.nn.Conv2d)]
    norms = [x for x in module.features if isinstance(x, torch.nn.BatchNorm2d)]
    for i, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        y = norm(convolution(y))
        y = (F.max_pool2d(y, 3, 2) if i in (0, 1, 4) else y).relu()
    wanted = F.normalize(module.classifier(y.flatten(1)))
    found = module(images)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(images)))
    kinds = [type(x).__name__ for x in module.features[:4]]
    assert kinds == ["Conv2d", "BatchNorm2d", "MaxPool2d", "ReLU"]


def test_the_loss_is_the_squared_distance(small):
    module = small.to_torch(seed=1).train()
    images, targets = data()
    found = module(images, targets)
    cosines = (found.features * targets).sum(1)
    torch.testing.assert_close(found.loss, (2 - 2 * cosines).mean())


def test_the_filter_does_not_learn(small):
    module = small.to_torch(seed=1).train()
    moved, kept = trained(module, lambda: module(*data()).loss)
    assert kept == {"filter.weight"}
    assert "features.0.weight" in moved


def assigned(scores):
    """The columns, one for each row, with the largest sum of scores, by sets of used columns."""
    best = {0: (0.0, ())}
    for row in scores.tolist():
        step = {}
        for used, (total, columns) in best.items():
            for column, score in enumerate(row):
                if not used >> column & 1:
                    found = (total + score, (*columns, column))
                    step[used | 1 << column] = max(step.get(used | 1 << column, found), found)
        best = step
    return torch.tensor(best[max(best)][1])


def test_targets_are_assigned_and_stay_the_same(small):
    """As in the authors' loop: the best assignment in each batch, then a step towards it."""
    module = small.to_torch(seed=1).train()
    images, targets = data(24)
    label = torch.arange(24)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.02, momentum=0.9)
    losses, rows = [], torch.Generator().manual_seed(2)
    torch.manual_seed(3)
    for _ in range(20):
        total = 0.0
        for batch in torch.randperm(24, generator=rows).split(8):
            found = module(images[batch], targets[label[batch]])
            scores = found.features.detach() @ targets[label[batch]].T
            label[batch] = label[batch][assigned(scores)]
            loss = (found.features - targets[label[batch]]).square().sum(1).mean()
            assert loss <= found.loss + 1e-6
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss) / 3
        losses.append(total)
    assert sorted(label.tolist()) == list(range(24))  # each target still belongs to one image
    assert label.tolist() != list(range(24))
    assert losses[-1] < 0.8 * losses[0]


def test_an_assignment_is_that_of_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    scores = torch.randn(8, 8, generator=torch.Generator().manual_seed(1))
    _, columns = optimize.linear_sum_assignment(scores, maximize=True)
    assert assigned(scores).tolist() == columns.tolist()
