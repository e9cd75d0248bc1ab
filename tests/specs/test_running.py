"""The generated modules run, train, and mean the same as TorchScript."""

import copy

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archspec.network import Network
from archspec.shipped import folder
from archspec_torchscript.script import to_torchscript
from tests.specs.compiled import shipped

# One network of each spec, small where it can be, and a size that it takes.
NETWORKS = {
    "alexnet": ("alexnet", {"classes": 5}, 67),
    "convnext": ("convnext", {"depths": (1, 1, 2, 1), "widths": (8, 16, 24, 32)}, 33),
    "deit": ("deit", {"dim": 24, "heads": 3, "distilled": True, "depth": 2, "size": 48}, 48),
    "densenet": ("densenet", {"depths": (2, 2, 2, 2), "growth": 8}, 33),
    "densenet_cifar": ("densenet_cifar", {"depth": 16}, 18),
    "efficientnet": ("efficientnet", {"width": 0.25, "depth": 0.5}, 33),
    "fractalnet": ("fractalnet", {"columns": 3, "widths": (8, 8, 16, 16, 16)}, 35),
    "inception": ("inception_v3", {"classes": 5}, 299),
    "lenet": ("lenet", {}, 32),
    "mobilenet": ("mobilenetv1", {"factor": 0.25}, 33),
    "pyramidnet": ("pyramidnet", {"depth": 14}, 11),
    "resnet": ("resnet18", {"depths": (1, 1, 1, 1)}, 33),
    "resnet_cifar": ("resnet_cifar", {"depth": 8}, 11),
    "swin": ("swin", {"dim": 24, "depths": (2, 2), "heads": (2, 4), "height": 64, "width": 40}, 64),
    "unet": ("unet", {"poolings": 2, "width": 4}, 20),
    "vgg": ("vgg11_bn", {"classes": 5}, 33),
    "vit": ("vit", {"dim": 24, "depth": 2, "heads": 3, "size": 48}, 48),
    "wide_resnet": ("wide_resnet", {"depth": 10, "factor": 1}, 11),
}
BATCH = 2
SLOW = {"alexnet", "inception", "vgg"}


def test_every_spec_is_run():
    assert set(NETWORKS) == {path.stem for path in folder().glob("*.arch")}


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NETWORKS],
    scope="module",
)
def case(request):
    name, options, size = NETWORKS[request.param]
    network = shipped(name, **options)
    return network, network.to_torch(seed=1), sizes(network, size)


def sizes(network: Network, size: int) -> dict[str, int]:
    """Heights of `size`, widths a little more where they are free and need not be a multiple."""
    found = {"B": BATCH, "H": size, "W": size + 5}
    found = {name: found[name] for name in network.compiled.sizes}
    if not network.accepts(**found):
        found["W"] = size
    assert network.accepts(**found)
    assert network.accepts(training=True, **found)
    return found


def data(network: Network, given: dict[str, int]) -> torch.Tensor:
    (kind,) = network.inputs[0].types
    torch.manual_seed(2)
    return torch.randn(*(size.evaluate(given) for size in kind.shape))


def tensors(results):
    if isinstance(results, torch.Tensor):
        return [results]
    return [item for item in results if item is not None]


def test_shapes_in_inference_are_those_inferred(case):
    network, module, given = case
    with torch.inference_mode():
        found = tensors(module.eval()(data(network, given)))
    wanted = [kind for output in network.outputs for kind in output.types]
    assert [tuple(item.shape) for item in found] == [
        tuple(size.evaluate(given) for size in kind.shape) for kind in wanted
    ]
    assert all(item.isfinite().all() for item in found)


def test_macs_are_what_torch_counts(case):
    network, _, given = case
    module = network.to_torch(device="meta").eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(data(network, given).to("meta"))
    assert counter.get_total_flops() == 2 * network.macs(**given)


def test_torchscript_agrees_in_inference(case):
    network, module, given = case
    scripted = to_torchscript(network.compiled, module=copy.deepcopy(module).eval())
    image = data(network, given)
    with torch.inference_mode():
        pairs = zip(tensors(module.eval()(image)), tensors(scripted(image)), strict=True)
    for eager, script in pairs:
        torch.testing.assert_close(script, eager, rtol=1e-6, atol=1e-6 * float(eager.std()))


def test_it_trains(case):
    """Every weight has a gradient, in the module and in TorchScript."""
    network, module, given = case
    image = data(network, given)
    scripted = to_torchscript(network.compiled, module=copy.deepcopy(module))
    for one in (copy.deepcopy(module), scripted):
        one.train()
        torch.manual_seed(3)
        loss = sum(item.square().mean() for item in tensors(one(image)))
        loss.backward()
        without = [name for name, weight in one.named_parameters() if weight.grad is None]
        # what drop-path drops is not computed
        assert without == [] or network.name == "fractalnet"
        assert all(w.grad.isfinite().all() for w in one.parameters() if w.grad is not None)
