"""VOLO in training outputs labels for every token, and mixes tokens of two images in a box."""

import pytest
import torch

from archspec.loading import load
from archspec.shipped import networks
from archspec_torchscript.script import to_torchscript
from tests.specs.compiled import shipped

SMALL = {"depths": (1, 1, 1, 1), "dims": (16, 32), "heads": (2, 4), "size": 64, "classes": 10}


def box(rows, columns):
    inside = torch.zeros(4, 4, dtype=torch.bool)
    inside[rows, columns] = True
    return inside


@pytest.mark.live
@pytest.mark.parametrize("mixed", [False, True])
def test_training_agrees_with_timm(mixed, monkeypatch):
    volo = pytest.importorskip("timm").models.volo
    monkeypatch.setattr(volo, "rand_bbox", lambda *_, **__: (1, 0, 3, 2))
    wanted = volo.VOLO(
        (1, 1, 1, 1),
        img_size=64,
        num_classes=10,
        embed_dims=(16, 32, 32, 32),
        num_heads=(2, 4, 4, 4),
        use_mix_token=mixed,
    )
    module = shipped("volo", drop=0.0, mixed=mixed, **SMALL).to_torch()
    module.load_state_dict(wanted.state_dict(), strict=True)
    image = torch.randn(4, 3, 64, 64)
    inputs = (image, box(slice(1, 3), slice(0, 2))) if mixed else (image,)
    with torch.no_grad():
        token, tokens, _ = wanted.train().forward_train(image)
        label = wanted.head(token)  # timm skips it, the authors do not
        found = module.train()(*inputs)
        torch.testing.assert_close(found.logits, label, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found.tokens, tokens, rtol=1e-4, atol=1e-5)
        found = module.eval()(image)
        torch.testing.assert_close(found, wanted.eval()(image), rtol=1e-4, atol=1e-5)


def test_empty_box_mixes_nothing():
    plain = shipped("volo", drop=0.0, **SMALL).to_torch(seed=0)
    mixed = shipped("volo", drop=0.0, mixed=True, **SMALL).to_torch(seed=0)
    script = to_torchscript(shipped("volo", drop=0.0, mixed=True, **SMALL).compiled, module=mixed)
    image = torch.randn(2, 3, 64, 64)
    full = box(slice(4), slice(4))
    with torch.no_grad():
        wanted = plain(image)
        for one in (mixed, script):
            for given, expected in ((~full, image), (full, image.flip(0))):
                label, tokens = one(image, given)
                torch.testing.assert_close(tokens, wanted[1], rtol=1e-4, atol=1e-5)
                torch.testing.assert_close(label, plain(expected)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.live
@pytest.mark.parametrize(("height", "width"), [(28, 28), (7, 10), (5, 1)])
def test_outlook_attention_agrees_with_timm(height, width, tmp_path):
    """Also at odd sizes, where the last window of the coarse grid is truncated."""
    volo = pytest.importorskip("timm").models.volo
    (tmp_path / "volo.arch").write_text(networks()["volo"].read_text(encoding="utf-8"))
    path = tmp_path / "net.arch"
    path.write_text(
        "use volo { outlook_attention }\n\nnetwork net {\n"
        f"  input x: f32[B = 1, {height}, {width}, 192]\n"
        "  output y = x -> attn: outlook_attention(6)\n}\n"
    )
    network = load(path)
    assert network.parameters == 167_718
    wanted = volo.OutlookAttention(192, 6, stride=2).eval()
    module = network.to_torch().eval()
    module.attn.load_state_dict(wanted.state_dict(), strict=True)
    x = torch.randn(2, height, width, 192)
    with torch.inference_mode():
        torch.testing.assert_close(module(x), wanted(x), rtol=1e-4, atol=1e-5)
