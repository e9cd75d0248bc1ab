"""The auxiliary heads of Inception-v4 and Inception-ResNet-v2 in TF-slim; the paper has none."""

import pytest
import torch

from tests.specs.compiled import shipped

NAMES = ["inception_v4", "inception_resnet_v2"]


def image():
    return torch.empty(2, 3, 299, 299, device="meta")


@pytest.mark.parametrize("name", NAMES)
def test_auxiliary_head_exists_in_training_only(name):
    module = shipped(name, aux=True).to_torch(device="meta")
    logits, aux = module.train()(image())
    assert logits.shape == aux.shape == (2, 1000)
    assert module.eval()(image()).shape == (2, 1000)


@pytest.mark.parametrize("name", NAMES)
def test_without_the_head_there_is_one_output_and_the_same_names(name):
    module = shipped(name).to_torch(device="meta")
    assert module.train()(image()).shape == (2, 1000)
    helped = shipped(name, aux=True).to_torch(device="meta").state_dict()
    assert [key for key in helped if not key.startswith("AuxLogits.")] == list(module.state_dict())


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("inception_v3", ("logits", "aux_logits")),
        ("googlenet", ("logits", "aux_logits2", "aux_logits1")),
    ],
)
def test_training_results_have_the_order_of_torchvision(name, fields):
    """As in `InceptionOutputs` and `GoogLeNetOutputs`, which users unpack by position."""
    assert shipped(name).to_torch(device="meta").train()(image())._fields == fields


def test_network_without_norms_has_the_weights_of_the_folded_one():
    plain = shipped("inception_v3_no_bn")
    folded = shipped("inception_v3", aux=False).fold()
    assert folded.parameters == plain.parameters
    wanted, found = (
        {name: value.shape for name, value in one.to_torch(device="meta").state_dict().items()}
        for one in (folded, plain)
    )
    assert found == wanted
