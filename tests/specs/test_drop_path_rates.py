"""Drop-path rates increase from block to block as in the references, for the same rate."""

import pytest
import torch

from tests.specs.compiled import shipped


def rates(graph):
    """Rates of all branches, in the order in which they are computed."""
    for node in graph.nodes:
        if node.op is not None and node.op.name == "drop_path":
            yield node.op.p
        elif node.instance is not None and node.instance.graph is not None:
            yield from rates(node.instance.graph)


def distinct(found):
    """References have no layer for a rate of 0, and some use one layer for two branches."""
    return sorted({round(rate, 6) for rate in found} - {0.0})


def in_timm(name, rate):
    timm = pytest.importorskip("timm")
    return timm.create_model(name, drop_path_rate=rate)


def in_torchvision(name, rate):
    torchvision = pytest.importorskip("torchvision")
    if name == "swin_t":  # its function only has one rate
        sizes = {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24]}
        windows = {"patch_size": [4, 4], "window_size": [7, 7]}
        return torchvision.models.SwinTransformer(**sizes, **windows, stochastic_depth_prob=rate)
    return torchvision.models.get_model(name, weights=None, stochastic_depth_prob=rate)


@pytest.mark.live
@pytest.mark.parametrize(
    ("name", "option", "make"),
    [
        ("nfnet_f0", "stochastic", in_timm),
        ("nfnet_f1", "stochastic", in_timm),
        ("cait_xxs24_224", "drop", in_timm),
        ("coatnet_0_224", "drop", in_timm),
        ("deit_tiny_patch16_224", "drop", in_timm),
        ("levit_384", "drop", in_timm),
        ("rdnet_tiny", "drop", in_timm),
        ("volo_d1_224", "drop", in_timm),
        ("convnext_tiny", "drop", in_torchvision),
        ("swin_t", "drop", in_torchvision),
    ],
)
def test_rates_agree_with_the_reference(name, option, make):
    with torch.device("meta"):
        modules = make(name, 0.3).modules()
    kinds = {"DropPath": "drop_prob", "StochasticDepth": "p"}
    wanted = [
        getattr(part, kinds[type(part).__name__])
        for part in modules
        if type(part).__name__ in kinds
    ]
    found = list(rates(shipped(name, **{option: 0.3}).compiled.training))
    assert distinct(found) == pytest.approx(distinct(wanted), abs=2e-6)
    assert max(found) == pytest.approx(0.3)


def test_the_last_branch_of_nfnet_has_the_rate():
    """As in timm; DeepMind's code divides by the number of blocks."""
    found = list(rates(shipped("nfnet_f0").compiled.training))
    assert found == pytest.approx([index * 0.25 / 11 for index in range(12)])


def test_deepmind_divides_by_the_number_of_blocks():
    found = list(rates(shipped("dm_nfnet_f0").compiled.training))
    assert found == pytest.approx([index * 0.25 / 12 for index in range(12)])
