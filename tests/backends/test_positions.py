"""Position tables for another image size: by shape, by value, and compared with timm."""

import pytest
import torch
import torch.nn.functional as F

from archspec_torch.positions import resample_positions
from tests.specs.compiled import shipped

SMALL = {
    "deit": {"dim": 24, "heads": 3, "depth": 1},
    "deit-distilled": {"dim": 24, "heads": 3, "depth": 1, "distilled": True},
    "vit": {"dim": 24, "heads": 3, "depth": 1},
    "cait": {"dim": 24, "heads": 3, "depth": 1},
    "vit_siglip": {"dim": 24, "heads": 3, "depth": 1, "patch": 16},
    "volo": {"depths": (1, 1, 0, 0), "dims": (24, 48), "heads": (2, 4)},
}
TOKENS = {"deit": 1, "deit-distilled": 2, "vit": 1, "cait": 0, "vit_siglip": 0}


def pair(name):
    """A network for images of size 64 with weights, and one for 96."""
    network, options = name.partition("-")[0], SMALL[name]
    return shipped(network, size=64, **options).to_torch(seed=1), shipped(
        network, size=96, **options
    )


@pytest.mark.parametrize("name", SMALL)
def test_weights_of_one_size_load_at_another_size(name):
    small, large = pair(name)
    state = resample_positions(small.state_dict(), large.to_torch(device="meta"))
    module = large.to_torch(weights=state).eval()
    changed = [
        key for key, value in small.state_dict().items() if not torch.equal(state[key], value)
    ]
    assert changed == ["encoder.pos_embedding" if name == "vit" else "pos_embed"]
    logits = module(torch.randn(1, 3, 96, 96))
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", TOKENS)
def test_grid_is_interpolated_and_class_tokens_are_kept(name):
    small, large = pair(name)
    given = small.state_dict()
    state = resample_positions(given, large.to_torch(device="meta"), antialias=False)
    (key,) = (key for key in given if state[key].shape != given[key].shape)
    tokens = TOKENS[name]
    grid = given[key][0, tokens:].T.reshape(1, 24, 4, 4)
    expected = F.interpolate(grid, (6, 6), mode="bicubic").reshape(24, 36).T
    assert torch.equal(state[key][0, :tokens], given[key][0, :tokens])
    assert torch.allclose(state[key][0, tokens:], expected)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("antialias", [True, False])
def test_interpolation_agrees_with_timm(name, antialias):
    timm = pytest.importorskip("timm.layers.pos_embed")
    small, large = pair(name)
    given = small.state_dict()
    for first, second in ((given, large), (large.to_torch().state_dict(), None)):
        module = small if second is None else second.to_torch(device="meta")
        state = resample_positions(first, module, antialias=antialias)
        (key,) = (key for key in first if state[key].shape != first[key].shape)
        if name == "volo":
            size = state[key].shape[1:3]
            expected = timm.resample_abs_pos_embed_nhwc(first[key], size, antialias=antialias)
        else:
            side = 6 if second else 4
            expected = timm.resample_abs_pos_embed(
                first[key], [side, side], num_prefix_tokens=TOKENS[name], antialias=antialias
            )
        assert torch.equal(state[key], expected)


def test_position_table_of_two_axes_is_given_by_name():
    options = {"dim": 24, "heads": 3, "depth": 1, "patch": 8, "words": 11, "length": 4}
    small = shipped("siglip", size=16, **options).to_torch().state_dict()
    large = shipped("siglip", size=24, **{**options, "length": 9})
    name = "vision_model.embeddings.position_embedding.weight"
    module = large.to_torch(device="meta")
    assert resample_positions(small, module)[name].shape == (4, 24)
    state = resample_positions(small, module, [name])
    assert state[name].shape == (9, 24)
    assert state["text_model.embeddings.position_embedding.weight"].shape == (4, 24)


def test_tables_that_are_not_grids_are_refused():
    module = shipped("deit", size=96, **SMALL["deit"]).to_torch(device="meta")
    state = module.state_dict()
    state["pos_embed"] = torch.zeros(1, 39, 24)
    assert resample_positions(state, module)["pos_embed"].shape == (1, 39, 24)
    with pytest.raises(ValueError, match=r"`pos_embed` is not a table .*: \[1, 39, 24\] to"):
        resample_positions(state, module, ["pos_embed"])


def test_16_bit_numbers_keep_their_type():
    small, large = pair("cait")
    state = {name: value.bfloat16() for name, value in small.state_dict().items()}
    found = resample_positions(state, large.to_torch(device="meta"))["pos_embed"]
    assert (found.dtype, found.shape) == (torch.bfloat16, (1, 36, 24))
