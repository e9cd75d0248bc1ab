"""The pyramid and its head compared with torchvision's, and replacements of their convolutions."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from archspec.shipped import folder
from tests.specs.compiled import shipped

SIZES = [(64, 64), (75, 101), (33, 47)]

HOSTS = """
use feature_pyramid { faster_rcnn, fpn, rpn }
use rednet { rednet }
use resnet { basic, resnet }
use std.cnn { feature_pyramid, involution }

network learned {
  input image: f32[B = 1, 3, H = 64, W = 64]
  output proposals = image -> rpn(fpn(resnet(norm=batch_norm)))
}

network detecting {
  input image: f32[B = 1, 3, H = 64, W = 64], boxes: f32[K = 7, 5]
  output found = (image, boxes) -> faster_rcnn(fpn(resnet(norm=batch_norm)), classes=4)
}

network red {
  input image: f32[B = 1, 3, H = 64, W = 64] where (H + 3) // 4 % 8 == 0, (W + 3) // 4 % 8 == 0
  output maps = image -> fpn(
    rednet([1, 1, 1, 1]),
    ["backbone.layer{i}" for i in 1..5],
    smooth=involution,
  )
}

network two {
  input image: f32[B = 1, 3, H = 64, W = 64]
  output maps = image -> fpn(
    resnet(basic),
    ["layer2", "layer4"],
    8,
    conv(same, 3, bias=false) -> batch_norm -> relu,
  )
}

network bare {
  input a: f32[B = 1, 4, H = 8, W = 8], b: f32[B, 6, H2 = 3, W2 = 5]
  output maps = (a, b) -> feature_pyramid(2, identity)
}
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    path = tmp_path_factory.mktemp("hosts") / "hosts.arch"
    path.write_text(HOSTS, encoding="utf-8")
    for name in ("feature_pyramid", "rednet", "resnet"):
        text = (folder() / f"{name}.arch").read_text(encoding="utf-8")
        (path.parent / f"{name}.arch").write_text(text, encoding="utf-8")
    return lambda name: load(path, name)


def shapes(state):
    return {name: tuple(value.shape) for name, value in state.items()}


def spread(module):
    """Weights for which no output is constant, so that the comparison is meaningful."""
    for value in module.state_dict().values():
        if value.is_floating_point() and value.ndim == 1:
            value.copy_(0.5 + 0.1 * torch.rand_like(value))
    return module.eval()


@pytest.mark.live
@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_pyramid_agrees_with_torchvision(name):
    utils = pytest.importorskip("torchvision.models.detection.backbone_utils")
    torch.manual_seed(0)
    wanted = spread(utils.resnet_fpn_backbone(backbone_name=name, weights=None))
    network = shipped(f"{name}_fpn")
    assert network.parameters == sum(part.numel() for part in wanted.parameters())
    module = network.to_torch().eval()
    module.load_state_dict(wanted.state_dict(), strict=True)
    for size in SIZES:
        image = torch.randn(2, 3, *size)
        with torch.inference_mode():
            torch.testing.assert_close(module(image), tuple(wanted(image).values()))


def detector(**options):
    models = pytest.importorskip("torchvision.models.detection")
    return models.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, **options)


@pytest.mark.live
def test_head_agrees_with_torchvision(host):
    """Its detector has learned norms if no weights are requested."""
    torch.manual_seed(0)
    wanted = spread(detector(num_classes=2))
    state = {key: value for key, value in wanted.state_dict().items() if key[:9] != "roi_heads"}
    module = host("learned").to_torch().eval()
    module.load_state_dict({f"rpn.{key}": value for key, value in state.items()}, strict=True)
    frozen = shipped("rpn_resnet50_fpn").to_torch(device="meta").state_dict()
    counters = {key: () for key in state if key.endswith("num_batches_tracked")}
    assert shapes(frozen) | counters == shapes(state)
    image = torch.randn(2, 3, 75, 101)
    with torch.inference_mode():
        scores, boxes = wanted.rpn.head(list(wanted.backbone(image).values()))
        torch.testing.assert_close(module(image), tuple(zip(scores, boxes, strict=True)))


def drawn_boxes(count, height, width, images):
    """Boxes of all sizes, for every level of the pyramid, with the index of their image."""
    generator = torch.Generator().manual_seed(0)
    sides = 8 * 2 ** (6 * torch.rand(count, 2, generator=generator))
    corners = torch.rand(count, 2, generator=generator) * torch.tensor([width, height])
    image = torch.arange(count) * images // count
    return torch.cat([image[:, None], corners, corners + sides], 1)


