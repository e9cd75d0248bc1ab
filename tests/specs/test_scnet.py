"""The shift of SCNet is a convolution with one weight of 1 for each channel."""

import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load

# rows and columns of the position that each eighth of the channels reads
OFFSETS = [(-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (1, -1), (-1, 1), (-1, -1)]


@pytest.fixture
def shift(tmp_path):
    path = tmp_path / "shift.arch"
    path.write_text(
        "use scnet { shift }\n"
        "network shifted {\n"
        "  input x: f32[B = 1, 24, H = 8, W = 8]\n"
        "  output y = x -> shift\n"
        "}\n",
        encoding="utf-8",
    )
    return load(path).to_torch()


@pytest.mark.parametrize("size", [(5, 7), (2, 1), (1, 1)])
def test_each_group_reads_one_neighbour_or_zeros(shift, size):
    weight = torch.zeros(24, 1, 3, 3)
    for group, (row, column) in enumerate(OFFSETS):
        weight[3 * group : 3 * group + 3, 0, 1 + row, 1 + column] = 1
    x = torch.randn(2, 24, *size)
    assert torch.equal(shift(x), F.conv2d(x, weight, padding=1, groups=24))
