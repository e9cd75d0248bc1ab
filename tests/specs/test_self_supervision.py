"""Tasks without labels: how their inputs are made, their losses, and linear evaluation."""

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from tests.specs.compiled import shipped

SMALL = "resnetv2_50_k4([1, 1], widths=[16, 32], head_init=normal)"


def build(name, **options):
    return shipped(name, encoder=SMALL, **options).to_torch(seed=1)


def test_images_are_rotated_clockwise():
    module = build("rotation").train()
    image = torch.randn(3, 3, 32, 32)
    rotations = torch.cat([torch.rot90(image, -k, (2, 3)) for k in range(4)])
    labels = torch.arange(4).repeat_interleave(3)
    torch.testing.assert_close(module(image), cross_entropy(module.encoder(rotations), labels))
    module.eval()
    torch.testing.assert_close(module(image), module.encoder(image))


def test_distortions_of_an_image_are_embedded_together():
    module = build("exemplar", dim=5).train()
    images = torch.randn(3, 2, 3, 32, 32)
    found = module(images)
    embeddings = module.encoder(images.flatten(0, 1))
    torch.testing.assert_close(found.embeddings, embeddings.reshape(3, 2, 5))
    e = normalize(embeddings, dim=0)
    distances = (e[:, None] - e[None]).square().sum(2)
    losses = []
    for anchor in range(6):
        positive = anchor ^ 1
        others = [distances[anchor, n] for n in range(6) if n // 2 != anchor // 2]
        farther = [d for d in others if d > distances[anchor, positive]]
        negative = min(farther) if farther else max(others)
        losses.append((0.5 + distances[anchor, positive] - negative).clamp(min=0))
    torch.testing.assert_close(found.loss, torch.stack(losses).mean())


@pytest.fixture
def jigsaw():
    return build("jigsaw", dim=4, classes=7).eval()


def test_permuted_patches_equal_a_permuted_order(jigsaw):
    patches = torch.randn(2, 9, 3, 32, 32)
    orders = torch.stack([torch.randperm(9) for _ in range(5)])
    permutation = torch.randperm(9)
    with torch.inference_mode():
        found = jigsaw(patches[:, permutation], orders)
        torch.testing.assert_close(found, jigsaw(patches, permutation[orders]))
        assert not torch.allclose(found, jigsaw(patches, orders))


def test_logits_of_an_order_are_those_of_the_embeddings_in_this_order(jigsaw):
    """Features of different patches lie next to each other, as in the authors' code."""
    patches = torch.randn(2, 9, 3, 32, 32)
    orders = torch.stack([torch.randperm(9) for _ in range(5)])
    with torch.inference_mode():
        embeddings = jigsaw.encoder(patches.flatten(0, 1)).reshape(2, 9, 4)
        hidden = jigsaw.hidden(embeddings[1, orders[3]].T.reshape(1, 36))
        wanted = jigsaw.logits(jigsaw.bn(hidden).relu())
        torch.testing.assert_close(jigsaw(patches, orders)[1, 3], wanted[0])


def test_loss_of_the_jigsaw():
    module = build("jigsaw", dim=4, classes=7).train()
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            layer.momentum = 0.0
    patches, orders = torch.randn(2, 9, 3, 32, 32), torch.stack([torch.randperm(9)] * 3)
    labels = torch.tensor([6, 0, 2])
    found = module(patches, orders, labels)
    wanted = cross_entropy(found.logits.flatten(0, 1), labels.repeat(2))
    torch.testing.assert_close(found.loss, wanted)


def test_outer_patches_are_placed_relative_to_the_middle():
    module = build("relative_location", dim=4).eval()
    patches = torch.randn(2, 9, 3, 32, 32)
    with torch.inference_mode():
        embeddings = module.encoder(patches.flatten(0, 1)).reshape(2, 9, 4)
        outer = [0, 1, 2, 3, 5, 6, 7, 8]
        pairs = torch.stack([embeddings[:, outer], embeddings[:, 4:5].expand(2, 8, 4)], 3)
        wanted = module.logits(module.bn(module.hidden(pairs.reshape(16, 8))).relu())
        torch.testing.assert_close(module(patches), wanted.reshape(2, 8, 8))
        found = module.train()(patches)
        labels = torch.arange(8).repeat(2)
        torch.testing.assert_close(found.loss, cross_entropy(found.logits.flatten(0, 1), labels))


def test_maps_are_pooled_to_about_9000_features():
    module = shipped("linear_evaluation").to_torch(device="meta")
    sizes = [module.get_parameter(f"probes.{i}.fc.weight").shape[1] for i in range(6)]
    assert sizes == [64 * 12**2, 256 * 6**2, 512 * 4**2, 1024 * 3**2, 2048 * 2**2, 2048]


def test_only_the_linear_classifiers_learn():
    maps = ("stages.0", "stages.1")
    module = build("linear_evaluation", maps=maps, size=32, classes=3, features=50).train()
    before = {name: x.clone() for name, x in module.state_dict().items()}
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        sum(x.square().mean() for x in module(torch.randn(4, 3, 32, 32))).backward()
        optimiser.step()
    changed = {name for name, x in module.state_dict().items() if not torch.equal(x, before[name])}
    assert changed == {f"probes.{i}.fc.{kind}" for i in range(2) for kind in ("weight", "bias")}


def test_the_input_of_a_reversible_block_follows_from_its_output():
    module = shipped("revnet", depths=(1, 1), width=16, classes=3).to_torch(seed=1).double().eval()
    block = module.stages[1].blocks[0]
    x = torch.randn(2, 32, 6, 5, dtype=torch.double)
    with torch.inference_mode():
        b, second = block(x).chunk(2, 1)
        residual = block(torch.cat([torch.zeros_like(b), b], 1)).chunk(2, 1)[1]
        torch.testing.assert_close(torch.cat([second - residual, b], 1), x)
