"""Attention is two convolutions with filters computed from the input."""

import pytest
import torch
import torch.nn.functional as F

from archspec.analysis.parameters import table
from archspec.diagnostics.failure import CompileFailed
from archspec.loading import load
from archspec.shipped import folder
from tests.specs.compiled import shipped


def test_deit_is_a_special_case():
    """With softmax between them and the weights of DeiT, it computes the same as DeiT."""
    reference = shipped("deit_tiny_patch16_224", depth=2).to_torch(seed=1).eval()
    module = shipped("deit_tiny_dynamic", depth=2).to_torch().eval()
    for name, weight in reference.named_parameters():
        if name.endswith("qkv.weight"):  # so that attention is far from uniform
            torch.nn.init.normal_(weight, std=0.2)
    module.load_state_dict(reference.state_dict(), strict=True)
    image = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(module(image), reference(image), rtol=1e-4, atol=1e-5)


def by_convolution(module, x, heads, act):
    """Torch's convolution, for one image and head at a time, with keys and values as filters."""
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


def test_convolution_of_torch_agrees():
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


def a_sample_at_a_time(conv, x):
    """Torch's depth-wise convolution, with filters computed from the mean of each sample."""
    outputs = []
    for maps in x:
        mid = conv.conv1.weight.flatten(1) @ maps.mean((1, 2))
        mid = F.layer_norm(mid, mid.shape, conv.bn.weight, conv.bn.bias).relu()
        made = conv.conv2.weight.flatten(1) @ mid + conv.conv2.bias
        filters = made.unflatten(0, (len(maps), 1, *[round((len(made) / len(maps)) ** 0.5)] * 2))
        half = filters.shape[-1] // 2
        outputs.append(F.conv2d(maps[None], filters, conv.bias, padding=half, groups=len(maps)))
    return torch.cat(outputs)


def stirred(module):
    """With weights that differ much from the initial ones, so that all of them have an effect."""
    for weight in module.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return module


def same(wanted, found, x, module):
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    over = [x, *module.parameters()]
    way = torch.randn_like(found)
    pairs = [torch.autograd.grad((y * way).sum(), over) for y in (wanted, found)]
    for expected, gradient in zip(*pairs, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-3)


@pytest.fixture
def deit(tmp_path):
    """A small DeiT with the given attention, and other options."""
    path = tmp_path / "net.arch"
    for name in ("deit", "swin", "dynamic_convolution", "resnet"):
        path.with_name(f"{name}.arch").write_bytes((folder() / f"{name}.arch").read_bytes())

    def made(attention, more=""):
        path.write_text(
            "use deit { deit }\nuse dynamic_convolution { depthwise_attention }\n"
            f"preset net = deit(24, 2, depth=2, size=64, attention={attention}{more})\n",
            encoding="utf-8",
        )
        return load(path, "net").to_torch(seed=1)

    return made


@pytest.mark.parametrize("kernel", [3, 7])
def test_tokens_are_convolved_on_their_grid(deit, kernel):
    """And the class token, which has no position in it, becomes the mean of all values."""
    attn = stirred(deit(f"depthwise_attention({kernel})").blocks[0].attn)
    x = torch.randn(3, 17, 24, requires_grad=True)
    values = attn.v(x)
    maps = a_sample_at_a_time(attn.conv, values[:, 1:].mT.unflatten(2, (4, 4)))
    tokens = torch.cat((values.mean(1, keepdim=True), maps.flatten(2).mT), 1)
    same(attn.proj(tokens), attn(x), x, attn)


def test_distilled_network_has_two_tokens_besides_the_grid(deit):
    module = deit("depthwise_attention(3, 2)", ", distilled=true").eval()
    assert module(torch.randn(2, 3, 64, 64)).shape == (2, 1000)
    with pytest.raises(CompileFailed, match="those of a square"):
        deit("depthwise_attention(3, 1)", ", distilled=true")


def test_windows_slide_instead_of_shifting():
    options = {"dim": 24, "depths": (2,), "heads": (2,), "window": 5, "height": 32, "width": 28}
    for block in shipped("swin_t_depthwise", **options).to_torch(seed=1).features[1]:
        attn = stirred(block.attn)
        x = torch.randn(3, 8, 7, 24, requires_grad=True)
        maps = a_sample_at_a_time(attn.conv, attn.v(x).permute(0, 3, 1, 2))
        same(attn.proj(maps.permute(0, 2, 3, 1)), attn(x), x, attn)


def weights(name):
    return [item for item in table(shipped(name).compiled) if item.learnable]
