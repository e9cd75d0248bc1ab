"""Networks with TensorFlow's padding equal those of transformers and timm, tensor by tensor.

Their names differ, the order is the same.
"""

import pytest
import torch
from torch import nn

from tests.specs.compiled import shipped

timm = pytest.importorskip("timm")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.live

SIZES = [(224, 224), (97, 130)]


def mobilenetv1():
    config = transformers.MobileNetV1Config(num_labels=1000, tf_padding=True)
    return transformers.MobileNetV1ForImageClassification(config)


def ready(module):
    """The module with norms adapted to data, as after training, so that images make a
    difference."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1, 0.1)
            nn.init.normal_(part.bias, 0, 0.1)
            part.momentum = 1.0
    with torch.inference_mode():
        module.train()(torch.randn(8, 3, 64, 64))
    return module.eval()


def given(network, reference):
    """The module of a network with the weights of another one, in the same order."""
    module = network.to_torch().eval()
    values = zip(module.state_dict(), reference.state_dict().values(), strict=True)
    module.load_state_dict(dict(values), strict=True)
    return module


def difference(name, reference, height, width, **options):
    """The largest difference of outputs, relative to the standard deviation over the images."""
    torch.manual_seed(0)
    reference = ready(reference)
    module = given(shipped(name, **options), reference)
    images = torch.randn(3, 3, height, width)
    with torch.inference_mode():
        found, wanted = module(images), reference(images)
    wanted = getattr(wanted, "logits", wanted)
    return float((found - wanted).abs().max() / wanted.std(0).mean())


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_mobilenet_agrees_with_transformers(height, width):
    assert difference("mobilenetv1", mobilenetv1(), height, width, tensorflow=True) < 1e-3


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_efficientnet_agrees_with_timm(height, width):
    reference = timm.create_model("tf_efficientnet_b0")
    assert difference("efficientnet_b0", reference, height, width, tensorflow=True) < 1e-3


def test_padding_and_epsilon_affect_the_outputs():
    """The comparisons above can fail."""
    reference = timm.create_model("tf_efficientnet_b0", bn_eps=1e-5)
    assert difference("efficientnet_b0", reference, 224, 224) > 0.1
    reference = timm.create_model("efficientnet_b0", bn_eps=1e-3)
    assert difference("efficientnet_b0", reference, 224, 224) > 1e-2
    assert difference("mobilenetv1", mobilenetv1(), 224, 224) > 0.1


@pytest.mark.parametrize("size", range(8))
def test_every_efficientnet_has_the_tensors_of_timm(size):
    with torch.device("meta"):
        wanted = timm.create_model(f"tf_efficientnet_b{size}").state_dict().values()
    module = shipped(f"efficientnet_b{size}", tensorflow=True).to_torch(device="meta")
    found = module.state_dict().values()
    assert [value.shape for value in found] == [value.shape for value in wanted]
