"""Networks for inference with folded norms equal the deployed networks of the references."""

import json

import numpy
import pytest
import torch

from archspec.analysis.parameters import table
from tests.specs.compiled import shipped
from tests.specs.families import merged
from tests.specs.golden import FOLDER, assert_agrees, draw, fill, output

COUNTS = merged("folded")
GOLDEN = sorted((FOLDER / "folded").glob("*.json"))


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    published, network = COUNTS[name], shipped(name).fold()
    assert network.parameters == published["parameters"]
    assert network.macs(**published.get("at", {})) == published["macs"]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_weights_and_outputs_agree_with_the_reference(path):
    reference = json.loads(path.read_text(encoding="utf-8"))
    gain = reference["gain"]
    network = shipped(path.stem).fold()
    weights = {
        name: torch.from_numpy(numpy.array(fill(name, tuple(shape), gain)))
        for name, shape in reference["state"].items()
    }
    module = network.to_torch(weights=weights).eval()
    assert network.parameters == reference["merged_params"]
    found = module.state_dict()
    assert {*found} == {*reference["merged"]} == {entry.name for entry in table(network.compiled)}
    for name, wanted in reference["merged"].items():
        assert_agrees(found[name].numpy(), output(wanted), 1e-4, norm=1e-4)  # it merges in float32
    (wanted,) = reference["outputs"].values()
    with torch.inference_mode():
        result = module(torch.from_numpy(draw("input", tuple(reference["input"]))))
    assert_agrees(result.numpy(), output(wanted), 1e-3, norm=1e-3)
