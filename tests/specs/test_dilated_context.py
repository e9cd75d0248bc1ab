"""The context module: initial values, receptive fields, padding, and the fixed enlargement."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from tests.specs.compiled import shipped

NAMES = ("conv1_1", "conv1_2", "conv2_1", "conv3_1", "conv4_1", "conv5_1", "fc1")


def scores_of(module, features):
    with torch.inference_mode():
        return module.eval()(features).scores


def test_basic_context_begins_as_the_identity():
    features = torch.rand(2, 21, 40, 37)
    module = shipped("dilated_context_basic").to_torch(seed=1)
    assert torch.equal(scores_of(module, features), features)


@pytest.mark.parametrize(("std", "error"), [("0.0", 1e-5), ("1e-4", 0.05)])
def test_large_context_begins_near_the_identity(std, error):
    features = torch.rand(2, 3, 40, 37)
    context = f"context(large=true, margin=true, std={std})"
    module = shipped("dilated_context", context=context, classes=3).to_torch(seed=1)
    found = scores_of(module, features)
    assert float((found - features).abs().max()) < error
    first, second = module.ctx_conv2_1.weight[:2, :, 0, 0]
    assert torch.equal(first, second) == (std == "0.0")


def test_receptive_fields_are_those_of_the_paper(tmp_path):
    path = tmp_path / "net.arch"
    names = ", ".join(f'"ctx_{name}"' for name in NAMES)
    path.write_text(
        "use dilated_context { context }\n"
        "block module { context }\n"
        "network net {\n"
        "  input x: f32[B = 1, 3, H = 99, W = 99]\n"
        f"  output {', '.join(NAMES)} = x -> tap(module, {names})\n"
        "}\n",
        encoding="utf-8",
    )
    fields = load(path).report().receptive_fields
    sizes = [fields["x", name] for name in NAMES]
    assert [(rows.size, columns.size) for rows, columns in sizes] == [
        (size, size) for size in (3, 5, 9, 17, 33, 65, 67)
    ]


def test_padding_once_differs_at_the_border_only():
    once, each = (
        shipped("dilated_context", context=f"context(large=true, margin={margin})", classes=2)
        for margin in ("true", "false")
    )
    module = once.to_torch(seed=1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    other = each.to_torch(weights=module.state_dict())
    features = torch.randn(1, 2, 72, 70)
    found, wanted = scores_of(module, features), scores_of(other, features)
    inner = (..., slice(33, -33), slice(33, -33))
    torch.testing.assert_close(found[inner], wanted[inner])
    assert not torch.allclose(found, wanted)


def test_scores_are_enlarged_by_fixed_bilinear_interpolation():
    context = "context(enlarge=true)"
    module = shipped("dilated_context", context=context, classes=3).to_torch(seed=1)
    assert not module.ctx_upsample.weight.requires_grad
    features = torch.rand(1, 3, 9, 7)
    wanted = F.interpolate(features, scale_factor=8, mode="bilinear")
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(scores_of(module, features)[inner], wanted[inner])
