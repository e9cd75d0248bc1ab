"""ConDL: one network for both images, descriptors at points, loss and matches."""

import torch
from torch.nn.functional import batch_norm, conv2d, cross_entropy, normalize

from tests.specs.compiled import shipped

WIDTHS = [4, 6, 6, 4, 4, 4, 4, 4, 4, 8]


def build(**options):
    return shipped("condl", features=f"features({WIDTHS})", **options).to_torch(seed=1)


def pixels(height, width):
    """All pixels as points, column first, row by row."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([columns, rows], dim=2).reshape(1, -1, 2).float()


def features(module, image):
    """The maps of an image in training, in plain PyTorch."""
    weights = dict(module.features.named_parameters())

    def normed(x, name):
        return batch_norm(
            x, None, None, weights[f"{name}.weight"], weights[f"{name}.bias"], training=True
        )

    x = normed(conv2d(image, weights["stem.weight"], padding=1), "stem_norm").relu()
    for i in range(10):
        block = f"blocks.{i}"
        y = conv2d(x, weights[f"{block}.conv1.weight"], padding=1)
        y = normed(y, f"{block}.norm1").relu()
        y = normed(conv2d(y, weights[f"{block}.conv2.weight"], padding=1), f"{block}.norm2")
        if f"{block}.shortcut.weight" in weights:
            x = conv2d(x, weights[f"{block}.shortcut.weight"], weights[f"{block}.shortcut.bias"])
        x = x + y
    return x


def test_one_network_describes_both_images():
    module = build().eval()
    maps = []
    module.features.register_forward_hook(lambda *call: maps.append(call[2]))
    image, points = torch.randn(1, 3, 9, 12), pixels(9, 12)
    module(image, image.clone(), points, points)
    assert len(maps) == 2
    assert torch.equal(*maps)
    assert maps[0].shape == (1, 8, 9, 12)
    assert {name.split(".")[0] for name in module.state_dict()} == {"features"}


def test_sampling_at_pixels_is_indexing():
    module = build().eval()
    a, b = torch.randn(1, 3, 9, 12), torch.randn(1, 3, 12, 9)
    with torch.inference_mode():
        found = module(a, b, pixels(9, 12), pixels(12, 9)).similarities
        first, second = (normalize(module.features(x).flatten(2), dim=1) for x in (a, b))
    torch.testing.assert_close(found, first.mT @ second)


def test_a_point_between_pixels_is_interpolated():
    module = build().eval()
    image = torch.randn(1, 3, 9, 12)
    with torch.inference_mode():
        found = module(
            image, image, torch.tensor([[[3.25, 5.5]]]).repeat(1, 108, 1), pixels(9, 12)
        ).similarities[:, :1]
        map = module.features(image)
    near, far = (map[..., 3 + i] * (0.75, 0.25)[i] for i in (0, 1))
    columns = near + far
    sampled = (columns[..., 5] + columns[..., 6]) / 2
    expected = normalize(sampled, dim=1) @ normalize(map.flatten(2), dim=1)[0]
    torch.testing.assert_close(found[0], expected)


def test_the_identity_gives_the_identity_as_matches():
    module = build().eval()
    image, points = torch.randn(1, 3, 9, 12), pixels(9, 12)
    order = torch.randperm(108)
    with torch.inference_mode():
        assert module(image, image, points, points).matches.tolist() == [list(range(108))]
        shuffled = module(image, image, points, points[:, order]).matches
    torch.testing.assert_close(shuffled[0], order.argsort())


def test_matches_are_mutual():
    module = build().eval()
    a, b = torch.randn(2, 3, 9, 12), torch.randn(2, 3, 12, 9)
    with torch.inference_mode():
        found = module(a, b, pixels(9, 12).repeat(2, 1, 1), pixels(12, 9).repeat(2, 1, 1))
    for scores, matches in zip(found.similarities, found.matches, strict=True):
        forth, back = scores.argmax(1).tolist(), scores.argmax(0).tolist()
        expected = [j if back[j] == i else -1 for i, j in enumerate(forth)]
        assert matches.tolist() == expected
        assert -1 in expected
        assert max(expected) >= 0


def test_loss_agrees_with_the_formula():
    """The second points are the first ones, moved by 2 columns and -1 row."""
    module = build(temperature=0.2).train()
    a, b = torch.randn(1, 3, 9, 12), torch.randn(1, 3, 9, 12)
    points = torch.tensor([[[1.0, 3.0], [4.0, 1.0], [9.0, 8.0], [0.0, 5.0]]])
    columns, rows = points[0].long().T
    first = normalize(features(module, a)[0, :, rows, columns], dim=0)
    second = normalize(features(module, b)[0, :, rows - 1, columns + 2], dim=0)
    logits, labels = first.T @ second / 0.2, torch.arange(4)
    expected = (cross_entropy(logits, labels) + cross_entropy(logits.T, labels)) / 2
    found = module(a, b, points, points + torch.tensor([2.0, -1.0]))
    torch.testing.assert_close(found, expected)
