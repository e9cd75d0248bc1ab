"""Adversarial patches: the losses of both players, frozen victims, and where patches are placed."""

import pytest
import torch
import torch.nn.functional as F

from archspec_torch.sensitivity import grad_cam
from tests.specs.compiled import shipped
from tests.specs.families import family, options
from tests.specs.training import trained

MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)


@pytest.fixture(scope="module")
def small():
    return shipped("adversarial_patch", **options(family("adversarial_patch")["run"]))


def batch():
    torch.manual_seed(5)
    image = torch.rand(3, 3, 40, 40) * 2 - 1
    return image, torch.tensor([1, 4, 0]), torch.tensor([[0, 24], [7, 11], [24, 0]])


def windows(image, corners):
    return torch.stack(
        [x[:, i : i + 16, j : j + 16] for x, (i, j) in zip(image, corners.tolist(), strict=True)]
    )


def attacked(image, patch, corners):
    padded = [
        F.pad(y, (j, 24 - j, i, 24 - i)) for y, (i, j) in zip(patch, corners.tolist(), strict=True)
    ]
    inside = [F.pad(torch.ones(1, 16, 16), (j, 24 - j, i, 24 - i)) for i, j in corners.tolist()]
    return torch.where(torch.stack(inside).bool(), torch.stack(padded), image)


def test_only_the_window_of_an_image_changes(small):
    module = small.to_torch(seed=1).eval()
    image, target, corners = batch()
    with torch.inference_mode():
        found = module(image, target, corners)
        patch = module.generator(windows(image, corners), target)
    assert torch.equal(found, attacked(image, patch, corners))
    assert patch.abs().max() < 1


def test_a_patch_depends_on_the_target_class(small):
    module = small.to_torch(seed=1).eval()
    image, target, corners = batch()
    with torch.inference_mode():
        one, other = (module(image, (target + i) % 5, corners) for i in (0, 1))
    changed = (one != other).flatten(1).any(1)
    assert changed.tolist() == [True] * 3


def test_losses_are_their_formulas(small):
    module = small.to_torch(seed=1).train()
    image, target, corners = batch()
    patches = []
    module.generator.register_forward_hook(lambda _, inputs, output: patches.append(output))
    found = module(image, target, corners)
    (patch,), window = patches, windows(image, corners)
    view = ((attacked(image, patch, corners) + 1) / 2 - MEAN) / STD
    target_losses = [F.cross_entropy(victim(view), target) for victim in module.victims]
    torch.testing.assert_close(found.target_loss, sum(target_losses) / 2)
    fake, real = (module.discriminator(x) for x in (patch, window))
    ones, zeros = torch.ones_like(fake), torch.zeros_like(fake)
    realism_loss = F.binary_cross_entropy_with_logits(fake, ones)
    torch.testing.assert_close(found.realism_loss, realism_loss)
    torch.testing.assert_close(found.reconstruction_loss, F.l1_loss(patch, window))
    judging = F.binary_cross_entropy_with_logits(fake, zeros)
    judging = judging + F.binary_cross_entropy_with_logits(real, ones)
    torch.testing.assert_close(found.discriminator_loss, judging / 2)
    total = found.target_loss + found.realism_loss + found.reconstruction_loss
    torch.testing.assert_close(found.loss, total)


@pytest.mark.parametrize("loss", ["target_loss", "realism_loss", "reconstruction_loss"])
def test_each_loss_reaches_every_weight_of_the_generator(small, loss):
    """Through the victims, which `detach` would prevent."""
    module = small.to_torch(seed=1).train()
    getattr(module(*batch()), loss).backward()
    slopes = {name: x.grad for name, x in module.generator.named_parameters()}
    assert all(slope is not None and slope.abs().max() > 0 for slope in slopes.values())


def test_the_loss_of_the_discriminator_stops_at_the_patch(small):
    module = small.to_torch(seed=1).train()
    module(*batch()).discriminator_loss.backward()
    found = {name.split(".")[0] for name, x in module.named_parameters() if x.grad is not None}
    assert found == {"discriminator"}


