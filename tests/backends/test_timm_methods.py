"""The methods of timm's models on generated modules."""

import copy

import pytest
import torch

import archspec
from archspec_torch.timm_methods import with_timm_methods


@pytest.mark.parametrize(
    ("name", "shape", "classifier"),
    [
        ("resnet18", (1, 512, 7, 7), "fc"),
        ("deit_tiny_patch16_224", (1, 197, 192), "head"),
        ("swin_t", (1, 7, 7, 768), "head"),
    ],
)
def test_features_and_head_compose_to_the_network(name, shape, classifier):
    model = with_timm_methods(archspec.load(name).to_torch()).eval()
    names = [*model.state_dict()]
    (x,) = model.example_inputs()
    with torch.no_grad():
        features = model.forward_features(x)
        assert features.shape == shape
        torch.testing.assert_close(model.forward_head(features), model(x))
        pooled = model.forward_head(features, pre_logits=True)
        assert pooled.shape == (1, model.num_features)
        assert model.get_classifier() is model.get_submodule(classifier)
        model.reset_classifier(10)
        assert model(x).shape == (1, 10)
        assert [*model.state_dict()] == names
        model.reset_classifier(0)
        torch.testing.assert_close(model(x), pooled)


def test_feature_info_of_a_pyramid():
    model = with_timm_methods(archspec.load("resnet18").to_torch())
    found = {row["reduction"]: (row["num_chs"], row["module"]) for row in model.feature_info}
    assert found == {
        2: (64, "relu"),
        4: (64, "layer1"),
        8: (128, "layer2"),
        16: (256, "layer3"),
        32: (512, "layer4"),
    }


def test_tables_and_tokens_have_no_weight_decay():
    model = with_timm_methods(archspec.load("swin_t").to_torch(device="cpu"))
    names = model.no_weight_decay()
    assert names
    assert all(name.endswith("relative_position_bias_table") for name in names)


def test_gradient_checkpointing_gives_the_same_gradients():
    one = archspec.load("resnet18", small=True).to_torch().train()
    two = with_timm_methods(copy.deepcopy(one))
    two.set_grad_checkpointing()
    x = torch.randn(2, 3, 32, 32)
    for model in (one, two):
        model(x).square().sum().backward()
    for first, second in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(first.grad, second.grad)
    two.set_grad_checkpointing(False)
    assert not any("forward" in vars(part) for part in two.modules())


def test_networks_with_several_inputs_are_refused():
    module = archspec.load("siglip").to_torch(device="meta")
    kind = type(module)
    with pytest.raises(ValueError, match="several"):
        with_timm_methods(module)
    assert type(module) is kind
