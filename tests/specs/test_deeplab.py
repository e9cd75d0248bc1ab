"""DeepLab: scores of several maps, and mean-field inference in a dense CRF."""

from math import exp

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from tests.specs.compiled import shipped
from tests.specs.training import trained

SMALL = "vgg16(4, 4, 8, false, widths=[4, 4, 6, 6, 6], fixed=true)"

REFINED = """
use dense_crf { mean_field }

network refined(crf: layer = mean_field) {
  input image: f32[B = 1, 3, H = 5, W = 4], logits: f32[B, 3, H, W]
  output logits = (image, logits) -> crf
}
"""


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    path = tmp_path_factory.mktemp("crf") / "refined.arch"
    path.write_text(REFINED, encoding="utf-8")
    return lambda crf: load(path, crf=f"mean_field({crf})").to_torch().eval()


def drawn(height=5, width=4):
    generator = torch.Generator().manual_seed(3)
    image = 20 * torch.randn(2, 3, height, width, generator=generator) + 100
    return image, 2 * torch.randn(2, 3, height, width, generator=generator)


def means(q, features):
    """Weighted means over all pixels, by a sum over all pairs."""
    batch, labels, height, width = q.shape
    f, v = features.double().flatten(2), q.double().flatten(2)
    found = torch.zeros_like(v)
    for i in range(height * width):
        distance = (f[:, :, i : i + 1] - f).square().sum(1)
        weights = (-distance / 2).exp()
        found[:, :, i] = (v * weights[:, None]).sum(2) / weights.sum(1, keepdim=True)
    return found.view(batch, labels, height, width)


def positions(image):
    height, width = image.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack((x, y)).expand(len(image), 2, height, width)


def test_filters_are_sums_over_all_pairs_of_pixels(refined):
    image, logits = drawn()
    place = positions(image)
    found = refined("3, 1.5, 2.0, 2.5, 4.0, 9.0")(image, logits)
    current = logits.double()
    for _ in range(3):
        q = current.softmax(1)
        near = means(q, place / 2.0)
        alike = means(q, torch.cat((place / 4.0, image / 9.0), 1))
        current = logits + 1.5 * near + 2.5 * alike
    torch.testing.assert_close(found.double(), current, rtol=1e-4, atol=1e-4)


def test_the_compatibility_is_that_of_potts(refined):
    """The energy counts the other labels, 1 - q of the own one, which is the same in a softmax."""
    image, logits = drawn()
    found = refined("1, 1.5, 2.0, 2.5, 4.0, 9.0")(image, logits).softmax(1)
    q = logits.double().softmax(1)
    others = 1 - torch.eye(3, dtype=torch.double)
    place = positions(image)
    messages = 1.5 * means(q, place / 2.0)
    messages = messages + 2.5 * means(q, torch.cat((place / 4.0, image / 9.0), 1))
    energy = -logits.double() + torch.einsum("kl,blhw->bkhw", others, messages)
    torch.testing.assert_close(found.double(), (-energy).softmax(1), rtol=1e-4, atol=1e-5)


def test_without_weights_nothing_changes(refined):
    image, logits = drawn()
    found = refined("10, spatial_weight=0.0, bilateral_weight=0.0")(image, logits)
    torch.testing.assert_close(found, logits)


