"""Networks for time series: windows of even size, and class activation maps."""

import pytest
import torch

from tests.specs.compiled import shipped


def test_an_even_window_is_padded_by_one_more_at_the_end():
    module = shipped("tsc_fcn").to_torch(seed=1).eval()
    series = torch.randn(2, 1, 20)
    with torch.inference_mode():
        found = module.conv1(series)
        padded = torch.nn.functional.pad(series, (3, 4))
        wanted = torch.nn.functional.conv1d(padded, module.conv1.weight, module.conv1.bias)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("name", ["tsc_fcn", "tsc_resnet"])
def test_scores_are_means_of_their_maps(name):
    module = shipped(name, maps=True).to_torch(seed=1).eval()
    with torch.inference_mode():
        scores, maps = module(torch.randn(2, 1, 20))
    assert maps.shape == (2, 37, 20)
    bias = module.state_dict()["fc.bias"]
    torch.testing.assert_close(maps.mean(2) + bias, scores, rtol=1e-5, atol=1e-5)
