"""CARN at several scales with one set of weights, its repeated units, and its fixed shifts."""

import pytest
import torch

from tests.specs.compiled import shipped


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_one_set_of_weights_serves_every_scale(scale):
    weights = shipped("carn_multi_x2", width=8).to_torch(seed=1).state_dict()
    whole = shipped(f"carn_multi_x{scale}", width=8).to_torch(weights=weights).eval()
    used = f"upsample.up{scale}."
    alone = {
        name.replace(used, "upsample.up."): value
        for name, value in weights.items()
        if not name.startswith("upsample.") or name.startswith(used)
    }
    single = shipped(f"carn_x{scale}", width=8).to_torch(weights=alone).eval()
    image = torch.rand(2, 3, 9, 11)
    with torch.inference_mode():
        enlarged = whole(image)
        assert enlarged.shape == (2, 3, 9 * scale, 11 * scale)
        assert torch.equal(enlarged, single(image))


def test_a_repeated_unit_is_three_with_equal_weights():
    repeated = shipped("carn_m_x2", width=8).to_torch(seed=1).eval()
    weights = repeated.state_dict()
    for name in list(weights):
        stage, unit, *rest = name.split(".")
        if unit == "b1":
            weights |= {".".join((stage, copy, *rest)): weights[name] for copy in ("b2", "b3")}
    separate = shipped("carn_m_x2", width=8, repeated=False).to_torch(weights=weights).eval()
    image = torch.rand(2, 3, 9, 11)
    with torch.inference_mode():
        assert torch.equal(separate(image), repeated(image))


def test_shifts_of_the_mean_colour_are_not_trained():
    module = shipped("carn_x2", width=8).to_torch(seed=1).train()
    mean = torch.tensor([0.4488, 0.4371, 0.4040])
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.01, weight_decay=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        module(torch.rand(2, 3, 8, 8)).square().mean().backward()
        optimiser.step()
    for name, shift in (("sub_mean", -mean), ("add_mean", mean)):
        layer = getattr(module, name).shifter
        assert torch.equal(layer.weight, torch.eye(3).reshape(3, 3, 1, 1))
        assert torch.equal(layer.bias, shift)
