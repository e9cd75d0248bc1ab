"""Backward computations of a network agree with autograd, where the definitions agree."""

import pytest
import torch
import torch.nn.functional as F

import archspec
from tests.specs.compiled import shipped

HEAD = "language 1\nuse std.backward\n"
OUT = "({} + 2 * padding - kernel) // stride + 1"
SIZES = (
    "x: f32[B = 1, 4, H = 11, W = 12], r: f32[B, {}, " + f"{OUT.format('H')}, {OUT.format('W')}]"
)

CONV = f"""{HEAD}
network up(stride: int = 1, padding: int = 1, kernel: int = 3) {{
  input {SIZES.format(6)}
  param weight: f32[6, 4, kernel, kernel] = normal(std=1)
  output y = (r, weight, x) -> conv_backward(stride, padding)
}}
"""

POOL = f"""{HEAD}
network up(stride: int = 2, padding: int = 1, kernel: int = 3) {{
  input {SIZES.format(4)}
  output y = (r, x) -> max_pool_backward(kernel, stride, padding)
}}
"""

CHAIN = f"""{HEAD}
network seen(how: str = "gradient", map: int = 1) {{
  input x: f32[B = 1, 3, H = 24, W = 25]
  rows = [["a", 6, 3, 1, 1, 3, 2, 1], ["b", 7, 3, 2, 1, 0, 0, 0], ["c", 5, 3, 1, 1, 0, 0, 0]]
  output y = x -> seen_by(rows, map, how, identity)
}}
"""


@pytest.mark.parametrize("size", [(11, 12), (12, 13)])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(3, 1, 1), (3, 2, 1), (5, 2, 0), (7, 2, 1), (11, 4, 0), (1, 1, 0)],
)
def test_convolution_backward_is_its_gradient(tmp_path, size, kernel, stride, padding):
    module = built(tmp_path, CONV, kernel=kernel, stride=stride, padding=padding)
    x = torch.randn(2, 4, *size, requires_grad=True)
    y = F.conv2d(x, module.weight, stride=stride, padding=padding)
    r = torch.randn_like(y)
    (wanted,) = torch.autograd.grad(y, x, r)
    torch.testing.assert_close(module(x, r), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 0), (3, 2, 1)])
def test_pooling_backward_returns_values_to_their_positions(tmp_path, kernel, stride, padding):
    """Of several equal values, such as the many zeros after a ReLU, to the first."""
    module = built(tmp_path, POOL, kernel=kernel, stride=stride, padding=padding)
    x = torch.randn(2, 4, 11, 12).relu().requires_grad_()
    y = F.max_pool2d(x, kernel, stride, padding)
    r = torch.randn_like(y)
    (wanted,) = torch.autograd.grad(y, x, r)
    torch.testing.assert_close(module(x, r), wanted)


@pytest.mark.parametrize("how", ["gradient", "guided", "deconvnet"])
def test_a_chain(tmp_path, how):
    module = built(tmp_path, CHAIN, how=how).eval()
    image = torch.randn(1, 3, 24, 25, requires_grad=True)

    class Rectify(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x.relu()

        @staticmethod
        def backward(context, r):
            (x,) = context.saved_tensors
            return (r if how == "gradient" else r.relu()) * (1 if how == "deconvnet" else x > 0)

    def layer(x, name, stride):
        weight, bias = (module.state_dict()[f"{name}.{leaf}"] for leaf in ("weight", "bias"))
        return Rectify.apply(F.conv2d(x, weight, bias, stride=stride, padding=1))

    y = layer(layer(F.max_pool2d(layer(image, "a", 1), 3, 2, 1), "b", 2), "c", 1)[:, 1]
    start = torch.zeros_like(y).flatten()
    start[y.argmax()] = y.max().detach()
    (wanted,) = torch.autograd.grad(y, image, start.view_as(y))
    assert wanted.abs().max() > 0
    torch.testing.assert_close(module(image.detach()), wanted, rtol=1e-4, atol=1e-5)


def answer(name: str, inner: str, image: torch.Tensor, map: int) -> tuple[dict, torch.Tensor]:
    """Weights of a network, and the largest activation after the ReLU of one of its
    convolutions."""
    module = shipped(name).to_torch(seed=1).eval()
    found = []
    module.get_submodule(inner).register_forward_hook(lambda _, __, y: found.append(y.relu()))
    module(image)
    return module.state_dict(), found[0][:, map].max()


@pytest.mark.parametrize(
    ("name", "inner", "spec", "layer"),
    [("all_cnn_c", "conv7", "all_cnn_guided", 7), ("zfnet", "features.0", "zfnet_deconvnet", 1)],
)
def test_the_gradient_is_that_of_the_network(name, inner, spec, layer):
    """In the form for gradients. It begins with the activation where the gradient begins with 1."""
    size = 32 if name == "all_cnn_c" else 64
    image = torch.randn(1, 3, size, size, requires_grad=True)
    weights, strongest = answer(name, inner, image, 3)
    (wanted,) = torch.autograd.grad(strongest, image)
    module = shipped(spec, layer=layer, map=3, how="gradient").to_torch().eval()
    module.load_state_dict({key: weights[key] for key in module.state_dict()}, strict=True)
    with torch.inference_mode():
        pixels = module(image.detach())
    wanted = wanted * strongest.detach()
    torch.testing.assert_close(pixels, wanted, rtol=1e-3, atol=1e-3 * float(wanted.std()))


def test_contrast_norms_are_skipped_backwards():
    """The third convolution of ZFNet, with norms that do not change the gradient."""
    module = shipped("zfnet_deconvnet", layer=3, map=3, how="gradient").to_torch(seed=1).eval()
    weights = module.state_dict()
    image = torch.randn(1, 3, 64, 64, requires_grad=True)
    x = image
    for key, stride, padding in (("features.0", 2, 1), ("features.4", 2, 0), ("features.8", 1, 1)):
        if x is not image:
            x = F.max_pool2d(x, 3, 2, 1)
            x = x + (F.local_response_norm(x, 5, alpha=5e-4, k=2) - x).detach()
        x = F.conv2d(x, weights[f"{key}.weight"], weights[f"{key}.bias"], stride, padding).relu()
    strongest = x[:, 3].max()
    (wanted,) = torch.autograd.grad(strongest, image)
    with torch.inference_mode():
        pixels = module(image.detach())
    wanted = wanted * strongest.detach()
    torch.testing.assert_close(pixels, wanted, rtol=1e-3, atol=1e-3 * float(wanted.std()))


def built(folder, text, **options):
    path = folder / "net.arch"
    path.write_text(text, encoding="utf-8")
    (name,) = (
        word.split("(")[0].split()[1] for word in text.split("\n") if word.startswith("network")
    )
    return archspec.load(path, name, **options).to_torch(seed=1)
