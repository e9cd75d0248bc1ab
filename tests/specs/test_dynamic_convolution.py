"""Attention is two convolutions whose filters come from the input."""

import torch
import torch.nn.functional as F

from archspec.analysis.parameters import table
from tests.specs.compiled import shipped


def test_deit_is_one_of_them():
    """With softmax between, and the weights of DeiT, it computes what DeiT does."""
    reference = shipped("deit_tiny_patch16_224", depth=2).to_torch(seed=1).eval()
    module = shipped("deit_tiny_dynamic", depth=2).to_torch().eval()
    for name, weight in reference.named_parameters():
        if name.endswith("qkv.weight"):  # so that attention is far from even
            torch.nn.init.normal_(weight, std=0.2)
    module.load_state_dict(reference.state_dict(), strict=True)
    image = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(module(image), reference(image), rtol=1e-4, atol=1e-5)


def by_convolution(module, x, heads, act):
    """As torch's own convolution, an image and a head at a time, keys and values as filters."""
    images = []
    for tokens in module.qkv(x):
        q, k, v = tokens.unflatten(-1, (3, heads, -1)).unbind(1)
        outputs = []
        for head in range(heads):
            queries = q[None, :, head].transpose(1, 2) * q.shape[-1] ** -0.5  # [1, E, N]
            maps = F.conv1d(queries, k[:, head, :, None])
            maps = act(maps.transpose(1, 2)).transpose(1, 2)
            outputs.append(F.conv1d(maps, v[:, head].T[:, :, None])[0].T)
        images.append(torch.cat(outputs, -1))
    return module.proj(torch.stack(images))


def test_torch_convolves_the_same():
    network = shipped("deit_tiny_relu_norm", depth=2, size=48)
    attn = network.to_torch(seed=1).eval().blocks[0].attn
    torch.nn.init.normal_(attn.norm.weight)
    torch.nn.init.normal_(attn.qkv.weight, std=0.2)
    x = torch.randn(2, 10, 192)
    with torch.inference_mode():
        wanted = by_convolution(attn, x, 3, lambda maps: attn.norm(maps.relu()))
        torch.testing.assert_close(attn(x), wanted, rtol=1e-4, atol=1e-4)


def test_another_activation_in_windows():
    """The norm of Swin's windows is over their positions; nothing else differs."""
    plain = {item.name: item.shape for item in weights("swin_t")}
    other = {item.name: item.shape for item in weights("swin_t_relu_norm")}
    assert {name: other[name] for name in plain} == plain
    assert {other[name] for name in other.keys() - plain.keys()} == {(49,)}
    assert len(other) - len(plain) == 2 * 12


def weights(name):
    return [item for item in table(shipped(name).compiled) if item.learnable]
