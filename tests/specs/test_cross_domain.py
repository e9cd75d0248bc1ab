"""Features from synthetic images: the losses of both players, and what each of them changes."""

import pytest
import torch
import torch.nn.functional as F

from tests.specs.compiled import shipped
from tests.specs.families import family, options


@pytest.fixture(scope="module")
def small():
    return shipped("cross_domain", **options(family("cross_domain")["run"]))


def batch():
    torch.manual_seed(5)
    shape = (2, 1, 83, 83)
    return {
        "image": torch.randn(2, 3, 83, 83),
        "depth_map": torch.rand(shape),
        "edge_map": (torch.rand(shape) < 0.2).float(),
        "normal_map": torch.randint(256, (2, 3, 83, 83)).float(),
        "real_image": torch.randn(2, 3, 83, 83),
    }


def recorded(part):
    """The outputs of a part of a module, of each of its calls."""
    found = []
    part.register_forward_hook(lambda _, inputs, output: found.append(output))
    return found


def gradients(module):
    return {name for name, weight in module.named_parameters() if weight.grad is not None}


def test_losses_are_those_of_the_code(small):
    module = small.to_torch(seed=1).train()
    seen, heads = recorded(module.netB.bn5), recorded(module.netH)
    given = batch()
    found = module(**given)
    ((depth, edge, normal),) = heads
    n = depth.numel()
    error = depth - given["depth_map"]
    depth_loss = (F.mse_loss(depth, given["depth_map"]) + 0.5 * (error.sum() / n) ** 2) * 0.5
    torch.testing.assert_close(found.depth_loss, depth_loss)
    count = given["edge_map"].sum((1, 2, 3)).view(-1, 1, 1, 1)
    weight = (83 * 83 - count) / count
    edge_loss = F.binary_cross_entropy_with_logits(edge, given["edge_map"], weight)
    torch.testing.assert_close(found.edge_loss, edge_loss)
    rows = normal.permute(0, 2, 3, 1).reshape(-1, 3)
    wanted = given["normal_map"].permute(0, 2, 3, 1).reshape(-1, 3) / 127.5 - 1
    normal_loss = F.cosine_embedding_loss(F.normalize(rows), wanted, torch.ones(len(rows)))
    torch.testing.assert_close(found.normal_loss, normal_loss)
    synthetic, real = seen
    assert not torch.equal(synthetic, real)
    scores = {key: F.sigmoid(module.netD(x)) for key, x in (("s", synthetic), ("r", real))}
    ones, zeros = torch.ones_like(scores["s"]), torch.zeros_like(scores["s"])
    adaptation_loss = F.binary_cross_entropy(scores["s"], ones)
    torch.testing.assert_close(found.adaptation_loss, adaptation_loss)
    judging = F.binary_cross_entropy(scores["s"], zeros) + F.binary_cross_entropy(scores["r"], ones)
    torch.testing.assert_close(found.discriminator_loss, judging / 2)
    total = 5 * depth_loss + 10 * normal_loss + edge_loss + 0.05 * adaptation_loss
    torch.testing.assert_close(found.loss, total)


def test_the_loss_of_the_discriminator_stops_at_the_tap(small):
    module = small.to_torch(seed=1).train()
    module(**batch()).discriminator_loss.backward()
    assert gradients(module) == {
        name for name, _ in module.named_parameters() if name.startswith("netD.")
    }


def test_the_network_is_adapted_below_the_tap_only(small):
    module = small.to_torch(seed=1).train()
    module(**batch()).adaptation_loss.backward()
    found = {".".join(name.split(".")[:2]) for name in gradients(module) if "netD" not in name}
    layers = [f"{kind}{i}" for i in range(1, 6) for kind in ("conv", "bn")]
    assert found == {f"netB.{name}" for name in layers}


def test_players_move_in_turn(small):
    """Each with its own optimiser and weight decay, and without changing the other's weights."""
    module = small.to_torch(seed=1).train()
    parts = {name: x for name, x in module.named_parameters() if name.startswith("netD.")}
    rest = {name: x for name, x in module.named_parameters() if name not in parts}
    for own, other, output in (
        (parts, rest, "discriminator_loss"),
        (rest, parts, "loss"),
    ):
        before = {name: x.detach().clone() for name, x in module.named_parameters()}
        optimiser = torch.optim.SGD(own.values(), lr=0.01, weight_decay=0.1)
        torch.autograd.backward(getattr(module(**batch()), output), inputs=list(own.values()))
        optimiser.step()
        optimiser.zero_grad()
        assert not any(torch.equal(x, before[name]) for name, x in own.items())
        assert all(torch.equal(x, before[name]) for name, x in other.items())


def test_features_may_be_those_of_any_layer():
    for layer, channels in (("conv1", 96), ("conv3", 384), ("fc6", 4096)):
        network = shipped(f"cross_domain_{layer}")
        module = network.to_torch(device="meta")
        assert module.netD.main[0].in_channels == channels


def test_inference_has_only_the_heads(small):
    module = small.to_torch(seed=1).eval()
    image = batch()["image"]
    found = module(image)
    assert [tuple(x.shape) for x in found] == [(2, 1, 83, 83), (2, 1, 83, 83), (2, 3, 83, 83)]
    assert [port.name for port in small.inputs] == ["image"]


def test_an_image_of_the_paper_has_36_patches():
    module = shipped("cross_domain_discriminator").to_torch(device="meta").eval()
    assert module(torch.empty(2, 256, 13, 13, device="meta")).shape == (2 * 36,)
