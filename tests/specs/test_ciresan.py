"""The networks of IDSIA: layers that read some of their maps, and a fixed first layer."""

import torch

from tests.specs.compiled import shipped

STAGES = ((6, 5, 1, 2, 0), (10, 3, 0, 1, 3))
"""Maps, window, positions skipped, pooling, maps read: 28 -> 12 -> 6 -> 4."""


def small(**options):
    return shipped("ciresan", stages=STAGES, hidden=(9,), **options).to_torch(seed=1).eval()


def test_every_map_reads_the_right_number_of_maps():
    table = small().conv2.table.flatten(1)
    assert table.shape == (10, 6)
    assert table.sum(1).tolist() == [3.0] * 10
    assert len({tuple(row) for row in table.tolist()}) > 5
    assert table.sum(0).min() > 0


def test_maps_depend_only_on_the_maps_in_their_table():
    layer = small().conv2
    x = torch.randn(2, 6, 6, 6)
    with torch.inference_mode():
        found = layer(x)
        for j, row in enumerate(layer.table.flatten(1).bool()):
            wanted = torch.nn.functional.conv2d(
                x[:, row], layer.weight[j : j + 1, row], layer.bias[j : j + 1]
            )
            torch.testing.assert_close(found[:, j : j + 1], wanted)


def test_weights_outside_of_the_table_are_not_trained():
    layer = small().conv2
    layer(torch.randn(2, 6, 6, 6)).square().sum().backward()
    outside = layer.table.expand_as(layer.weight) == 0
    assert layer.weight.grad[outside].abs().max() == 0
    assert layer.weight.grad[~outside].abs().min() > 0


def test_sizes_where_positions_are_skipped():
    """(28 - 5) / (1 + 1) + 1, rounded down, then pooled, then 3 by 3."""
    shapes = {}
    module = small()
    module.conv1.register_forward_hook(lambda _, __, y: shapes.update(conv1=tuple(y.shape)))
    module.conv2.register_forward_hook(lambda _, __, y: shapes.update(conv2=tuple(y.shape)))
    with torch.inference_mode():
        module(torch.randn(2, 1, 28, 28))
    assert shapes == {"conv1": (2, 6, 12, 12), "conv2": (2, 10, 4, 4)}


def test_contrast_maps_do_not_depend_on_brightness():
    layer = small(contrasts=(5,), channels=2).contrast5
    hat = layer.hat[0, 0]
    assert abs(float(hat.sum())) < 1e-5
    assert hat.argmax() == 12
    flat = torch.full((1, 2, 9, 9), 3.0)
    spot = torch.zeros(1, 2, 9, 9)
    spot[0, 0, 4, 4] = 1
    with torch.inference_mode():
        assert layer(flat)[..., 2:-2, 2:-2].abs().max() < 1e-5
        bright, _, dark, _ = layer(spot)[0]
    assert bright.argmax() == 4 * 9 + 4
    assert dark[4, 4] == 0
    assert dark.max() > 0
    torch.testing.assert_close(bright - dark, torch.nn.functional.pad(hat, (2, 2, 2, 2)))
