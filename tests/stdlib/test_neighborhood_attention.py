"""Neighbourhood attention against NATTEN's kernels, and against attention with a mask."""

import json

import pytest
import torch

from archspec.loading import load
from tests.specs.golden import FOLDER, assert_agrees, reference_of

GOLDENS = sorted((FOLDER / "neighborhood_attention").glob("*.json"))


def network(folder, channels, heads, kernel, extra=""):
    path = folder / "net.arch"
    path.write_text(
        "use std.attention { neighborhood_attention }\n"
        "network net {\n"
        f"  input x: f32[B = 2, H = 8, W = 9, {channels}]\n"
        f"  output y = x -> attn: neighborhood_attention({heads}, {kernel}{extra})\n}}\n",
        encoding="utf-8",
    )
    return load(path)


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_outputs_are_those_of_natten(path, tmp_path):
    """Names, too; the last map is smaller than a window, along one axis."""
    data = json.loads(path.read_text(encoding="utf-8"))
    reference = reference_of(data)
    (shape,) = reference.inputs.values()
    module = network(tmp_path, shape[-1], *data["options"].values()).to_torch().eval()
    state = {
        name: torch.from_numpy(reference.value(name, size).copy())
        for name, size in reference.state.items()
    }
    module.attn.load_state_dict(state)
    (x,) = map(torch.from_numpy, reference.arguments())
    with torch.inference_mode():
        found = module(x)
    assert_agrees(found.numpy(), reference.outputs[0], 1e-5, 1e-5)
    assert sum(w.numel() for w in module.parameters()) == reference.parameters


def in_window(size, kernel):
    """Whether position j is a key of position i, along one axis."""
    start = [min(max(i - kernel // 2, 0), size - kernel) for i in range(size)]
    return torch.tensor(
        [[start[i] <= j < start[i] + kernel for j in range(size)] for i in range(size)]
    )


@pytest.mark.parametrize(
    ("height", "width", "kernel"), [(8, 8, 7), (7, 9, 7), (12, 5, 3), (9, 6, 5)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_each_query_sees_its_window_and_nothing_else(height, width, kernel, bias, tmp_path):
    """At every position, dense attention whose mask is the clamped window."""
    extra = "" if bias else ", bias=false"
    module = network(tmp_path, 12, 3, kernel, extra).to_torch(seed=1).eval()
    attention = module.attn
    x = torch.randn(2, height, width, 12)
    q, k, v = attention.qkv(x).reshape(2, height * width, 3, 3, 4).permute(2, 0, 3, 1, 4).unbind(0)
    rows, columns = in_window(height, kernel), in_window(width, kernel)
    mask = (rows[:, None, :, None] & columns[None, :, None, :]).reshape(height * width, -1)
    assert mask.sum(1).eq(kernel**2).all()
    scores = q @ k.mT / 2
    if bias:
        i, j = (
            torch.arange(n)[None] - torch.arange(n)[:, None] + kernel - 1 for n in (height, width)
        )
        far = 2 * kernel - 2
        table = attention.rpb[
            :, i.clamp(0, far)[:, None, :, None], j.clamp(0, far)[None, :, None, :]
        ]
        scores = scores + table.reshape(3, height * width, -1)
    dense = scores.masked_fill(~mask, float("-inf")).softmax(-1) @ v
    wanted = attention.proj(dense.transpose(1, 2).reshape(2, height, width, 12))
    torch.testing.assert_close(module(x), wanted)


def test_maps_of_every_size(tmp_path):
    net = network(tmp_path, 8, 2, 5)
    module = net.to_torch().eval()
    for height, width in [(1, 1), (2, 7), (4, 5), (11, 3)]:
        assert net.accepts(H=height, W=width)
        assert module(torch.randn(2, height, width, 8)).shape == (2, height, width, 8)
