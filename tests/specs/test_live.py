"""Presets equal the networks of the same name in torchvision and timm, if these are installed.

The golden files have samples; here every preset is compared.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archspec.shipped import networks
from tests.specs.compiled import shipped
from tests.specs.families import merged

torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")

DETECTORS = set(torchvision.models.list_models(torchvision.models.detection))
"""With the norms used in training only if weights are downloaded, so they are compared in
`test_feature_pyramid.py`."""

IN_TORCHVISION = (set(torchvision.models.list_models()) & set(networks())) - DETECTORS
IN_TIMM = set(timm.list_models()) & set(networks()) - IN_TORCHVISION

RUN = merged("live")

pytestmark = pytest.mark.live


SEGMENTERS = set(torchvision.models.list_models(torchvision.models.segmentation))


@pytest.fixture(autouse=True)
def widths_of_regnets(monkeypatch):
    """Torchvision computes them from tensors, which need values; the network has none."""
    params = torchvision.models.regnet.BlockParams
    compute = params.from_init_params

    def with_values(*args, **options):
        with torch.device("cpu"):
            return compute(*args, **options)

    monkeypatch.setattr(params, "from_init_params", with_values)


def reference(name, **options):
    if name in IN_TIMM:
        return timm.create_model(name, **options)
    if name in SEGMENTERS:  # by default their backbones are downloaded
        options["weights_backbone"] = None
    if name in {"inception_v3", "googlenet"}:
        options["init_weights"] = False
    return torchvision.models.get_model(name, weights=None, **options)


def shapes(module):
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


def test_presets_are_found():
    assert len(IN_TORCHVISION) >= 40
    assert len(IN_TIMM) >= 7


@pytest.mark.parametrize("name", sorted(IN_TORCHVISION | IN_TIMM))
def test_state_dict_agrees_with_the_reference(name):
    """Names and shapes of parameters and of all buffers: `strict=True` loads its checkpoints."""
    with torch.device("meta"):
        wanted = shapes(reference(name))
    assert shapes(shipped(name).to_torch(device="meta")) == wanted


@pytest.mark.parametrize("name", sorted(SEGMENTERS & IN_TORCHVISION))
def test_state_dict_with_an_auxiliary_head_agrees_with_the_reference(name):
    with torch.device("meta"):
        wanted = shapes(reference(name, aux_loss=True))
    assert shapes(shipped(f"{name}_aux").to_torch(device="meta")) == wanted


@pytest.mark.parametrize("name", RUN)
def test_outputs_agree_with_the_reference(name):
    torch.manual_seed(0)
    wanted = reference(name).eval()
    for module in wanted.modules():  # at initialisation, some layers have no effect
        for part in (module.__dict__.get("_parameters") or {}).values():
            if part is not None and (part.ndim <= 1 or not part.any()):
                torch.nn.init.normal_(part, 0.5, 0.1)
    module = shipped(name).to_torch().eval()
    module.load_state_dict(wanted.state_dict(), strict=True)
    image = torch.randn(2, 3, RUN[name], RUN[name])
    with torch.inference_mode():
        found, expected = module(image), wanted(image)
    expected = expected["out"] if isinstance(expected, dict) else expected
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.std()))


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "densenet121",
        "vit_b_16",
        "convnext_tiny",
        "efficientnet_b0",
        "swin_t",
        "rdnet_tiny",
        "regnet_y_400mf",
        "dm_nfnet_f0",
    ],
)
def test_initial_weights_agree_with_the_reference(name):
    """The standard deviation of each tensor is that of the reference, if it is large enough."""
    wanted = {key: value.float() for key, value in reference(name).state_dict().items()}
    for key, value in shipped(name).to_torch(seed=1).state_dict().items():
        if value.is_floating_point() and value.numel() >= 3000:
            spread = float(wanted[key].std())
            assert float(value.std()) == pytest.approx(spread, rel=0.1, abs=1e-9), key
        elif value.is_floating_point() and float(wanted[key].std()) == 0:
            assert float(value.mean()) == pytest.approx(float(wanted[key].mean())), key


def test_one_swin_accepts_every_size():
    """Windows are padded, and an axis covered by one window is not shifted, as in torchvision."""
    torch.manual_seed(0)
    wanted = reference("swin_t").eval()
    for module in wanted.modules():
        if hasattr(module, "relative_position_bias_table"):
            torch.nn.init.normal_(module.relative_position_bias_table)
    network = shipped("swin_t")
    module = network.to_torch().eval()
    module.load_state_dict(wanted.state_dict(), strict=True)
    for height, width in [
        (224, 224),
        (256, 256),
        (200, 288),
        (33, 65),
        (32, 32),
        (224, 48),
        (4, 9),
    ]:
        image = torch.randn(1, 3, height, width)
        with torch.inference_mode():
            found = module(image)
            with FlopCounterMode(display=False) as counter:
                expected = wanted(image)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        assert 2 * network.macs(H=height, W=width) == counter.get_total_flops()
        assert network.accepts(H=height, W=width)
    assert not network.accepts(H=3, W=32)
