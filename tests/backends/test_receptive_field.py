"""Receptive fields compared with gradients: on which inputs one output position depends."""

import pytest
import torch

import archspec
from archspec.analysis.receptive_field import field_text

HEAD = "  input x: f32[B = 1, 1, H = 96, W = 96]\n"
PLAIN = {
    "windows": "conv(2, 7, stride=2) -> avg_pool(3, stride=2, padding=1) -> conv(2, 3, dilation=2)",
    "fractal": "columns(3) -> join -> avg_pool(2) -> columns(3) -> join",
    "shortcut": "[conv(2, 1, stride=2), conv(2, 3, stride=2) -> conv(2, 3)] -> add",
}
VARYING = {
    "unet": "unet(2)",
    "nearest": "conv(2, 3) -> upsample(2) -> conv(2, 2)",
    "transposed": "conv_transpose(2, 3, stride=2, padding=1) -> conv(2, 3)",
}
RULES = """
rule columns(1) => [conv(2, 3)]
rule columns(c) => [conv(2, 3), ...(columns(c - 1) -> join -> columns(c - 1))]
rule unet(0) => conv(2, 3)
rule unet(n) => conv(2, 3)
  -> [identity, avg_pool(2) -> unet(n - 1) -> upsample(2)] -> concat -> conv(2, 3)
"""


def network(body, folder):
    path = folder / "net.arch"
    where = " where H % 4 == 0, W % 4 == 0" if "unet" in body else ""
    head = HEAD.rstrip() + where + "\n"
    path.write_text(f"{RULES}\nnetwork net {{\n{head}  output y = x -> {body}\n}}\n")
    return archspec.load(path)


def fields_by_gradient(net):
    """The input rows on which the middle output rows depend, with weights that cannot cancel."""
    model = net.to_torch(dtype="float64").eval()
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    x = torch.ones(1, 1, 96, 96, dtype=torch.float64, requires_grad=True)
    y = model(x)
    middle = y.shape[2] // 2
    for row in range(middle, middle + 8):
        (slope,) = torch.autograd.grad(y[0, 0, row, middle], x, retain_graph=True)
        seen = slope[0, 0].sum(1).nonzero()
        yield int(seen.max() - seen.min()) + 1


def text_of(net):
    return field_text(net.report().receptive_fields["x", "y"])


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_receptive_field_equals_the_extent_of_the_gradient(body, tmp_path):
    net = network(body, tmp_path)
    (size,) = set(fields_by_gradient(net))
    assert text_of(net) == f"{size} × {size}"


@pytest.mark.parametrize("body", VARYING.values(), ids=VARYING)
def test_receptive_field_after_a_resize_is_a_mean(body, tmp_path):
    net = network(body, tmp_path)
    sizes = list(fields_by_gradient(net))
    (field, _) = net.report().receptive_fields["x", "y"]
    assert field.varies
    assert min(sizes) <= field.size <= max(sizes)
    assert text_of(net).startswith("about ")
