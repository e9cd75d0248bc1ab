"""Recognition of several digits: the layers of the spec, and the decoding."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from archspec.analysis.parameters import table
from archspec.loading import load
from archspec.shipped import folder
from tests.specs.compiled import shipped

USES = "use multidigit { locally_connected, most_probable, subtractive_norm }\n"


@pytest.fixture
def module(tmp_path):
    """The network of this text, which can use the blocks of the spec."""

    def made(text):
        (tmp_path / "multidigit.arch").write_bytes((folder() / "multidigit.arch").read_bytes())
        path = tmp_path / "net.arch"
        path.write_text(f"{USES}network net {{\n{text}\n}}\n", encoding="utf-8")
        return load(path, "net").to_torch(seed=1).eval()

    return made


def test_names_agree_with_the_port():
    layers = [f"_hidden{i}.0" for i in range(1, 11)] + [f"_digit{i}.0" for i in range(1, 6)]
    norms = [f"_hidden{i}.1" for i in range(1, 9)]
    kinds = ("weight", "bias", "running_mean", "running_var")
    wanted = {f"{path}.{kind}" for path in [*layers, "_digit_length.0"] for kind in kinds[:2]}
    wanted |= {f"{path}.{kind}" for path in norms for kind in kinds}
    found = table(shipped("svhn_classifier").compiled)
    assert {item.name for item in found if item.dtype.value == "f32"} == wanted


def test_every_position_has_its_own_weights(module):
    net = module("input x: f32[B = 1, 2, 4, 5]\noutput y = x -> local: locally_connected(3, 3)")
    x = torch.randn(2, 2, 4, 5)
    found = net(x)
    padded = F.pad(x, [1, 1, 1, 1])
    for row, column in product(range(4), range(5)):
        window = padded[:, :, row : row + 3, column : column + 3].flatten(1)
        position = 5 * row + column
        wanted = window @ net.local.weight[:, :, position].T + net.local.bias[:, position]
        torch.testing.assert_close(found[:, :, row, column], wanted)


def test_local_mean_is_subtracted(module):
    net = module("input x: f32[B = 1, 2, 4, 5]\noutput y = x -> subtractive_norm")
    x = torch.randn(2, 2, 4, 5)
    found = net(x)
    for row, column in product(range(4), range(5)):
        window = x[:, :, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        wanted = x[:, :, row, column] - window.mean((2, 3))
        torch.testing.assert_close(found[:, :, row, column], wanted)


def test_the_most_probable_number_is_found(module):
    inputs = ", ".join(f"d{i}: f32[B, 10]" for i in range(5))
    net = module(
        f"input length: f32[B = 1, 7], {inputs}\n"
        "n, digits = (length, d0, d1, d2, d3, d4) -> most_probable\n"
        "output n = n\noutput digits = digits"
    )
    torch.manual_seed(0)
    lengths, digits = torch.randn(200, 7), [torch.randn(200, 10) for _ in range(5)]
    with torch.inference_mode():
        found, places = net(4 * lengths, *digits)
    sizes = (4 * lengths).log_softmax(1)
    best = torch.stack([one.log_softmax(1).max(1).values for one in digits], 1)
    scores = torch.stack([sizes[:, n] + best[:, :n].sum(1) for n in range(7)], 1)
    assert torch.equal(found, scores.argmax(1))
    assert len(set(found.tolist())) == 7
    assert torch.equal(places, torch.stack([one.argmax(1) for one in digits], 1))


def test_loss_covers_the_length_and_the_present_digits(tmp_path):
    small = "widths=[4, 4, 6, 6, 6, 4, 4, 4], dense=16, drop=0.0"
    (tmp_path / "multidigit.arch").write_bytes((folder() / "multidigit.arch").read_bytes())
    path = tmp_path / "net.arch"
    path.write_text(
        "use multidigit { multidigit, multidigit_loss }\n"
        f"preset net = multidigit_loss(multidigit({small}))\n",
        encoding="utf-8",
    )
    module = load(path, "net").to_torch(seed=1)
    image, lengths = torch.randn(4, 3, 54, 54), torch.tensor([0, 2, 5, 6])
    digits = torch.randint(10, (4, 5))
    found = module(image, lengths, digits)
    length, *heads = module.net(image)
    wanted = F.cross_entropy(length, lengths, reduction="sum")
    for place, head in enumerate(heads):
        there = lengths > place
        wanted = wanted + F.cross_entropy(head[there], digits[there, place], reduction="sum")
    torch.testing.assert_close(found, wanted / 4)
    found.backward()
    assert module.net.get_parameter("_digit1.0.bias").grad.abs().max() > 0
    module.zero_grad()
    module(image[:1], lengths[:1], digits[:1]).backward()
    assert module.net.get_parameter("_digit1.0.bias").grad.abs().max() == 0
