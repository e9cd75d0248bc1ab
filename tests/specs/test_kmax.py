"""kMaX-DeepLab: its sizes with what is there in inference."""

from math import prod

import pytest

from archspec.analysis.parameters import table
from tests.specs.compiled import shipped


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("kmax_r50_ade20k", {}, 56_610_703),
        ("kmax_convnext_tiny_coco", {"classes": 150}, 60_967_663),
        ("kmax_convnext_large_ade20k", {}, 231_867_535),
    ],
)
def test_parameters_without_the_scores_that_are_predicted_in_training_only(
    name, options, parameters
):
    network = shipped(name, **options)
    sizes = {e.name: prod(e.shape) for e in table(network.compiled) if e.learnable}
    assert sum(sizes.values()) == network.parameters
    kept = [size for tensor, size in sizes.items() if "_auxiliary_semantic_predictor" not in tensor]
    assert sum(kept) == parameters < network.parameters
