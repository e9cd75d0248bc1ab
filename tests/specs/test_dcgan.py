"""DCGAN: what is made of its networks, and those that read a label."""

import pytest
import torch

from tests.specs.compiled import shipped


def test_the_composition_is_that_of_its_parts():
    whole = shipped("dcgan").to_torch(seed=1).eval()
    parts = [shipped(f"dcgan_{name}").to_torch().eval() for name in ("generator", "discriminator")]
    for part, name in zip(parts, ("generator", "discriminator"), strict=True):
        part.load_state_dict(getattr(whole, name).state_dict(), strict=True)
    noise = torch.randn(2, 100, 1, 1)
    with torch.inference_mode():
        torch.testing.assert_close(whole(noise), parts[1](parts[0](noise)))


def test_features_are_as_many_as_the_paper_says():
    (kind,) = shipped("dcgan_features").outputs[0].types
    assert kind.shape[1].constant == 28_672


@pytest.mark.parametrize(
    ("name", "given", "shape"),
    [
        ("dcgan_mnist_generator", (2, 100), (2, 1, 28, 28)),
        ("dcgan_mnist_discriminator", (2, 1, 28, 28), (2, 1)),
    ],
)
def test_a_label_reaches_the_result(name, given, shape):
    module = shipped(name).to_torch(seed=1).eval()
    x, labels = torch.randn(given), torch.eye(10)
    with torch.inference_mode():
        one, other = (module(x, labels[[k, k]]) for k in (3, 4))
    assert one.shape == shape
    assert not torch.allclose(one, other, rtol=0, atol=1e-6)
