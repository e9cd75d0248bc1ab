"""Attention blocks compute the same as torch's modules."""

import pytest
import torch
from torch import nn

TOKENS = "[B = 2, N = 5, 12]"


@pytest.mark.parametrize("causal", [False, True])
def test_self_attention(network, causal):
    text = f"attn: self_attention(3, causal={str(causal).lower()})"
    module = network(TOKENS, text, "std.attention").to_torch().eval()
    reference = nn.MultiheadAttention(12, 3, batch_first=True).eval()
    reference.in_proj_weight.data = module.attn.qkv.weight.data
    reference.in_proj_bias.data = module.attn.qkv.bias.data
    reference.out_proj.load_state_dict(module.attn.proj.state_dict())
    x = torch.randn(2, 5, 12)
    mask = nn.Transformer.generate_square_subsequent_mask(5) if causal else None
    with torch.no_grad():
        wanted = reference(x, x, x, attn_mask=mask, need_weights=False)[0]
        torch.testing.assert_close(module(x), wanted, rtol=1e-4, atol=1e-5)


def test_cross_attention(network):
    text = "[identity, linear(6) -> slice(axis=1, stop=3)] -> attn: cross_attention(3)"
    module = network("[B = 2, 5, 12]", text, "std.attention").to_torch().eval()
    reference = nn.MultiheadAttention(12, 3, kdim=6, vdim=6, batch_first=True).eval()
    reference.q_proj_weight.data = module.attn.q.weight.data
    k, v = module.attn.kv.weight.data.chunk(2)
    reference.k_proj_weight.data, reference.v_proj_weight.data = k, v
    reference.in_proj_bias.data = torch.cat([module.attn.q.bias.data, module.attn.kv.bias.data])
    reference.out_proj.load_state_dict(module.attn.proj.state_dict())
    x = torch.randn(2, 5, 12)
    context = module.linear(x)[:, :3]
    with torch.no_grad():
        wanted = reference(x, context, context, need_weights=False)[0]
        torch.testing.assert_close(module(x), wanted, rtol=1e-4, atol=1e-5)


def test_encoder_layer(network):
    """As a pre-norm `nn.TransformerEncoderLayer`, with other names."""
    module = network(TOKENS, "layer: encoder_layer(3, 20)", "std.attention").to_torch().eval()
    reference = nn.TransformerEncoderLayer(
        12, 3, 20, activation="gelu", batch_first=True, norm_first=True
    ).eval()
    names = {
        "self_attn": "self_attention",
        "norm1": "ln_1",
        "norm2": "ln_2",
        "linear1": "mlp.0",
        "linear2": "mlp.3",
    }
    state = module.layer.state_dict()
    found = {}
    for name in reference.state_dict():
        head, _, rest = name.partition(".")
        found[name] = state.pop(f"{names[head]}.{rest}")
    assert state == {}
    reference.load_state_dict(found)
    x = torch.randn(2, 5, 12)
    with torch.no_grad():
        torch.testing.assert_close(module(x), reference(x), rtol=1e-4, atol=1e-5)


def test_transformer_block_equals_the_encoder_layer_under_other_names(network):
    one = network(TOKENS, "layer: transformer_block(3, 20)", "std.attention")
    other = network(TOKENS, "layer: encoder_layer(3, 20)", "std.attention")
    module, reference = one.to_torch().eval(), other.to_torch().eval()
    assert one.parameters == other.parameters
    names = dict(zip(module.state_dict(), reference.state_dict().values(), strict=True))
    module.load_state_dict(names)
    x = torch.randn(2, 5, 12)
    with torch.no_grad():
        torch.testing.assert_close(module(x), reference(x), rtol=1e-4, atol=1e-5)


def test_heads_are_split_and_merged_consistently(network):
    net = network(TOKENS, "split_heads(3) -> merge_heads", "std.attention")
    x = torch.randn(2, 5, 12)
    assert net.to_torch()(x).equal(x)


def test_patches(network):
    net = network("[B = 1, 3, H = 32, W = 48]", "patch_embed(10, 16)", "std.attention")
    ((kind,),) = [item.types for item in net.outputs]
    assert str(kind) == "f32[B, (H//16)*(W//16), 10]"
    patches = net.to_torch()(torch.randn(1, 3, 32, 48))
    assert patches.shape == (1, 6, 10)


def test_offsets_are_numbered(network):
    """One number for each offset, the same for equal offsets."""
    text = "{ input x\n output (x * 0 -> sum) + (offset_index(2, 3) -> cast(f32)) }"
    found = network(TOKENS, text, "std.attention").to_torch()(torch.randn(2, 5, 12))
    assert found.shape == (6, 6)
    positions = [(i, j) for i in range(2) for j in range(3)]
    for n, (i, j) in enumerate(positions):
        for m, (k, other) in enumerate(positions):
            assert found[n, m] == (i - k + 1) * 5 + (j - other + 2)


def test_zero_query_pools_the_mean(network):
    text = "[slice(axis=1, stop=1), identity] -> attn: class_attention(3)"
    module = network(TOKENS, text, "std.attention").to_torch().eval()
    x = torch.randn(2, 5, 12)
    with torch.no_grad():
        module.attn.q.weight.zero_()
        module.attn.q.bias.zero_()
        wanted = module.attn.proj(module.attn.v(x).mean(1, keepdim=True))
        torch.testing.assert_close(module(x), wanted)


@pytest.mark.parametrize("itself", [False, True])
def test_class_block_changes_only_class_tokens(network, itself):
    """It has one output token per query; these only attend to each other with `itself`."""
    block = f"class_block(3, 20, 0.1, {str(itself).lower()})"
    text = f"[slice(axis=1, stop=2), slice(axis=1, start=2)] -> block: {block}"
    module = network(TOKENS, text, "std.attention").to_torch().eval()
    assert {"block.gamma_1", "block.gamma_2"} < set(module.state_dict())
    x = torch.randn(2, 5, 12)
    other = x.clone()
    other[:, 1, 0] += 1
    with torch.no_grad():
        first, second = module(x), module(other)
    assert first.shape == (2, 2, 12)
    assert torch.allclose(first[:, 0], second[:, 0]) != itself


@pytest.mark.parametrize(("axis", "shape"), [(-1, (2, 4, 4, 4)), (1, (2, 4, 5, 3)), (1, (2, 4, 7))])
def test_layer_scale(network, axis, shape):
    sizes = ", ".join(str(size) for size in shape[1:])
    text = f'residual(relu -> layer_scale(0.1, "gamma_1", {axis}))'
    module = network(f"[B = 1, {sizes}]", text, "std.attention").to_torch()
    assert module.gamma_1.tolist() == pytest.approx([0.1] * 4)
    module.gamma_1.data = torch.arange(4.0)
    x = torch.randn(shape)
    wide = torch.arange(4.0).reshape(4, *[1] * (len(shape) - 2)) if axis == 1 else torch.arange(4.0)
    torch.testing.assert_close(module(x), x + x.relu() * wide)
