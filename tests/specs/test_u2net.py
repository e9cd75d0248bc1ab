"""Which maps U^2-Net yields, and what they are."""

import torch

from tests.specs.compiled import shipped


def test_side_maps_are_outputs_in_training_only():
    network = shipped("u2netp")
    module = network.to_torch(seed=1)
    image = torch.randn(2, 3, 40, 33)
    fused, sides = module.train()(image)
    assert [item.shape for item in (fused, *sides)] == [(2, 1, 40, 33)] * 7
    with torch.inference_mode():
        alone = module.eval()(image)
    with_sides = shipped("u2netp", sides=True).to_torch(weights=module.state_dict()).eval()
    with torch.inference_mode():
        again, _ = with_sides(image)
    assert torch.equal(alone, again)


def test_fused_map_is_a_weighted_sum_of_the_others():
    module = shipped("u2netp", sides=True).to_torch(seed=1).eval()
    with torch.inference_mode():
        fused, sides = module(torch.randn(1, 3, 32, 32))
        logits = torch.cat([side.logit() for side in sides], 1)
        torch.testing.assert_close(fused, module.outconv(logits).sigmoid())
