"""Valid sizes where a tensor on the way is empty."""

import pytest
import torch

import archspec


@pytest.mark.parametrize(
    "layer",
    [
        "relu",
        "conv(4, 1)",
        "conv_transpose(4, 3)",
        "adaptive_avg_pool(2)",
        "adaptive_max_pool(2)",
        "global_max_pool",
        "max_pool(1)",
        "pixel_shuffle(2)",
        "pixel_unshuffle(2)",
        "split(1, axis=2)",
        "split(2, axis=2) -> add",
        "resize(3)",
    ],
)
def test_after_a_slice_that_leaves_nothing(tmp_path, layer):
    """What torch does with empty tensors is up to each op."""
    spec = tmp_path / "net.arch"
    spec.write_text(
        "network net {\n  input x: f32[B = 1, 8, H = 14, W = 2]\n"
        f"  output x -> slice(axis=2, start=1, step=3) -> {layer}\n}}\n"
    )
    net = archspec.load(spec)
    model = net.to_torch().eval()
    for height in range(1, 15):
        try:
            shape = list(model(torch.zeros(1, 8, height, 2)).shape)
        except (RuntimeError, ValueError, IndexError):
            shape = None
        sizes = {**net.compiled.sizes, "H": height}
        agrees = shape == [size.evaluate(sizes) for size in net.outputs[0].types[0].shape]
        assert net.accepts(H=height) == agrees, (layer, height)
