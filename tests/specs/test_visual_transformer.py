"""Visual transformers: tokenizers, the transformer of tokens, and the projector."""

from math import sqrt

import pytest
import torch
import torch.nn.functional as F

from tests.specs.compiled import shipped

HEADS = 4
OPTIONS = {
    "modules": 3,
    "trunk": "resnet(basic, [1, 1, 1, 1], width=8)",
    "module": "visual_transformer(6, 32, heads=4, groups=4)",
    "classes": 10,
}


@pytest.fixture(scope="module")
def modules():
    """The three modules of a small network: one that begins, and two that continue."""
    module = shipped("vt_resnet", **OPTIONS).to_torch(seed=1).eval()
    for part in module.layer4.parameters():
        torch.nn.init.normal_(part, 0.1, 0.3)
    return module.layer4


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(4)
    image = torch.randn(2, 32, 14, 14, generator=generator)
    return image, torch.randn(2, 32, 6, generator=generator)


def in_heads(x):
    return x.flatten(2).unflatten(1, (HEADS, -1))


def positions(encoding, weights, height, width):
    """The encoding of the weights [B, h, N, L] of each token, one token after the other."""
    found = []
    for token in range(weights.shape[3]):
        maps = weights[..., token].unflatten(2, (height, width))
        maps = F.interpolate(maps, (14, 14))
        found.append(encoding.ds_conv(maps).flatten(1))
    return encoding.pos_conv(torch.stack(found, 2))


def tokens_of(tokenizer, image, weights):
    height, width = image.shape[2:]
    value = in_heads(tokenizer.conv_value(image))
    means = torch.einsum("bhcn,bhnl->bhcl", value, weights.expand(-1, HEADS, -1, -1)).flatten(1, 2)
    position = positions(tokenizer.pos_encoding, weights, height, width)
    return tokenizer.conv_token(torch.cat((means, position), 1))


def test_the_first_tokenizer_has_a_filter_for_each_token(modules, data):
    tokenizer, (image, _) = modules[0].tokenizer, data
    scores = tokenizer.conv_token_coef(image) / sqrt(32)
    weights = scores.flatten(2).softmax(2).transpose(1, 2)[:, None]
    torch.testing.assert_close(tokenizer(image), tokens_of(tokenizer, image, weights))


@pytest.mark.parametrize("size", [(14, 14), (9, 20)])
def test_further_tokenizers_ask_with_half_of_the_tokens_and_keep_the_others(modules, data, size):
    tokenizer, (image, tokens) = modules[1].tokenizer, data
    image = F.interpolate(image, size)
    query = in_heads(tokenizer.conv_query(tokens[:, :, :3]))
    key = in_heads(tokenizer.conv_key(image))
    weights = (torch.einsum("bhcn,bhcl->bhnl", key, query) / sqrt(32 / HEADS)).softmax(2)
    found = tokenizer(image, tokens)
    assert torch.equal(found[:, :, :3], tokens[:, :, 3:])
    torch.testing.assert_close(found[:, :, 3:], tokens_of(tokenizer, image, weights))


def test_tokens_attend_to_each_other(modules, data):
    transformer, (_, tokens) = modules[1].transformer, data
    key, query, value = (
        in_heads(conv(tokens))
        for conv in (transformer.k_conv, transformer.q_conv, transformer.v_conv)
    )
    weights = (torch.einsum("bhck,bhcq->bhkq", key, query) / sqrt(6)).softmax(2)
    tokens = tokens + torch.einsum("bhck,bhkq->bhcq", value, weights).flatten(1, 2)
    wanted = tokens + transformer.ff_conv(tokens)
    torch.testing.assert_close(transformer(data[1]), wanted)
    assert transformer.k_conv.weight.shape == (16, 4, 1)  # half the width, in 8 groups