def test_victims_stay_as_they_are_bit_for_bit(small):
    """Batch norms and their statistics, too, through steps of both players with weight decay."""
    module = small.to_torch(seed=1).train()
    given = batch()
    found = trained(module, lambda: module(*given).loss + module(*given).discriminator_loss)
    moved, kept = ({name.split(".")[0] for name in names} for names in found)
    assert moved == {"generator", "discriminator"}
    assert kept == {"victims"}


def test_the_victim_sees_the_target_class_after_training():
    """In inference, each image another class, as the patch is told; both players are trained."""
    run = options(family("adversarial_patch")["run"])
    victim = "swin_b(dim=8, depths=[1, 1, 1, 1], heads=[1, 2, 2, 4], classes=3)"
    network = shipped("adversarial_patch", **run | {"patch": 32, "victims": (victim,)})
    module = network.to_torch(seed=1).train()
    image, _, corners = batch()
    target, corners = torch.tensor([1, 2, 0]), corners.clamp(0, 8)
    players = {
        "target_loss": torch.optim.Adam(module.generator.parameters(), lr=0.005),
        "discriminator_loss": torch.optim.Adam(module.discriminator.parameters(), lr=0.005),
    }
    for _ in range(50):
        for name, optimiser in players.items():
            optimiser.zero_grad()
            getattr(module(image, target, corners), name).backward()
            optimiser.step()
    with torch.inference_mode():
        answers = [
            module.victims[0](((x + 1) / 2 - MEAN) / STD).argmax(1)
            for x in (image, module.eval()(image, target, corners))
        ]
    assert answers[0].tolist() != target.tolist()
    assert answers[1].tolist() == target.tolist()


def test_a_patch_is_placed_at_the_peak_of_a_map():
    module = shipped("patch_corners", patch=16, height=40, width=60).to_torch().eval()
    heat = torch.zeros(4, 5, 6)
    for x, (row, column) in zip(heat, [(2, 3), (0, 0), (4, 5), (1, 5)], strict=True):
        x[row, column] = 1.0
    resized = F.interpolate(heat[:, None], size=(40, 60), mode="bilinear").flatten(1).argmax(1)
    wanted = torch.stack([resized // 60 - 8, resized % 60 - 8], dim=1)
    found = module(heat)
    assert torch.equal(found[0], wanted[0])
    assert found[1:].tolist() == [[0, 0], [24, 44], [int(wanted[3, 0]), 44]]


def test_corners_follow_grad_cam_of_a_frozen_victim(small):
    """The whole path: the map of a victim, the corner, and the image with a patch."""
    module = small.to_torch(seed=1).eval()
    image, target, _ = batch()
    place = shipped("patch_corners", patch=16, height=40).to_torch().eval()
    victim = module.victims[0]
    heat = grad_cam(victim, ((image + 1) / 2 - MEAN) / STD, target.tolist(), "layer3")
    assert heat.shape == (3, 3, 3)
    assert (heat.flatten(1).amax(1) > 0).any()
    corners = place(heat)
    with torch.inference_mode():
        found = module(image, target, corners)
    changed = (found != image).any(1)
    for where, (i, j) in zip(changed, corners.tolist(), strict=True):
        assert where[i : i + 16, j : j + 16].any()
        where[i : i + 16, j : j + 16] = False
        assert not where.any()


@pytest.mark.parametrize("name", ["densenet121", "resnet50", "vit_b_16", "swin_b"])
def test_victims_have_the_names_of_published_weights(name):
    module = shipped(f"patch_{name}").to_torch(device="meta")
    alone = shipped(name).to_torch(device="meta").state_dict()
    found = module.victims[0].state_dict()
    assert {key: x.shape for key, x in found.items()} == {key: x.shape for key, x in alone.items()}


def test_all_four_victims_are_in_one_graph():
    report = shipped("adversarial_patch").report()
    names = ("densenet121", "resnet50", "vit_b_16", "swin_b")
    assert report.counts.fixed == sum(shipped(name).parameters for name in names) == 207_871_768
