"""Masks of attention: the op and the library's blocks against the modules of PyTorch."""

import warnings

import pytest
import torch
from torch import nn

SEQUENCE = "input x: f32[B = 3, T = 5, 16]"
CROSS = "input x: f32[B = 3, T = 5, 16], c: f32[B, S = 7, 8]"


def kept(*shape):
    """A bool mask with at least one key for each query."""
    mask = torch.rand(shape) > 0.5
    mask[..., 0] = True
    return mask


def in_torch(mask, keys=5, *, heads=4, batch=3, queries=5):
    """The arguments of `nn.MultiheadAttention` for a mask as in a spec."""
    hidden = mask.logical_not() if mask.dtype is torch.bool else mask
    if mask.shape == (batch, keys):
        return {"key_padding_mask": hidden}
    if mask.ndim == 2:
        return {"attn_mask": hidden}
    each = hidden.unsqueeze(1) if mask.ndim == 3 else hidden
    return {"attn_mask": each.expand(batch, heads, queries, keys).reshape(-1, queries, keys)}


def compared(module, reference, inputs, theirs):
    """Values, gradients, inference without gradients, and TorchScript."""
    for training in (True, False):
        module.train(training), reference.train(training)
        ours = [one.clone().requires_grad_(one.is_floating_point()) for one in inputs]
        found, wanted = module(*ours), theirs(*inputs)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
        weight = torch.rand_like(found)
        names = dict(reference.named_parameters())
        own = {name.removeprefix("net."): one for name, one in module.named_parameters()}
        assert own.keys() == names.keys()
        gradients = torch.autograd.grad((found * weight).sum(), list(own.values()))
        expected = torch.autograd.grad((wanted * weight).sum(), [names[name] for name in own])
        for one, other in zip(gradients, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    with torch.no_grad():  # PyTorch has another path for this case
        torch.testing.assert_close(module(*inputs), found.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.jit.script(module)(*inputs), found, rtol=1e-4, atol=1e-5)


def loaded(module, reference):
    """The reference with the weights of a module, whose one layer is called `net`."""
    state = {name.removeprefix("net."): one for name, one in module.state_dict().items()}
    reference.load_state_dict(state)
    return reference


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("declared", "shape"),
    [
        ("bool[B, T]", (3, 5)),
        ("bool[T, T]", (5, 5)),
        ("bool[B, T, T]", (3, 5, 5)),
        ("bool[B, 4, T, T]", (3, 4, 5, 5)),
        ("bool[B, 1, 1, T]", (3, 1, 1, 5)),
    ],
)
def test_masks_of_self_attention_are_those_of_torch(network, declared, shape, causal):
    net = network(
        f"network n {{ {SEQUENCE}, m: {declared}\n"
        f"output (x, m) -> net: multihead_attention(4, causal={str(causal).lower()}) }}"
    )
    module = net.to_torch()
    reference = loaded(module, nn.MultiheadAttention(16, 4, batch_first=True))
    mask = kept(*shape)
    below = torch.ones(5, 5, dtype=torch.bool).tril() if causal else torch.tensor(True)
    arguments = in_torch((mask[:, None] if mask.shape == (3, 5) else mask) & below)

    def theirs(x, _):
        return reference(x, x, x, **arguments)[0]  # with weights, so by another path

    compared(module, reference, (torch.rand(3, 5, 16), mask), theirs)


@pytest.mark.parametrize(
    ("declared", "shape"),
    [
        ("bool[B, S]", (3, 7)),
        ("f32[B, S]", (3, 7)),
        ("f32[T, S]", (5, 7)),
        ("f32[B, T, S]", (3, 5, 7)),
        ("f32[1, 4, T, S]", (1, 4, 5, 7)),
    ],
)
def test_masks_of_cross_attention_are_those_of_torch(network, declared, shape):
    net = network(
        f"network n {{ {CROSS}, m: {declared}\n"
        "output (x, c, c, m) -> net: multihead_attention(4) }"
    )
    module = net.to_torch()
    reference = nn.MultiheadAttention(16, 4, batch_first=True, kdim=8, vdim=8)
    loaded(module, reference)
    mask = kept(*shape) if declared.startswith("bool") else torch.randn(shape)
    arguments = in_torch(mask, keys=7)

    def theirs(x, c, _):
        return reference(x, c, c, **arguments)[0]

    compared(module, reference, (torch.rand(3, 5, 16), torch.rand(3, 7, 8), mask), theirs)


def test_a_mask_changes_no_name_of_a_weight(network):
    text = "network n {{ {}, m: bool[B, T]\n output ({}) -> net: multihead_attention(4) }}"
    plain = network(f"network n {{ {SEQUENCE}\n output x -> net: multihead_attention(4) }}")
    masked = network(text.format(SEQUENCE, "x, m"))
    assert list(plain.to_torch().state_dict()) == list(masked.to_torch().state_dict())


def test_an_encoder_layer_with_a_mask_is_that_of_torch(network):
    net = network(
        f"use std.attention {{ encoder_layer }}\nnetwork n {{ {SEQUENCE}, keep: bool[B, T]\n"
        "output (x, keep) -> net: encoder_layer(4, 32) }"
    )
    module = net.to_torch()
    reference = nn.TransformerEncoderLayer(
        16, 4, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    names = {"ln_1": "norm1", "ln_2": "norm2", "self_attention": "self_attn"}
    names |= {"mlp.0": "linear1", "mlp.3": "linear2"}
    state = {}
    for name, tensor in module.state_dict().items():
        name = name.removeprefix("net.")
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        state[name] = tensor
    reference.load_state_dict(state)
    x, keep = torch.rand(3, 5, 16), kept(3, 5)
    wanted = reference(x, src_key_padding_mask=keep.logical_not())
    torch.testing.assert_close(module(x, keep), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("block", ["self_attention(4)", "transformer_block(4, 32)"])
def test_tokens_that_a_mask_hides_do_not_change_others(network, block):
    name = block.split("(")[0]
    net = network(
        f"use std.attention {{ {name} }}\nnetwork n {{ {SEQUENCE}, keep: bool[B, T]\n"
        f"output (x, keep -> reshape(B, 1, 1, T)) -> {block}\noutput plain = x -> {block} }}"
    )
    module = net.to_torch().eval()
    x, keep = torch.rand(3, 5, 16), torch.ones(3, 5, dtype=torch.bool)
    keep[:, 3:] = False
    other = torch.where(keep[:, :, None], x, torch.rand(3, 5, 16))
    found, changed = module(x, keep), module(other, keep)
    torch.testing.assert_close(found[0][:, :3], changed[0][:, :3])
    assert not torch.allclose(found[1][:, :3], changed[1][:, :3])


def test_generated_code_passes_masks_without_warnings(network):
    net = network(
        f"network n {{ {SEQUENCE}, m: bool[B, T]\n"
        "output (x, m) -> net: multihead_attention(4, causal=true) }"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.to_torch()(torch.rand(3, 5, 16), kept(3, 5))
