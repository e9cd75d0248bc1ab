"""Occlusion maps and effective receptive fields whose values are known."""

import json
import re
from pathlib import Path

import numpy
import pytest
import torch
from torch import nn

from archspec_torch.sensitivity import (
    effective_receptive_field,
    grad_cam,
    high_contribution_area,
    log_scaled,
    occlusion_map,
)
from tests.specs.compiled import shipped
from tests.specs.golden import FOLDER, golden


class Pixel(nn.Module):
    """Its scores are ten times a pixel, and the sum of all pixels."""

    def forward(self, x):
        return torch.stack([10 * x[:, 0, 2, 3], x.sum((1, 2, 3))], 1)


def test_score_decreases_where_its_pixel_is_occluded():
    images = torch.ones(2, 1, 5, 6)
    found = occlusion_map(Pixel(), images, label=0, window=2)
    expected = torch.full((4, 5), 10.0)
    expected[1:3, 2:4] = 0.0  # the squares that contain row 2 and column 3
    assert torch.equal(found, expected.expand(2, 4, 5))


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_windows_cover_every_pixel_and_extend_over_the_edge(batch):
    images = torch.ones(1, 2, 5, 7)
    found = occlusion_map(Pixel(), images, label=1, window=3, stride=3, batch=batch)
    assert found.tolist() == [[[52, 52, 64], [58, 58, 66]]]


def test_labels_and_fill_values():
    images = torch.zeros(2, 2, 4, 4)
    grey = torch.tensor([1.0, 2.0])[:, None, None]
    found = occlusion_map(Pixel(), images, label=[1, 0], window=4, fill=grey)
    assert found.tolist() == [[[48.0]], [[10.0]]]
    with pytest.raises(ValueError, match="1 labels for 2 images"):
        occlusion_map(Pixel(), images, label=[1], window=4)
    with pytest.raises(ValueError, match="from 1 to window, which is 2, not 3"):
        occlusion_map(Pixel(), images, label=1, window=2, stride=3)


def test_a_window_larger_than_the_image_covers_it_once():
    assert occlusion_map(Pixel(), torch.ones(1, 1, 4, 4), 1, window=9, stride=2).shape == (1, 1, 1)


def test_a_shipped_network_is_measured_in_inference_and_left_in_training():
    module = shipped("zfnet", classes=5).to_torch(seed=1).train()
    image = torch.randn(1, 3, 67, 67, generator=torch.Generator().manual_seed(0))
    found = occlusion_map(module, image, label=2, window=32, stride=24, fill=0.5)
    assert all(part.training for part in module.modules())
    assert found.shape == (1, 3, 3)
    image[:, :, 24:56, 48:] = 0.5
    assert found[0, 1, 2] == pytest.approx(module.eval()(image)[0, 2].item(), rel=1e-5)


def test_one_convolution_depends_on_its_window():
    convolution = nn.Conv2d(2, 4, 3, padding=1)
    found = effective_receptive_field(convolution, torch.randn(3, 2, 9, 9))
    expected = torch.zeros(9, 9)
    expected[3:6, 3:6] = convolution.weight.sum(0).abs().sum(0)
    assert torch.allclose(found, expected)


def test_only_positive_gradients():
    convolution = nn.Conv2d(1, 2, 1, bias=False)
    convolution.weight.data[:] = torch.tensor([3.0, -2.0])[:, None, None, None]
    image = torch.ones(1, 1, 5, 5)
    assert effective_receptive_field(convolution, image)[2, 2] == 1
    assert effective_receptive_field(convolution, image, positive=True)[2, 2] == 3
    assert effective_receptive_field(convolution, -image, positive=True).sum() == 0


def test_effective_field_is_within_the_reported_one():
    network = shipped("g_dncnn_15_gray")
    (reported, _) = network.report().receptive_fields["image", "restored"]
    found = effective_receptive_field(network.to_torch(), torch.randn(2, 1, 65, 65))
    rows, columns = found.nonzero().T
    assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == reported.size


