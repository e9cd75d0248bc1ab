"""DCGAN: its networks are composed of their parts, and the conditional ones read a label."""

import pytest
import torch

from tests.specs.compiled import shipped


@pytest.mark.parametrize(
    ("name", "given"),
    [("", [(2, 100, 1, 1)]), ("_faces", [(2, 100)]), ("_mnist", [(2, 100), (2, 10)])],
)
def test_gan_equals_generator_and_discriminator(name, given):
    whole = shipped(f"dcgan{name}").to_torch(seed=1).eval()
    kinds = ("generator", "discriminator")
    parts = [shipped(f"dcgan{name}_{kind}").to_torch().eval() for kind in kinds]
    for part, kind in zip(parts, kinds, strict=True):
        part.load_state_dict(getattr(whole, kind).state_dict(), strict=True)
    noise, *label = (torch.randn(shape) for shape in given)
    with torch.inference_mode():
        made = parts[0](noise, *label)
        torch.testing.assert_close(whole(noise, *label), parts[1](made, *label))


def test_number_of_features_agrees_with_the_paper():
    (kind,) = shipped("dcgan_features").outputs[0].types
    assert kind.shape[1].constant == 28_672


@pytest.mark.parametrize(
    ("name", "given", "shape"),
    [
        ("dcgan_mnist_generator", (2, 100), (2, 1, 28, 28)),
        ("dcgan_mnist_discriminator", (2, 1, 28, 28), (2, 1)),
    ],
)
def test_results_depend_on_the_label(name, given, shape):
    module = shipped(name).to_torch(seed=1).eval()
    x, labels = torch.randn(given), torch.eye(10)
    with torch.inference_mode():
        one, other = (module(x, labels[[k, k]]) for k in (3, 4))
    assert one.shape == shape
    assert not torch.allclose(one, other, rtol=0, atol=1e-6)