def test_two_pixels_by_hand(refined):
    """One iteration on two neighbours of different colours."""
    image = torch.tensor([10.0, 16.0]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    logits = torch.tensor([[1.0, -1.0], [0.0, 0.0], [0.0, 2.0]]).view(1, 3, 1, 2)
    found = refined("1, 2.0, 1.0, 3.0, 2.0, 6.0")(image, logits)
    near = exp(-1 / 2)  # a distance of 1 sigma
    alike = exp(-(1 / 4 + 3 * 1) / 2)  # half a sigma of position, one in each of three colours
    left = [exp(value) / (exp(1) + 2) for value in (1, 0, 0)]
    right = [exp(value) / (exp(-1) + 1 + exp(2)) for value in (-1, 0, 2)]
    for label in range(3):
        space = (left[label] + near * right[label]) / (1 + near)
        color = (left[label] + alike * right[label]) / (1 + alike)
        wanted = float(logits[0, label, 0, 0]) + 2 * space + 3 * color
        assert float(found[0, label, 0, 0]) == pytest.approx(wanted, abs=1e-5)


def test_scores_are_brought_to_the_edges_of_the_image(refined):
    generator = torch.Generator().manual_seed(3)
    truth = torch.zeros(24, 20, dtype=torch.long)
    truth[6:17, 4:13] = 2
    image = (60.0 * truth + 20 + torch.randn(24, 20, generator=generator)).expand(1, 3, 24, 20)
    one_hot = F.one_hot(truth, 3).permute(2, 0, 1)[None].float()
    blurred = F.avg_pool2d(one_hot, 7, 1, 3, count_include_pad=False)
    noisy = 3 * blurred + 0.7 * torch.randn(1, 3, 24, 20, generator=generator)
    before = int((noisy.argmax(1)[0] != truth).sum())
    found = refined("10, position_sigma=30.0")(image, noisy).argmax(1)[0]
    assert before > 30
    assert torch.equal(found, truth)


def test_matrices_begin_as_the_weights():
    state = shipped("crf_rnn").to_torch().state_dict()
    assert torch.equal(state["spatial_ker_weights"], 3 * torch.eye(21))
    assert torch.equal(state["bilateral_ker_weights"], 5 * torch.eye(21))
    assert torch.equal(state["compatibility_matrix"], torch.eye(21))


@pytest.mark.parametrize(("size", "scores"), [(321, 41), (33, 5), (1, 1), (64, 8), (65, 9)])
def test_sizes_of_scores(size, scores):
    network = shipped("deeplab_largefov")
    (kind,) = network.outputs[0].types
    assert [d.evaluate({"B": 1, "H": size, "W": size}) for d in kind.shape] == [
        1,
        21,
        scores,
        scores,
    ]


def test_scores_are_enlarged_as_they_are_by_the_weights_of_training():
    options = {"classes": 3, "encoder": SMALL}
    small = shipped("deeplab", **options).to_torch(seed=1).eval()
    large = shipped("deeplab", enlarge=True, **options).to_torch(seed=2).eval()
    large.load_state_dict(small.state_dict(), strict=True)
    image = torch.randn(2, 3, 41, 33)
    wanted = F.interpolate(small(image), (41, 33), mode="bilinear", align_corners=True)
    torch.testing.assert_close(large(image), wanted)
    torch.testing.assert_close(large(image)[:, :, ::8, ::8], small(image))


@pytest.mark.parametrize("enlarge", [False, True])
def test_the_loss_is_that_of_the_labels_at_the_scores(enlarge):
    options = {"classes": 3, "encoder": SMALL, "multi_scale": True, "enlarge": enlarge}
    module = shipped("deeplab", **options).to_torch(seed=1).train()
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(2, 3, 33, 41, generator=generator)
    labels = torch.randint(0, 3, (2, 33, 41), generator=generator)
    labels[:, 8:20] = 255
    found = module(image, labels)
    step = 1 if enlarge else 8
    wanted = F.cross_entropy(found.scores, labels[:, ::step, ::step], ignore_index=255)
    torch.testing.assert_close(found.loss, wanted)


def test_only_the_scores_of_several_maps_learn():
    """As in the authors' training of MSc, where the network is trained before."""
    module = shipped("deeplab", classes=3, encoder=SMALL, multi_scale=True).to_torch(seed=1).train()
    generator = torch.Generator().manual_seed(1)
    image = 50 * torch.randn(2, 3, 33, 33, generator=generator)
    labels = torch.randint(0, 3, (2, 33, 33), generator=generator)
    moved, kept = trained(module, lambda: module(image, labels).loss)
    assert {name.split(".")[0] for name in kept} == {
        *(f"conv{i}_{j}" for i, n in enumerate([2, 2, 3, 3, 3], 1) for j in range(1, n + 1)),
        "fc6",
        "fc7",
    }
    heads = {name.split("_")[0] for name in moved}
    assert heads == {"data", "pool1", "pool2", "pool3", "pool4", "fc8"}
