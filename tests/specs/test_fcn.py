"""FCN: sizes for every image, kernels and offsets of its upsampling, and the converted VGG-16."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from tests.specs.compiled import shipped

SMALL = "vgg16(widths=[4, 4, 4, 4, 4], hidden=8)"
PADDED = (
    *("voc_fcn32s", "voc_fcn16s", "voc_fcn8s", "voc_fcn8s_atonce", "voc_fcn_alexnet"),
    *("cvpr_fcn16s", "nyud_fcn32s_color_d", "nyud_fcn32s_color_hha", "siftflow_fcn8s"),
)


@pytest.mark.parametrize("name", PADDED)
def test_scores_have_the_size_of_every_image(name):
    network = shipped(name)
    assert network.valid_sizes.is_everything
    for output in network.outputs:
        assert str(output.types[0]).endswith(", H, W]")


@pytest.mark.parametrize("kernel", [4, 16, 63, 64])
def test_kernels_are_bilinear(kernel):
    """By the formula of the authors' `upsample_filt`, and only from each class to itself."""
    factor = (kernel + 1) // 2
    centre = factor - 1 if kernel % 2 else factor - 0.5
    line = 1 - (torch.arange(kernel) - centre).abs() / factor
    names = {4: "upscore2", 16: "upscore8", 63: "upscore", 64: "upscore"}
    network = {4: "voc_fcn8s", 16: "voc_fcn8s", 63: "voc_fcn_alexnet", 64: "voc_fcn32s"}[kernel]
    encoder = "alexnet([2, 2, 2, 2, 2], 2)" if kernel == 63 else SMALL
    module = shipped(network, encoder=encoder, classes=3).to_torch(seed=1)
    weight = module.get_submodule(names[kernel]).weight
    assert not weight.requires_grad
    for i in range(3):
        for j in range(3):
            wanted = torch.outer(line, line) if i == j else torch.zeros(kernel, kernel)
            torch.testing.assert_close(weight[i, j], wanted.float())


def test_inner_kernels_learn_in_the_earlier_version():
    module = shipped("cvpr_fcn8s", encoder=SMALL).to_torch(device="meta")
    learned = {n for n, w in module.named_parameters() if "upscore" in n and w.requires_grad}
    assert learned == {"upscore2.weight", "upscore_pool4.weight"}


def build(name, **options):
    return shipped(name, encoder=SMALL, classes=2, **options).to_torch(seed=1).eval()


def test_score_layers_begin_at_zero():
    """So a finer network begins as the coarser one."""
    module = build("voc_fcn8s")
    for name in ("score_fr", "score_pool4", "score_pool3"):
        layer = module.get_submodule(name)
        assert not layer.weight.any()
        assert not layer.bias.any()


@pytest.mark.parametrize("size", [(70, 91), (96, 64)])
def test_enlarged_scores_are_interpolated_around_the_centres_of_their_windows(size):
    """The window of the first score has its centre at 12.5, that of the next at 44.5."""
    module = build("voc_fcn32s", decoder="decoder(skips=0, first=normal)")
    seen = []
    module.score_fr.register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.inference_mode():
        found = module(torch.randn(2, 3, *size))
        wanted = F.interpolate(seen[0], scale_factor=32, mode="bilinear")
    near = (..., slice(13, size[0] - 32), slice(13, size[1] - 32))
    rows, columns = (slice(3, 3 + n) for n in size)  # 15.5 is the centre of the first of 32 rows
    torch.testing.assert_close(found[near], wanted[:, :, rows, columns][near])


def test_at_once_is_the_same_with_smaller_maps():
    module = build("voc_fcn8s", decoder="decoder(first=normal)")
    weights = module.state_dict()
    for name, scale in (("score_pool4.weight", 100), ("score_pool3.weight", 10000)):
        weights[name] = weights[name] * scale
    other = build("voc_fcn8s_atonce")
    other.load_state_dict(weights, strict=True)
    image = torch.randn(2, 3, 40, 51)
    with torch.inference_mode():
        torch.testing.assert_close(other(image), module(image), rtol=1e-4, atol=1e-4)


def test_the_encoder_is_the_converted_classifier(tmp_path):
    """On one window, VGG-16 with the weights of its linear layers reshaped to kernels."""
    path = tmp_path / "net.arch"
    path.write_text(
        "use fcn { vgg16 }\n"
        "network net {\n  input image: f32[B = 1, 3, H = 224, W = 224]\n"
        "  last, _, _ = image -> vgg16(padding=1, hidden=16)\n"
        "  output logits = last -> fc8: conv(5, 1) -> flatten\n}\n",
        encoding="utf-8",
    )
    classifier = shipped("vgg16", hidden=16, classes=5).to_torch(seed=1).eval()
    module = load(path).to_torch().eval()
    given = classifier.state_dict().values()
    own = module.state_dict().items()
    converted = {
        name: weight.reshape(like.shape) for (name, like), weight in zip(own, given, strict=True)
    }
    module.load_state_dict(converted)
    image = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(module(image), classifier(image), rtol=1e-4, atol=1e-4)