@pytest.mark.live
@pytest.mark.parametrize("size", [(64, 96), (75, 101)])
def test_box_scores_agree_with_torchvision(host, size):
    torch.manual_seed(0)
    wanted = spread(detector(num_classes=4))
    module = host("detecting").to_torch().eval()
    state = {f"faster_rcnn.{key}": value for key, value in wanted.state_dict().items()}
    module.load_state_dict(state, strict=True)
    image, boxes = torch.randn(2, 3, *size), drawn_boxes(40, *size, images=2)
    boxes[0, 1:] = torch.tensor([3, 4, 3 + 112, 4 + 112])  # on the boundary between two levels
    with torch.inference_mode():
        *_, scores, moves = module(image, boxes)
        maps = wanted.backbone(image)
        each = [boxes[boxes[:, 0] == number, 1:] for number in range(2)]
        heads = wanted.roi_heads
        seen = heads.box_head(heads.box_roi_pool(maps, each, [size] * 2))
        levels = heads.box_roi_pool.map_levels(each)
        assert levels.unique().tolist() == [0, 1, 2]
        torch.testing.assert_close((scores, moves), heads.box_predictor(seen), rtol=1e-4, atol=1e-4)


@pytest.mark.live
def test_names_agree_with_the_whole_detector():
    state = detector(num_classes=91).state_dict()
    counters = {key: () for key in state if key.endswith("num_batches_tracked")}
    frozen = shipped("fasterrcnn_resnet50_fpn").to_torch(device="meta").state_dict()
    assert shapes(frozen) | counters == shapes(state)


@pytest.mark.live
def test_initial_weights_are_drawn_as_in_torchvision():
    wanted = detector(num_classes=2).state_dict()
    for key, value in shipped("rpn_resnet50_fpn").to_torch(seed=1).state_dict().items():
        if value.numel() >= 3000:
            assert float(value.std()) == pytest.approx(float(wanted[key].std()), rel=0.1), key
        elif key.endswith("bias"):
            assert not value.any(), key


def test_one_head_reads_all_maps():
    """It has one set of weights, with gradients from every level."""
    module = shipped("rpn_resnet50_fpn_involution").to_torch(seed=0)
    proposals = module(torch.randn(2, 3, 64, 96))
    assert [tuple(scores.shape[1:]) for scores, _ in proposals] == [
        (3, 16, 24),
        (3, 8, 12),
        (3, 4, 6),
        (3, 2, 3),
        (3, 1, 2),
    ]
    weight = module.get_parameter("rpn.head.cls_logits.weight")
    for scores, _ in proposals:
        (found,) = torch.autograd.grad(scores.sum(), weight, retain_graph=True)
        assert found.any()


def test_outputs_of_the_neck(host):
    """Each level is the sum of that of the backbone at its width and the next one at its size."""
    module = host("bare").to_torch(seed=0)
    state = module.state_dict()
    a, b = torch.randn(2, 4, 7, 10), torch.randn(2, 6, 3, 4)
    low, top = (
        F.conv2d(x, state[f"feature_pyramid.inner_blocks.{i}.0.weight"])
        for i, x in ((0, a), (1, b))
    )
    wanted = low + F.interpolate(top, (7, 10), mode="nearest"), top
    torch.testing.assert_close(module(a, b), wanted)


def test_involution_in_the_neck_of_a_rednet(host):
    """As the authors use it: a neck of 1,253,952 parameters on a RedNet."""
    network = host("red")
    names = dict(network.to_torch(device="meta").named_parameters())
    neck = {key: value for key, value in names.items() if key.startswith("fpn.fpn.")}
    assert sum(value.numel() for value in neck.values()) == 1_253_952
    assert "fpn.fpn.layer_blocks.3.0.conv1.bn.weight" in neck
    assert "fpn.body.backbone.layer4.0.conv2.conv1.bn.weight" in names
    assert network.accepts(H=61, W=64)
    assert not network.accepts(H=60, W=64)


def test_neck_for_some_stages(host):
    module = host("two").to_torch()
    assert [tuple(x.shape) for x in module(torch.randn(2, 3, 65, 40))] == [
        (2, 8, 9, 5),
        (2, 8, 3, 2),
        (2, 8, 2, 1),
    ]
    names = {key for key in module.state_dict() if ".layer_blocks.1." in key}
    assert "fpn.fpn.layer_blocks.1.0.weight" in names
    assert "fpn.fpn.layer_blocks.1.1.running_var" in names
