"""A network that is a sequence only runs its children, in order."""

import pytest
import torch

import archspec
from tests.backends.scripts import script


@pytest.mark.parametrize("name", ["resnet18", "lenet", "alexnet"])
def test_children_run_one_after_the_other(name):
    """So torchvision's `IntermediateLayerGetter` works."""
    module = archspec.load(name).to_torch().eval()
    (x,) = inputs = module.example_inputs()
    for child in module.children():
        x = child(x)
    torch.testing.assert_close(x, module(*inputs))
    torch.testing.assert_close(script(module)(*inputs), x)


@pytest.mark.parametrize("name", ["fractalnet", "vit_b_16"])
def test_non_sequential_modules_keep_their_forward(name):
    net = archspec.load(name)
    module = net.to_torch(device="meta")
    owners = {key.split(".")[0] for key in module.state_dict()}
    assert owners >= {child for child, _ in module.named_children()} - {"dropout"}
