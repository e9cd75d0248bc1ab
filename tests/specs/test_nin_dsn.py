"""Deeply-supervised nets: companions exist in training only, and read layers before their ReLU."""

import pytest
import torch
import torch.nn.functional as F

from archspec.graph.compare import fingerprint
from archspec.loading import load
from tests.specs.compiled import shipped
from tests.specs.training import trained


def batch(classes=10):
    torch.manual_seed(5)
    return torch.randn(4, 3, 32, 32), torch.randint(classes, (4,))


def squared_hinge(scores, labels):
    signs = 2 * F.one_hot(labels, scores.shape[1]) - 1
    return (1 - signs * scores).clamp(min=0).square().sum(1).mean()


def in_training(name, **parameters):
    """A module in training whose dropout drops the same values in each run."""
    module = shipped(name, **parameters).to_torch(seed=1).train()

    def seed(*_):
        torch.manual_seed(7)

    module.net.register_forward_pre_hook(seed)
    return module


def parts(module, image, labels, loss):
    """The loss of the output and those of the companions, layer by layer with PyTorch."""
    net, hidden = module.net, []
    torch.manual_seed(7)
    y = image
    for i, layers in enumerate([("cccp1", "cccp2"), ("cccp3", "cccp4"), ("cccp5", "cccp6")]):
        y = getattr(net, f"conv{i + 1}")(y)
        hidden.append(y)
        for name in layers:
            y = getattr(net, name)(y.relu())
        if i < 2:
            y = F.dropout(F.max_pool2d(y.relu(), 3, 2, ceil_mode=True), 0.5)
    heads = [getattr(module, f"ip_svm{i + 1}") for i in range(3)]
    scores = [
        F.linear(x.flatten(1), head.weight, head.bias)
        for x, head in zip(hidden, heads, strict=True)
    ]
    return loss(y.mean((2, 3)), labels), [loss(each, labels) for each in scores]


@pytest.mark.parametrize(
    ("name", "classes", "loss"),
    [
        ("nin_dsn_cifar10", 10, squared_hinge),
        ("nin_dsn_cifar100", 100, F.cross_entropy),
        ("nin_dsn_svhn", 10, F.cross_entropy),
    ],
)
def test_losses_are_their_formulas(name, classes, loss):
    module = in_training(name)
    image, labels = batch(classes)
    found = module(image, labels, torch.tensor(0.3))
    output, companions = parts(module, image, labels, loss)
    torch.testing.assert_close(found.output_loss, output)
    torch.testing.assert_close(found.companion_loss, sum(companions))
    torch.testing.assert_close(found.loss, output + 0.3 * sum(companions))


def test_a_companion_below_gamma_has_no_loss():
    module = in_training("deeply_supervised", gamma=10.2)
    image, labels = batch()
    with torch.no_grad():
        module.ip_svm2.weight.mul_(0.1)
        found = module(image, labels, torch.tensor(1.0)).companion_loss
        _, losses = parts(module, image, labels, squared_hinge)
    heads = [module.ip_svm1, module.ip_svm2, module.ip_svm3]
    sums = [loss + head.weight.square().sum() for loss, head in zip(losses, heads, strict=True)]
    assert min(sums) < 10.2 < max(sums)
    torch.testing.assert_close(found, sum((each - 10.2).clamp(min=0) for each in sums))


def test_inference_is_the_plain_network():
    """Its graph is one call, of the graph of `nin`; and its weights are those of `net`."""
    network, plain = shipped("nin_dsn_cifar10"), shipped("nin_cifar10")
    (call,) = (node for node in network.compiled.inference.nodes if not node.is_input)
    assert fingerprint(call.instance.graph) == fingerprint(plain.compiled.inference)
    module = network.to_torch(seed=1).eval()
    alone = plain.to_torch(weights=module.net.state_dict()).eval()
    image, _ = batch()
    with torch.inference_mode():
        assert torch.equal(module(image), alone(image))


def test_companions_are_counted_in_training():
    network = shipped("nin_dsn_cifar10")
    assert network.report(training=True).counts.parameters == 3_547_496
    assert network.report(training=True).macs.evaluate({"B": 1}) == 225_067_008


def test_a_weight_of_zero_trains_as_without_companions():
    image, labels = batch()
    module = in_training("nin_dsn_cifar10")
    for weight in (0.0, 1.0):
        module.zero_grad()
        module(image, labels, torch.tensor(weight)).loss.backward()
        gradient = module.net.conv1.weight.grad.clone()
        assert module.ip_svm1.weight.grad.any() == (weight > 0)
        module.zero_grad()
        module(image, labels, torch.tensor(0.0)).output_loss.backward()
        assert torch.equal(gradient, module.net.conv1.weight.grad) == (weight == 0)


def test_everything_learns():
    module = shipped("nin_dsn_cifar10").to_torch(seed=1).train()
    image, labels = batch()
    moved, kept = trained(module, lambda: module(image, labels, torch.tensor(1.0)).loss / 100)
    assert not kept
    assert {"net.conv1.weight", "net.cccp6.bias", "ip_svm3.weight"} <= moved


def test_any_network_is_supervised(tmp_path):
    (tmp_path / "net.arch").write_text(
        "use nin_dsn { deeply_supervised }\n"
        "use resnet_cifar { resnet_cifar }\n"
        'preset mine = deeply_supervised(resnet_cifar(8), ["layer1", "layer2.0"], "fc")\n',
        encoding="utf-8",
    )
    module = load(tmp_path / "net.arch").to_torch(seed=1).train()
    image, labels = batch()
    found = module(image, labels, torch.tensor(1.0))
    assert module.ip_svm1.weight.shape == (10, 16 * 32 * 32)
    torch.testing.assert_close(found.loss, found.output_loss + found.companion_loss)
    assert module.eval()(image).shape == (4, 10)