def test_the_projector_adds_means_of_tokens(modules, data):
    projector, (image, tokens) = modules[0].projector, data
    value, key = (
        in_heads(conv(tokens)) for conv in (projector.proj_value_conv, projector.proj_key_conv)
    )
    query = in_heads(projector.proj_query_conv(image))
    weights = (torch.einsum("bhcn,bhcl->bhnl", query, key) / sqrt(32 / HEADS)).softmax(3)
    wanted = image + torch.einsum("bhcl,bhnl->bhcn", value, weights).reshape(image.shape)
    torch.testing.assert_close(projector(image, tokens), wanted)


def test_weights_of_attention_sum_to_1(modules, data):
    """So a mean of equal values is this value."""
    image, tokens = data
    projector = modules[0].projector
    torch.nn.init.zeros_(projector.proj_value_conv.weight)
    wanted = image + projector.proj_value_conv.bias[:, None, None]
    torch.testing.assert_close(projector(image, tokens), wanted)
    transformer = modules[2].transformer
    torch.nn.init.zeros_(transformer.v_conv.weight)
    torch.nn.init.zeros_(transformer.ff_conv.weight)
    torch.nn.init.zeros_(transformer.ff_conv.bias)
    wanted = tokens + transformer.v_conv.bias[:, None]
    torch.testing.assert_close(transformer(tokens), wanted)


def test_with_constant_weights_tokens_are_means(modules, data):
    tokenizer, (image, _) = modules[0].tokenizer, data
    torch.nn.init.zeros_(tokenizer.conv_token_coef.weight)
    torch.nn.init.zeros_(tokenizer.conv_token_coef.bias)
    value = tokenizer.conv_value(image).mean((2, 3))
    even = torch.full((2, 1, 14 * 14, 1), 1 / 14**2)
    position = positions(tokenizer.pos_encoding, even, 14, 14)
    wanted = tokenizer.conv_token(torch.cat((value[:, :, None], position), 1))
    torch.testing.assert_close(tokenizer(image), wanted.expand(-1, -1, 6))


def test_the_last_module_has_no_projector_and_each_has_the_tokens_before():
    module = shipped("vt_resnet", **OPTIONS).to_torch(seed=1).eval()
    children = [{name for name, _ in part.named_children()} for part in module.layer4]
    assert children[0] == children[1] == {"tokenizer", "transformer", "projector"}
    assert children[2] == {"tokenizer", "transformer"}
    image = torch.randn(2, 3, 64, 64)
    module.zero_grad()
    module(image).sum().backward()
    for part in module.layer4:
        assert part.transformer.v_conv.weight.grad.abs().max() > 0
    # half of the last tokens are those of the module before, which reach the classes directly
    first = module.trunk(image)
    y, tokens = module.layer4[0](first)
    y, tokens = module.layer4[1](y, tokens)
    assert torch.equal(module.layer4[2].tokenizer(y, tokens)[:, :, :3], tokens[:, :, 3:])
    _, tokens = module.layer4[2](y, tokens)
    torch.testing.assert_close(module(image), module.fc(tokens.mean(2)))


def test_each_map_of_the_pyramid_sees_the_tokens_of_all_maps():
    network = shipped(
        "vt_fpn",
        body="resnet(width=4, norm=frozen_batch_norm)",
        width=8,
        tokens=2,
        token_width=16,
        heads=2,
    )
    module = network.to_torch(seed=1).train()
    torch.manual_seed(1)
    image = torch.randn(1, 3, 64, 64)
    maps = module(image)
    assert [tuple(x.shape) for x in maps] == [(1, 8, n, n) for n in (16, 8, 4, 2)]
    maps[0].square().sum().backward()
    for i in range(4):
        assert module.tokenizer[i].conv_value.weight.grad.abs().max() > 0
    assert module.projector[1].proj_key_conv.weight.grad is None
    for part in module.projector:  # without tokens, maps are the projections of the body's
        torch.nn.init.zeros_(part.proj_value_conv.weight)
        torch.nn.init.zeros_(part.proj_value_conv.bias)
    for found, lateral, x in zip(module(image), module.lateral, module.body(image), strict=True):
        torch.testing.assert_close(found, lateral(x))
