"""SigLIP has the tensors of transformers' model, and the same outputs and loss."""

import pytest
import torch

from archspec.loading import load
from archspec.shipped import heads, networks
from tests.specs.compiled import shipped
from tests.specs.training import trained

SMALL = {"dim": 24, "heads": 3, "depth": 2, "patch": 8, "size": 24, "words": 11, "length": 6}


def presets():
    text = networks()["siglip"].read_text(encoding="utf-8")
    return [name for kind, name in heads(text) if kind == "preset"]


def reference(dim, depth, heads, patch, size, hidden, words, length):
    transformers = pytest.importorskip("transformers")
    tower = {
        "hidden_size": dim,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": hidden,
    }
    configuration = transformers.SiglipConfig(
        text_config={**tower, "vocab_size": words, "max_position_embeddings": length},
        vision_config={**tower, "image_size": size, "patch_size": patch},
    )
    return transformers.SiglipModel(configuration)


def shapes(module):
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


@pytest.mark.live
@pytest.mark.parametrize("name", presets())
def test_state_dict_agrees_with_transformers(name):
    network = shipped(name)
    image, _ = (port.types[0].shape for port in network.inputs)
    module = network.to_torch(device="meta")
    state = shapes(module)
    words, dim = state["text_model.embeddings.token_embedding.weight"]
    with torch.device("meta"):
        wanted = reference(
            dim=dim,
            depth=len(module.vision_model.encoder.layers),
            heads={768: 12}.get(dim, 16),
            patch=state["vision_model.embeddings.patch_embedding.weight"][2],
            size=image[2].constant,
            hidden=state["text_model.encoder.layers.0.mlp.fc1.weight"][0],
            words=words,
            length=network.compiled.sizes["T"],
        )
    assert state == shapes(wanted)


@pytest.fixture
def pairs(tmp_path):
    """The loss of small towers."""
    text = networks()["siglip"].read_text(encoding="utf-8")
    towers = ", ".join(f"{name}={value}" for name, value in SMALL.items())
    path = tmp_path / "siglip.arch"
    path.write_text(
        f"{text}\npreset pairs = siglip_loss(siglip({towers}), 24, 6)"
        f"\npreset locked = siglip_loss(siglip({towers}, locked=true), 24, 6)\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.live
def test_outputs_and_loss_agree_with_transformers(pairs):
    torch.manual_seed(0)
    wanted = reference(hidden=96, **SMALL).eval()
    with torch.no_grad():
        wanted.logit_scale.fill_(1.5)
        wanted.logit_bias.fill_(-2.0)
    module = shipped("siglip", **SMALL).to_torch().eval()
    module.load_state_dict(wanted.state_dict(), strict=True)
    loss = load(pairs, "pairs").to_torch().eval()
    loss.towers.load_state_dict(wanted.state_dict(), strict=True)
    image, ids = torch.randn(4, 3, 24, 24), torch.randint(11, (4, 6))
    with torch.inference_mode():
        logits, seen, read = module(image, ids)
        few, _, _ = module(image, ids[:2])
        expected = wanted(input_ids=ids, pixel_values=image, return_loss=True)
        torch.testing.assert_close(logits, expected.logits_per_image, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(few, logits[:, :2])
        for length in (1, 4):  # shorter texts
            _, _, read_short = module(image, ids[:, :length])
            short = wanted(input_ids=ids[:, :length], pixel_values=image).text_embeds
            torch.testing.assert_close(read_short, short, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(seen, expected.image_embeds, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(read, expected.text_embeds, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(loss(image, ids), expected.loss, rtol=1e-4, atol=1e-5)


def test_locked_tower_is_not_trained(pairs):
    """Weight decay does not change it, either."""
    module = load(pairs, "locked").to_torch(seed=0).train()
    assert list(module.state_dict()) == list(load(pairs, "pairs").to_torch().state_dict())

    def loss():
        return module(torch.randn(3, 3, 24, 24), torch.randint(11, (3, 6)))

    moved = {name.split(".")[1] for name in trained(module, loss)[0]}
    assert moved == {"text_model", "logit_scale", "logit_bias"}


def test_output_projection_of_the_pooling_head_is_initialised_as_other_layers():
    state = shipped("siglip", **(SMALL | {"dim": 384, "heads": 6})).to_torch(seed=0).state_dict()
    for name in ("head.attention.out_proj", "encoder.layers.0.self_attn.out_proj"):
        assert float(state[f"vision_model.{name}.weight"].std()) == pytest.approx(
            384**-0.5, rel=0.01
        )
        assert not state[f"vision_model.{name}.bias"].any()


def test_initial_values_agree_with_the_paper():
    state = shipped("siglip", **SMALL).to_torch(seed=0).state_dict()
    assert state["logit_scale"].exp().item() == pytest.approx(10)
    assert state["logit_bias"].item() == -10


@pytest.mark.live
def test_initial_weights_are_drawn_as_in_transformers():
    sizes = SMALL | {"dim": 96, "heads": 3, "words": 400}
    wanted = reference(hidden=384, **sizes).state_dict()
    lecun = {
        "vision_model.embeddings.patch_embedding.weight",
        "vision_model.head.attention.out_proj.weight",
        "text_model.head.weight",
    }
    for name, value in shipped("siglip", **sizes).to_torch(seed=1).state_dict().items():
        if value.numel() >= 3000:
            # the standard deviation of their truncated normal is not corrected for the truncation
            spread = float(wanted[name].std()) * (0.88 if name in lecun else 1)
            assert float(value.std()) == pytest.approx(spread, rel=0.1), name
