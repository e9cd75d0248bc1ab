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


STRICT = {
    # docs/limits.md, "Stricter than PyTorch", sentence by sentence: from which size on, and
    # whether PyTorch asks for the same
    "slice(axis=2, stop=10)": (10, False),
    "crop([(2, 0, 10)])": (10, False),
    "slice(axis=2, start=10)": (10, False),
    "slice(axis=2, start=3) -> relu": (3, False),
    "select(axis=2, index=3)": (4, True),
    "slice(axis=2, start=3) -> global_max_pool": (4, True),
    "slice(axis=2, start=3) -> conv(4, 3, padding=0)": (6, True),
    "slice(axis=2, start=3) -> conv(4, 3)": (4, True),
    "pad([(2, -3, -2)])": (5, True),
    'pad([(2, 3, 2)], mode="reflect")': (4, True),
    'pad([(2, 3, 2)], mode="circular")': (3, True),
    'pad([(2, 3, 2)], mode="replicate")': (1, True),
}


@pytest.mark.parametrize("layer", STRICT)
def test_what_the_page_of_limits_says(tmp_path, layer):
    first, same = STRICT[layer]
    spec = tmp_path / "net.arch"
    spec.write_text(
        f"network net {{\n  input x: f32[B = 1, 8, H = 14, W = 12]\n  output x -> {layer}\n}}\n"
    )
    net = archspec.load(spec)
    model = net.to_torch().eval()
    for height in range(1, 15):
        assert net.accepts(H=height) == (height >= first)
        try:
            shape = list(model(torch.zeros(1, 8, height, 12)).shape)
        except (RuntimeError, ValueError, IndexError):
            shape = None
        sizes = {**net.compiled.sizes, "H": height}
        wanted = [size.evaluate(sizes) for size in net.outputs[0].types[0].shape]
        assert (shape == wanted) == (height >= first) or not same
        assert height < first or shape == wanted


@pytest.mark.parametrize("mode", ["reflect", "circular", "replicate"])
def test_these_pads_do_not_cut_off(tmp_path, mode):
    spec = tmp_path / "net.arch"
    spec.write_text(
        "network net {\n  input x: f32[B = 1, 8, H = 14, W = 12]\n"
        f'  output x -> pad([(2, -1, 0)], mode="{mode}")\n}}\n'
    )
    with pytest.raises(archspec.CompileFailed):
        archspec.load(spec)
