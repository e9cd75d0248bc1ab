"""Presets equal the models of transformers that their families name, if it is installed."""

import pytest
import torch

from tests.specs.compiled import shipped
from tests.specs.families import merged

transformers = pytest.importorskip("transformers")

MODELS = merged("transformers")
RUN = {name: how["size"] for name, how in MODELS.items() if "size" in how}

pytestmark = pytest.mark.live


def reference(name):
    model = getattr(transformers, MODELS[name]["model"])
    return model(model.config_class(num_labels=1000, **MODELS[name].get("config", {})))


def shapes(module):
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


@pytest.mark.parametrize("name", MODELS)
def test_state_dict_agrees_with_the_reference(name):
    with torch.device("meta"):
        wanted = shapes(reference(name))
    assert shapes(shipped(name).to_torch(device="meta")) == wanted


@pytest.mark.parametrize("name", RUN)
def test_outputs_agree_with_the_reference(name):
    torch.manual_seed(0)
    wanted = reference(name).eval()
    for parameter in wanted.parameters():  # at initialisation, some layers hardly have an effect
        if parameter.ndim <= 1:
            torch.nn.init.normal_(parameter, 0.5, 0.1)
    module = shipped(name).to_torch().eval()
    module.load_state_dict(wanted.state_dict(), strict=True)
    image = torch.randn(2, 3, RUN[name], RUN[name])
    with torch.inference_mode():
        found, expected = module(image), wanted(image).logits
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.std()))
