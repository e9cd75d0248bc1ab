"""Variants in papers and their authors' code without a preset: an option, or a part of a spec."""

import pytest
import torch
import torch.nn.functional as F

from archspec.analysis.parameters import table
from archspec.loading import load
from archspec.shipped import folder
from archspec_torch.source import python_source
from tests.specs.compiled import shipped


@pytest.fixture
def importing(tmp_path):
    """A network of a text in the same folder as a spec."""

    def made(spec, text, **parameters):
        (tmp_path / f"{spec}.arch").write_bytes((folder() / f"{spec}.arch").read_bytes())
        path = tmp_path / "net.arch"
        path.write_text(text, encoding="utf-8")
        return load(path, "net", **parameters)

    return made


def test_coatnet_with_max_pooling():
    options = {"widths": (32, 64, 64, 64), "depths": (1, 1, 1, 1), "size": 64}
    mean, greatest = (shipped("coatnet", pool=pool, **options) for pool in ("avg_pool", "max_pool"))
    names = mean.to_torch(device="meta").state_dict().keys()
    assert names == greatest.to_torch(device="meta").state_dict().keys()
    sources = [python_source(network.compiled)[0] for network in (mean, greatest)]
    assert ["nn.AvgPool2d" in source for source in sources] == [True, False]
    assert ["nn.MaxPool2d" in source for source in sources] == [False, True]
    stages = [network.to_torch(seed=1).eval().stages for network in (mean, greatest)]
    x = torch.randn(2, 64, 8, 8)
    for stage, pool in zip(stages, (F.avg_pool2d, F.max_pool2d), strict=True):
        block = getattr(stage, "2").blocks[0]
        for parameter in (block.attn.proj.weight, block.attn.proj.bias, block.mlp.fc2.weight):
            torch.nn.init.zeros_(parameter)
        with torch.inference_mode():
            wanted = pool(x, 2) + block.mlp.fc2.bias[:, None, None]
            torch.testing.assert_close(block(x), wanted)


def test_cvt_with_the_activation_of_its_authors():
    """x * sigmoid(1.702 x), and the same weights."""
    options = {"depths": (1,), "widths": (8,), "heads": (1,), "size": 16}
    module = shipped("cvt", act="quick_gelu", **options).to_torch(seed=1).eval()
    module.load_state_dict(shipped("cvt", **options).to_torch(seed=1).state_dict(), strict=True)
    layer = module.cvt.encoder.stages[0].layers[0]
    seen = {}
    layer.intermediate.dense.register_forward_hook(lambda *call: seen.update(before=call[2]))
    layer.output.dense.register_forward_hook(lambda *call: seen.update(after=call[1][0]))
    with torch.inference_mode():
        module(torch.randn(2, 3, 16, 16))
    before = seen["before"]
    torch.testing.assert_close(seen["after"], before * torch.sigmoid(1.702 * before))


def test_fcn_of_the_authors_code_has_square_windows(importing):
    """Their Keras code gives one number for the size of a window, on maps of shape [L, 1]."""
    text = (
        "use time_series { fcn }\n"
        "network net {\n  input x: f32[B = 1, 1, L = 176, 1]\n"
        "  output y = x -> fcn(batch_norm) -> global_avg_pool -> fc: linear(37)\n}\n"
    )
    assert importing("time_series", text).parameters == 1_128_613


def test_resnet_of_the_authors_code_has_a_norm_in_front(importing):
    text = "use time_series\npreset net = time_series(resnet(input_norm=true))\n"
    assert importing("time_series", text).parameters == shipped("tsc_resnet").parameters + 2


def test_the_towers_of_siglip_alone(importing):
    text = (
        "use siglip { text_tower }\n"
        "network net {\n  input ids: i64[M = 1, 64]\n"
        "  output y = ids -> text_model: text_tower(768, 12, 12, 3072, 32000)\n}\n"
    )
    tower = importing("siglip", text)
    assert (tower.parameters, tower.macs()) == (110_271_744, 5_511_905_280)
    image, whole = (
        shipped(name) for name in ("vit_base_patch16_siglip_224", "siglip_base_patch16_224")
    )
    assert whole.parameters == tower.parameters + image.parameters + 2


@pytest.mark.parametrize(
    ("m", "n"), [(2, 13), (2, 14), (3, 8), (3, 9), (4, 6), (4, 7), (5, 5), (5, 6)]
)
def test_samplecnn_of_the_table_in_the_paper(m, n):
    """Its networks read m ** (n + 1) samples, and their last maps have one position."""
    network = shipped("samplecnn", m=m, n=n)
    ((wave,),) = [port.types for port in network.inputs]
    assert wave.shape[2].constant == m ** (n + 1)
    shapes = {item.name: item.shape for item in table(network.compiled)}
    assert shapes["tags.weight"] == (50, 512)
    assert shapes["stem.0.weight"] == (128, 1, m)
