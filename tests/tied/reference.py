"""The models of transformers described by the specs in this folder; run it to write their outputs.

Weights are generated from the order of their names, so the file only has the outputs:
`.venv/bin/python -m tests.tied.reference` if transformers is installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

GOLDEN = Path(__file__).with_name("golden.json")
IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5]])
DECODER_IDS = torch.tensor([[0, 9, 7, 9, 3, 2, 3, 8, 4], [0, 6, 2, 6, 4, 3, 3, 8, 3]])


def filled(shapes: Mapping[str, Any], tied: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Values for each tensor, by the position of its name; tied tensors have the same."""
    state: dict[str, torch.Tensor] = {}
    for place, name in enumerate(sorted(shapes)):
        shape = shapes[name].shape
        numbers = torch.arange(shape.numel(), dtype=torch.float64)
        state[name] = (0.4 * torch.cos(numbers * (place + 1) * 0.37 + place)).reshape(shape)
    return {name: state[tied[0]] if name in tied else value for name, value in state.items()}


GPT2_TIED = ("lm_head.weight", "transformer.wte.weight")
T5_TIED = (
    "decoder.embed_tokens.weight",
    "encoder.embed_tokens.weight",
    "lm_head.weight",
    "shared.weight",
)


def gpt2() -> torch.nn.Module:
    """A small GPT-2."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=24,
        n_positions=16,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=None,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config).double().eval()


def t5() -> torch.nn.Module:
    """A small T5."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=16,
        d_model=16,
        d_kv=8,
        d_ff=24,
        num_layers=2,
        num_heads=2,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=20,
        tie_word_embeddings=True,
    )
    return T5ForConditionalGeneration(config).double().eval()


def outputs() -> dict[str, torch.Tensor]:
    """The logits of both."""
    found: dict[str, torch.Tensor] = {}
    for name, model, tied in (("gpt2", gpt2(), GPT2_TIED), ("t5", t5(), T5_TIED)):
        model.load_state_dict(filled(model.state_dict(), tied))
        with torch.no_grad():
            result = model(IDS) if name == "gpt2" else model(IDS, decoder_input_ids=DECODER_IDS)
        found[name] = result.logits
    return found


if __name__ == "__main__":
    golden = {
        "source": "transformers, float64",
        **{
            name: [round(x, 9) for x in logits.flatten().tolist()]
            for name, logits in outputs().items()
        },
    }
    GOLDEN.write_text(json.dumps(golden) + "\n")
