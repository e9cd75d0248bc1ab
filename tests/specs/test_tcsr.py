"""TCSR: shifts of channels, enlargement, images of any size, and the size of the networks."""

import pytest
import torch
from torch.nn.functional import gelu, interpolate

from tests.specs.compiled import shipped

SMALL = {"blocks": 2, "width": 12, "kernel": 5}


@pytest.mark.parametrize(("name", "published"), [("tcsr_b_x4", 682), ("tcsr_l_x4", 1030)])
def test_parameters_are_as_published_within_rounding(name, published):
    assert round(shipped(name).parameters / 1000) == published


def test_scales_differ_in_the_last_convolution_only():
    for size in ("b", "l"):
        states = [
            shipped(f"tcsr_{size}_x{scale}").to_torch(device="meta").state_dict()
            for scale in (2, 3, 4)
        ]
        shapes = [{name: x.shape for name, x in state.items()} for state in states]
        differing = {name for name in shapes[0] if len({each[name] for each in shapes}) > 1}
        assert differing == {"conv_last.weight", "conv_last.bias"}
        assert [each["conv_last.bias"] for each in shapes] == [(3 * n * n,) for n in (2, 3, 4)]


def rolled(x, step, axis):
    """`torch.roll` with zeros instead of what comes in from the other end."""
    x = x.roll(step, axis)
    x.select(axis, 0 if step > 0 else -1).zero_()
    return x


def test_four_fifths_of_the_channels_move_by_one_position():
    module = shipped("tcsr", **SMALL).to_torch(seed=1).eval()
    mlp = module.layers[0].mlp
    x = torch.randn(2, 6, 7, 12)
    with torch.inference_mode():
        hidden = gelu(mlp.fc1(x))
        groups = hidden.split([2, 2, 2, 2, 4], dim=3)
        moves = [(1, 1), (-1, 1), (1, 2), (-1, 2)]
        moved = [rolled(y.clone(), *move) for y, move in zip(groups, moves, strict=False)]
        wanted = mlp.fc2(torch.cat([*moved, groups[4]], 3))
        torch.testing.assert_close(mlp(x), wanted)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(48, 48), (49, 61), (3, 4)])
def test_images_of_any_size_are_enlarged(scale, height, width):
    network = shipped("tcsr", scale=scale, **SMALL)
    module = network.to_torch(seed=1).eval()
    image = torch.randn(1, 3, height, width)
    assert network.accepts(H=height, W=width)
    with torch.inference_mode():
        found = module(image)
        module.conv_last.weight.zero_()
        module.conv_last.bias.zero_()
        shape = (height * scale, width * scale)
        assert found.shape == (1, 3, *shape)
        torch.testing.assert_close(module(image), interpolate(image, size=shape, mode="bilinear"))
    assert not torch.allclose(module(image), found)


def test_attention_is_local():
    """A pixel reaches as far as the windows of all blocks, the shifts and the convolutions."""
    module = shipped("tcsr", **SMALL).to_torch(seed=1).eval()
    image = torch.randn(1, 3, 40, 40, requires_grad=True)
    module(image)[0, :, 80, 80].sum().backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert 20 - 1 - 2 * (2 + 1) - 2 <= int(rows.min()) < 20 - 4
    assert 20 + 4 < int(rows.max()) <= 20 + 1 + 2 * (2 + 1) + 2
