"""Maps of DPT: images of any shape, readouts, and which weights are not used."""

import pytest
import torch
import torch.nn.functional as F

from tests.specs.compiled import shipped

SMALL = {
    "dim": 12,
    "depth": 4,
    "heads": 3,
    "taps": (0, 1, 2, 3),
    "widths": (4, 4, 4, 6),
    "width": 8,
    "grid": 3,
}


def test_positions_are_resized_to_a_rectangle():
    network = shipped("vit_tokens", dim=12, depth=1, heads=3, taps=(0,), grid=3)
    module = network.to_torch(seed=1).eval()
    seen = []
    module.encoder.layer[0].register_forward_hook(lambda _, inputs, found: seen.append(inputs[0]))
    image = torch.randn(2, 3, 32, 64)
    with torch.inference_mode():
        module(image)
        table = module.embeddings.position_embeddings
        grid = table[:, 1:].reshape(1, 3, 3, 12).permute(0, 3, 1, 2)
        resized = F.interpolate(grid, size=(2, 4), mode="bilinear").flatten(2).transpose(1, 2)
        patches = module.embeddings.patch_embeddings.projection(image).flatten(2).transpose(1, 2)
        first = (module.embeddings.cls_token + table[:, :1]).expand(2, 1, 12)
    torch.testing.assert_close(seen[0], torch.cat([first, patches + resized], 1))


@pytest.mark.parametrize("readout", ["ignore", "add", "project"])
def test_contribution_of_the_class_token_to_a_map(readout):
    module = shipped("dpt", readout=readout, **SMALL).to_torch(seed=1).eval()
    stage = module.neck.reassemble_stage
    seen = {}
    module.dpt.encoder.layer[2].register_forward_hook(lambda *call: seen.update(tokens=call[2]))
    stage.layers[2].projection.register_forward_hook(lambda *call: seen.update(map=call[1][0]))
    with torch.inference_mode():
        module(torch.randn(2, 3, 32, 64))
        word, others = seen["tokens"][:, :1], seen["tokens"][:, 1:]
        if readout == "add":
            others = others + word
        if readout == "project":
            both = torch.cat([others, word.expand_as(others)], 2)
            others = F.gelu(getattr(stage.readout_projects, "2")[0](both))
    wanted = others.transpose(1, 2).reshape(2, 12, 2, 4)
    torch.testing.assert_close(seen["map"], wanted)


def test_the_last_norm_and_one_unit_of_the_first_fusion_are_not_used():
    module = shipped("dpt", **SMALL).to_torch(seed=1).train()
    module(torch.randn(2, 3, 32, 64)).sum().backward()
    unused = {name for name, weight in module.named_parameters() if weight.grad is None}
    first = "neck.fusion_stage.layers.0.residual_layer1."
    assert unused == {"dpt.layernorm.weight", "dpt.layernorm.bias"} | {
        name for name, _ in module.named_parameters() if name.startswith(first)
    }
