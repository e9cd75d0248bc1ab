"""Valid sizes of networks in which an intermediate tensor is empty."""

import pytest
import torch

import archspec
from archspec.semantics.compile import check
from tests.unchecked import unchecked


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
def test_layers_after_an_empty_slice(tmp_path, layer):
    """Whether PyTorch accepts empty tensors depends on the op."""
    spec = tmp_path / "net.arch"
    spec.write_text(
        "network net {\n  input x: f32[B = 1, 8, H = 14, W = 2]\n"
        f"  output x -> slice(axis=2, start=1, step=3) -> {layer}\n}}\n"
    )
    net = archspec.load(spec)
    model = unchecked(net.to_torch().eval())
    for height in range(1, 15):
        try:
            shape = list(model(torch.zeros(1, 8, height, 2)).shape)
        except (RuntimeError, ValueError, IndexError):
            shape = None
        sizes = {**net.compiled.sizes, "H": height}
        agrees = shape == [size.evaluate(sizes) for size in net.outputs[0].types[0].shape]
        assert net.accepts(H=height) == agrees, (layer, height)


STRICT = {
    # The statements of docs/limits.md, "Stricter than PyTorch", in order: the smallest valid size,
    # and whether PyTorch requires it too.
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
def test_documented_limits_for_empty_tensors(tmp_path, layer):
    first, same = STRICT[layer]
    spec = tmp_path / "net.arch"
    spec.write_text(
        f"network net {{\n  input x: f32[B = 1, 8, H = 14, W = 12]\n  output x -> {layer}\n}}\n"
    )
    net = archspec.load(spec)
    model = unchecked(net.to_torch().eval())
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
def test_non_constant_pads_cannot_crop(tmp_path, mode):
    spec = tmp_path / "net.arch"
    spec.write_text(
        "network net {\n  input x: f32[B = 1, 8, H = 14, W = 12]\n"
        f'  output x -> pad([(2, -1, 0)], mode="{mode}")\n}}\n'
    )
    with pytest.raises(archspec.CompileFailed):
        archspec.load(spec)


CACHE = """network net {{
  input x: f32[B = 1, T = 1, 8], cached: f32[B, P = {size}, 8] {where}
  keys = (cached, x -> linear(8)) -> concat(axis=1)
  output (x, keys, keys) -> scaled_dot_product_attention
}}
"""


def test_dim_may_be_0_if_where_allows_it(tmp_path):
    spec = tmp_path / "net.arch"
    spec.write_text(CACHE.format(size=0, where="where P >= 0"))
    net = archspec.load(spec)
    assert net.accepts(P=0)
    assert not net.accepts(T=0)
    assert not net.accepts(P=-1)
    assert str(net.valid_sizes) == "P >= 0"
    assert net.valid_sizes.accepts({"P": 0, "T": 1, "B": 1})
    assert net.macs() == 8 * 8 + 2 * 8
    assert net.report().sizes["P"] == 0
    assert net.macs(P=3) == 8 * 8 + 2 * 8 * 4
    model = unchecked(net.to_torch().eval())
    assert model(torch.zeros(1, 1, 8), torch.zeros(1, 0, 8)).shape == (1, 1, 8)
    with pytest.raises(ValueError, match="must be at least 0"):
        net.macs(P=-1)
    assert net.draw(tmp_path / "net.dot").exists()
    assert net.build(tmp_path / "built")


def test_dim_is_at_least_1_by_default(tmp_path):
    spec = tmp_path / "net.arch"
    spec.write_text(CACHE.format(size=1, where=""))
    assert not archspec.load(spec).accepts(P=0)
    for where in ("", "where P >= -3", "where P <= 5"):
        spec.write_text(CACHE.format(size=0, where=where))
        with pytest.raises(archspec.CompileFailed) as failure:
            archspec.load(spec)
        assert failure.value.diagnostics[0].code == "E0309"


@pytest.mark.parametrize("where", ["H >= 0", "H >= 0, H % 2 == 0", "H >= 0, H <= 6"])
@pytest.mark.parametrize(
    "layer",
    [
        "relu",
        "slice(axis=2, step=2)",
        "pad([(2, 0, 1)]) -> conv(4, 3)",
        "pad([(2, 0, 2)]) -> max_pool(2)",
        'rearrange("b c h w -> b (h w) c") -> linear(3)',
        "softmax(axis=2)",
        "sum(axis=2)",
        "conv(4, 1)",
        "max_pool(2)",
        "max(axis=2)",
        'reduce("b c h w -> b c w", "max")',
        "residual(max_pool(2) -> upsample(2))",
    ],
)
def test_conditions_for_sizes_from_0_on(tmp_path, layer, where):
    """A layer that rejects 0 contradicts `where`; every accepted size runs."""
    spec = tmp_path / "net.arch"
    text = "network net {{\n  input x: f32[B = 1, 8, H = 4, W = 6]{}\n  output x -> {}\n}}\n"
    spec.write_text(text.format(f" where {where}", layer))
    codes = [item.code for item in check(spec).diagnostics]
    assert codes in ([], ["E0404"])
    if codes:
        spec.write_text(text.format("", layer))
    net, free = archspec.load(spec), 0 if codes else None
    model = unchecked(net.to_torch().eval())
    for height in range(9):
        try:
            shape = list(model(torch.zeros(1, 8, height, 6)).shape)
        except (RuntimeError, ValueError, IndexError):
            shape = None
        sizes = {**net.compiled.sizes, "H": height}
        runs = shape == [size.evaluate(sizes) for size in net.outputs[0].types[0].shape]
        promised = (height % 2 == 0 or "%" not in where) and (height <= 6 or "<=" not in where)
        if free is None:
            assert net.accepts(H=height) == (runs and promised), height
        elif height:
            assert net.accepts(H=height) == runs, height
