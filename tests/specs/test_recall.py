"""RECALL: heads that arrive one after the other, and the loss that keeps the old ones."""

import pytest
import torch
import torch.nn.functional as F

from tests.specs.compiled import shipped
from tests.specs.training import trained

SMALL = {"width": 12, "omega": 2.0}


def heads(*classes, name="recall_heads", **parameters):
    return shipped(name, classes=classes, **SMALL | parameters)


def batch():
    torch.manual_seed(5)
    return torch.randn(6, 12), torch.tensor([7, 8, 9, 7, 8, 8])


def grown(old, network, seed=2):
    """A module of a network with further heads, and the weights of the heads so far."""
    weights = network.to_torch(seed=seed).state_dict()
    known = {name: x for name, x in old.state_dict().items() if name.startswith("heads.")}
    return network.to_torch(weights=weights | known)


@pytest.mark.parametrize("name", ["recall_default", "recall_reg"])
def test_old_scores_do_not_change_when_a_head_is_added(name):
    features, _ = batch()
    first = heads(4, name=name).to_torch(seed=1).eval()
    second = grown(first, heads(4, 3, name=name)).eval()
    third = grown(second, heads(4, 3, 5, name=name), seed=3).eval()
    scores = third(features)
    assert scores.shape == (6, 12)
    assert torch.equal(scores[:, :4], first(features))
    assert torch.equal(scores[:, :7], second(features))


@pytest.mark.parametrize("classes", [(10,), (10, 5), (3, 4, 5, 6)])
def test_parameters_of_heads(classes):
    found = shipped("recall_heads", classes=classes).parameters
    assert found == 4_196_352 * len(classes) + 2_049 * sum(classes)


def test_a_head_is_a_sine_between_linear_layers():
    features, _ = batch()
    module = heads(4, 3).to_torch(seed=1).eval()
    wanted = [
        head.logits((2.0 * head.fc(features)).sin()) for head in (module.heads[0], module.heads[1])
    ]
    torch.testing.assert_close(module(features), torch.cat(wanted, 1))
    bound = (6 / (12 + 12)) ** 0.5  # of the uniform distribution of Glorot and Bengio
    weight = module.heads[0].fc.weight
    assert 0.9 * bound < weight.abs().max() <= bound
    assert not module.heads[0].fc.bias.any()


@pytest.mark.parametrize("combined", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("regression", [False, True])
def test_losses_are_their_formulas(regression, scaled, combined):
    network = heads(4, 3, 5, regression=regression, scaled=scaled, combined=combined)
    module = network.to_torch(seed=1)
    features, labels = batch()
    recorded = torch.randn(6, 7)
    if scaled:
        module.losses.variance.copy_(torch.rand(7) + 0.5)
    scores = module.eval()(features)
    found = module.train()(features, labels, recorded)
    target = F.one_hot(labels, 12).float()
    error = F.mse_loss if regression else F.cross_entropy
    change = scores[:, :7] - recorded
    old = (change / module.losses.variance if scaled else change).square().mean()
    new = error(scores[:, 7:], target[:, 7:])
    torch.testing.assert_close(found.old_loss, old)
    torch.testing.assert_close(found.new_loss, new)
    wanted = old + new + (error(scores, target) if combined else 0)
    torch.testing.assert_close(found.loss, wanted)
    assert not regression or (scores.min() >= 0 and scores.max() <= 1)


def test_the_first_sequence_has_only_an_error():
    features, labels = batch()
    network = heads(10)
    module = network.to_torch(seed=1)
    scores = module.eval()(features)
    torch.testing.assert_close(module.train()(features, labels), F.cross_entropy(scores, labels))


def test_old_heads_keep_their_scores_in_training():
    """They learn, too; what is recorded keeps them, and new classes are learned."""
    features, labels = batch()
    first = heads(4, 3).to_torch(seed=1).eval()
    module = grown(first, heads(4, 3, 5)).train()
    recorded = first(features).detach()
    _, kept = trained(module, lambda: module(features, labels, recorded).loss, steps=60)
    assert kept == {"losses.variance"}
    found = module(features, labels, recorded)
    assert found.old_loss < 0.05 * recorded.var()
    assert (module.eval()(features).argmax(1) == labels).all()


def test_a_head_begins_as_a_copy_of_another():
    """A choice of the authors: of the layer before the logits."""
    network = heads(4, 3)
    weights = network.to_torch(seed=1).state_dict()
    weights |= {f"heads.1.fc.{name}": weights[f"heads.0.fc.{name}"] for name in ("weight", "bias")}
    module = network.to_torch(weights=weights).eval()
    features, _ = batch()
    assert torch.equal(module.heads[0].fc(features), module.heads[1].fc(features))


def test_images_have_fixed_features_and_the_same_heads():
    network = shipped("recall", classes=(4, 3), omega=2.0, backbone="resnet50(width=8)")
    module = network.to_torch(seed=1).train()
    image = torch.randn(2, 3, 40, 40)
    moved, kept = trained(module, lambda: module(image).square().mean())
    assert {name.split(".")[0] for name in kept} == {"backbone"}
    assert {name.split(".")[0] for name in moved} == {"heads"}
    width = module.heads[0].fc.in_features
    alone = shipped("recall_heads", classes=(4, 3), omega=2.0, width=width)
    trained_alone = alone.to_torch(
        weights=alone.to_torch(seed=3).state_dict()
        | {name: x for name, x in module.state_dict().items() if name.startswith("heads.")}
    ).eval()
    features = module.eval().backbone(image)
    assert torch.equal(module(image), trained_alone(features))
