"""How LinkNet joins encoder and decoder, and whose weights its encoder takes."""

import pytest
import torch

from archspec.loading import load
from tests.specs.compiled import shipped


@pytest.mark.parametrize(
    ("name", "activate"),
    [("linknet_cityscapes", lambda x: x), ("linknet_torch7", torch.relu)],
)
def test_each_decoder_is_added_to_the_input_of_its_encoder(name, activate):
    module = shipped(name, classes=3).to_torch(seed=1).eval()
    seen = {}
    for level in range(1, 5):
        for part in ("encoder", "decoder"):
            stage = getattr(module, f"{part}{level}")
            stage.register_forward_hook(
                lambda _, inputs, found, key=(part, level): seen.update({key: (inputs[0], found)})
            )
    module.tp_conv1[0].register_forward_hook(lambda _, inputs, found: seen.update(last=inputs[0]))
    with torch.inference_mode():
        module(torch.randn(2, 3, 64, 32))
    assert torch.equal(seen["decoder", 4][0], seen["encoder", 4][1])
    joined = [seen["last"], *(seen["decoder", level][0] for level in (1, 2, 3))]
    for level, found in enumerate(joined, 1):
        wanted = activate(seen["encoder", level][0] + seen["decoder", level][1])
        torch.testing.assert_close(found, wanted)


def test_the_head_yields_log_probabilities_or_scores():
    image = torch.randn(1, 3, 32, 32)
    sums = {}
    for name in ("linknet_cityscapes", "linknet_torch7"):
        with torch.inference_mode():
            sums[name] = shipped(name, classes=3).to_torch(seed=1).eval()(image).exp().sum(1)
    torch.testing.assert_close(sums["linknet_cityscapes"], torch.ones(1, 32, 32))
    assert (sums["linknet_torch7"] - 1).abs().mean() > 0.1


@pytest.mark.parametrize("depth", [18, 34])
def test_encoder_has_the_weights_of_a_resnet(depth):
    theirs = shipped(f"resnet{depth}").to_torch(device="meta").state_dict()
    ours = shipped(f"linknet_resnet{depth}").to_torch(device="meta").state_dict()
    wanted = {f"encoder.{name}": x.shape for name, x in theirs.items() if name[:3] != "fc."}
    encoder = {name: x.shape for name, x in ours.items() if name.startswith("encoder.")}
    assert encoder == wanted


def test_other_widths_of_an_encoder(tmp_path):
    """Those of a bottleneck ResNet, which the decoder follows."""
    path = tmp_path / "wide.arch"
    path.write_text(
        "use linknet { linknet }\nuse resnet { resnet50 }\n"
        'preset wide = linknet(encoder: tap(resnet50, "max_pool", "layer1", "layer2", "layer3",'
        ' "layer4"))\n',
        encoding="utf-8",
    )
    assert load(path, "wide").accepts(H=64, W=64)