def test_large_kernels_have_larger_effective_fields():
    """The argument of the paper; the gates of its units see everything, and the report says so."""
    areas = []
    for kernel in (3, 13):
        network = shipped("unireplknet_a", features=True, kernels=((3,), *[(kernel,)] * 3))
        assert {*network.report().receptive_fields.values()} == {"all"}
        module = network.to_torch()
        for name, parameter in module.named_parameters():
            if name.startswith("stages") and name.endswith("gamma"):
                nn.init.ones_(parameter)  # otherwise the units hardly have any effect at first
        images = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
        found = effective_receptive_field(module, images, positive=True, batch=2)
        one_by_one = effective_receptive_field(module, images, positive=True)
        assert torch.allclose(found, one_by_one, rtol=1e-3, atol=1e-3 * found.max())
        side, area = high_contribution_area(log_scaled(found), 0.99)
        assert area == (side / 128) ** 2
        areas.append(area)
    assert 1.5 * areas[0] < areas[1] < 1


def test_smallest_square_with_a_share_of_the_gradient():
    field = torch.zeros(7, 7)
    field[3, 3] = 2.0
    field[2:5, 2:5] += 1.0
    assert high_contribution_area(field, 0.2) == (1, 1 / 49)
    assert high_contribution_area(field, 0.5) == (3, 9 / 49)
    assert high_contribution_area(torch.eye(7), 0.99) == (7, 1.0)
    assert log_scaled(torch.tensor([0.0, 9.0, 99.0])).tolist() == pytest.approx([0.0, 0.5, 1.0])


def test_grad_cam_is_that_of_hooks_on_the_reference():
    expected = json.loads((FOLDER / "grad_cam" / "resnet50.json").read_text(encoding="utf-8"))
    reference = golden("resnet50")
    module = shipped("resnet50").to_torch().requires_grad_(False)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(numpy.array(reference.value(name, tuple(tensor.shape)))))
    (images,) = map(torch.from_numpy, reference.arguments())
    for layer, maps in expected["maps"].items():
        found = grad_cam(module, images, expected["labels"], layer)
        assert torch.allclose(found, torch.tensor(maps), rtol=1e-3, atol=1e-5)


class Overwritten(nn.Module):
    """The score of column k is the sum of channel k, without its negative values."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 2, 1, bias=False)
        self.second = nn.ReLU(inplace=True)
        self.unused = nn.Conv2d(1, 2, 1)
        self.first.weight.data[:] = torch.tensor([2.0, -3.0])[:, None, None, None]

    def forward(self, x):
        return self.second(self.first(x)).sum((2, 3))


def test_grad_cam_of_a_layer_before_an_activation_in_place():
    module = Overwritten().train()
    images = torch.tensor([[1.0, -1.0], [0.0, 2.0]]).expand(2, 1, 2, 2)
    found = grad_cam(module, images, [0, 1], "first")
    # Half of the positions have a gradient of 1 in the first image, and a quarter in the second.
    assert torch.equal(found[0], torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
    assert torch.equal(found[1], torch.tensor([[0.0, 0.75], [0.0, 0.0]]))
    assert module.second.training
    assert all(parameter.grad is None for parameter in module.parameters())
    assert not module.first._forward_hooks


def test_layers_that_have_no_class_activation_map():
    module, images = Overwritten(), torch.ones(1, 1, 2, 2)
    with pytest.raises(ValueError, match="no layer 'frist'; did you mean 'first'"):
        grad_cam(module, images, 0, "frist")
    with pytest.raises(ValueError, match="'unused' is not called"):
        grad_cam(module, images, 0, "unused")
    with pytest.raises(ValueError, match="2 labels for 1 images"):
        grad_cam(module, images, [0, 1], "first")
    with pytest.raises(ValueError, match="none of the outputs has 4 axes"):
        grad_cam(module, images, 0, "")


class Several(nn.Module):
    """Two feature maps as one output, and two rows of scores."""

    def forward(self, x):
        scores = x.sum((2, 3))
        return [x, 2 * x], scores, 3 * scores, None


def test_last_map_and_first_scores_are_used():
    image = torch.ones(1, 1, 3, 3)
    assert effective_receptive_field(Several(), image).sum() == 2
    assert occlusion_map(Several(), image, label=0, window=3, fill=4.0).item() == 36


def test_network_without_a_suitable_output():
    with pytest.raises(ValueError, match=r"none of the outputs has 4 axes; .*\[\[1, 2\]\]"):
        effective_receptive_field(Pixel(), torch.ones(1, 1, 5, 5))


def test_the_example_of_the_docs_runs():
    page = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    (example,) = re.findall(
        r"## Attribution: what a network looks at\n+```python\n(.*?)```", page, re.DOTALL
    )
    seen = {}
    exec(example.replace("128, 128", "64, 64"), seen)
    assert seen["scores"].shape == (2, 3, 3)
    assert 0 < seen["area"] <= 1
