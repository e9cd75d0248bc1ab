"""Further uses of a `torch.nn.Module`, on networks other than those of `test_everyday_uses`."""

import copy
import inspect
import io
import warnings
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
    apply_activation_checkpointing,
)
from torch.func import functional_call, jvp
from torch.fx.experimental.optimization import fuse
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import skip_init
from torch.optim.swa_utils import AveragedModel, update_bn
from torch.utils._pytree import tree_leaves

import archspec

NETWORKS = {
    "mobilenet": lambda: archspec.load("mobilenetv1", factor=0.125).at(H=32, W=32),
    "cait": lambda: archspec.load("cait", dim=16, depth=2, size=32, heads=2),
    "linknet": lambda: archspec.load("linknet").at(H=32, W=32),
    "gpt2": lambda: archspec.load(Path(__file__).parents[1] / "tied" / "gpt2.arch"),
    "discriminator": lambda: archspec.load("dcgan_discriminator", width=4),
}
USES = {}


def use(function):
    USES[function.__name__] = function
    return function


def loss(net, inputs):
    return sum(value.square().mean() for value in tree_leaves(net(*inputs)))


def same(one, two, tolerance=1e-3):
    for left, right in zip(tree_leaves(one), tree_leaves(two), strict=True):
        torch.testing.assert_close(left, right, rtol=tolerance, atol=tolerance)


@use
def statistics_of_averaged_weights_are_updated(net, inputs):
    averaged = AveragedModel(net, use_buffers=True)
    averaged.update_parameters(net.train())
    update_bn([inputs[0].repeat(2, *[1] * (inputs[0].dim() - 1))] * 2, averaged)
    same(averaged.eval()(*inputs), averaged.module(*inputs))


@use
def norms_are_synchronised(net, inputs):
    expected = net(*inputs)
    other = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(net))
    assert other.state_dict().keys() == net.state_dict().keys()
    same(other(*inputs), expected)


class LowRank(nn.Module):
    """A linear layer with an adapter of rank 2."""

    def __init__(self, base):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Linear(base.in_features, 2, bias=False)
        self.up = nn.Linear(2, base.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


@use
def adapters_are_put_around_linear_layers(net, inputs):
    expected = net.requires_grad_(False)(*inputs)
    found = [name for name, layer in net.named_modules() if type(layer) is nn.Linear]
    for name in found:
        net.set_submodule(name, LowRank(net.get_submodule(name)))
    same(net(*inputs), expected)
    if found:
        loss(net, inputs).backward()
        trained = {name for name, value in net.named_parameters() if value.grad is not None}
        assert trained == {f"{name}.{part}.weight" for name in found for part in ("up", "down")}


@use
def blocks_are_checkpointed_by_class(net, inputs):
    own = type(net).__module__
    kinds = {type(part) for part in net.modules() if type(part).__module__ == own} - {type(net)}
    loss(net, inputs).backward()
    expected = [value.grad for value in net.parameters()]
    net.zero_grad()
    apply_activation_checkpointing(net, check_fn=lambda part: type(part) in kinds)
    loss(net, inputs).backward()
    same([value.grad for value in net.parameters()], expected)


@use
def training_goes_on_from_a_file(net, inputs):
    inputs = [torch.cat([value, value]) for value in inputs]
    optimiser = torch.optim.AdamW(net.train().parameters())
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(net, inputs)
    value.backward()
    optimiser.step()
    file = io.BytesIO()
    torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict()}, file)
    file.seek(0)
    found = torch.load(file, weights_only=True)
    other = type(net)()
    other.load_state_dict(found["net"])
    torch.optim.AdamW(other.parameters()).load_state_dict(found["optimiser"])
    same(other.eval()(*inputs), net.eval()(*inputs))


@use
def weights_are_taken_for_other_classes(net, inputs):
    if "classes" not in inspect.signature(type(net)).parameters:
        return
    other = type(net)(classes=7)
    wanted = other.state_dict()
    fitting = {k: v for k, v in net.state_dict().items() if wanted[k].shape == v.shape}
    found = other.load_state_dict(fitting, strict=False)
    assert found.unexpected_keys == []
    assert 0 < len(found.missing_keys) <= 2
    assert 7 in tree_leaves(other.eval()(*inputs))[0].shape


@use
def directional_derivatives_are_computed(net, inputs):
    weights = dict(net.named_parameters())
    ones = {name: torch.ones_like(value) for name, value in weights.items()}
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        value, tangent = jvp(lambda some: functional_call(net, some, inputs), (weights,), (ones,))
    assert tree_leaves(tangent)[0].shape == tree_leaves(value)[0].shape


@use
def frozen_norms_are_trained_on_one_image(net, inputs):
    for part in net.train().modules():
        if isinstance(part, _BatchNorm):
            part.eval().requires_grad_(False)
    loss(net, inputs).backward()
    assert all(v.grad is not None for v in net.parameters() if v.requires_grad)


@use
def it_runs_without_tracking(net, inputs):
    with torch.inference_mode():
        found = net(*inputs)
    same(net(*inputs), found)


@use
def norms_are_folded_by_torch(net, inputs):
    same(fuse(copy.deepcopy(net))(*inputs), net(*inputs))


@use
def every_layer_with_weights_is_seen_by_name(net, inputs):
    seen = set()
    for name, part in net.named_modules():
        part.register_forward_hook(lambda *_, name=name: seen.add(name))
    net(*inputs)
    owners = {name.rpartition(".")[0] for name, _ in net.named_parameters()}
    assert owners <= seen


@use
def linear_layers_are_quantised(net, inputs):
    found = torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8)
    same(found(*inputs), net(*inputs), tolerance=0.2)


@use
def it_is_made_without_initial_values(net, inputs):
    class Other(type(net)):
        def __init__(self, *, device=None):
            with torch.device(device):
                super().__init__()

    torch.manual_seed(5)
    known = type(net)()
    other = skip_init(Other, device="cpu")
    torch.manual_seed(5)
    other.initialise()
    same(other.eval()(*inputs), known.eval()(*inputs), tolerance=0)


@use
def names_of_outputs_are_those_of_the_spec(net, inputs):
    found = net(*inputs)
    assert isinstance(found, torch.Tensor) or found._fields == tuple(found._asdict())


@use
def weights_are_swapped_when_it_is_moved(net, inputs):
    expected = [value.detach() for value in tree_leaves(net(*inputs))]
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        net.double().float()
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
    same(tree_leaves(net(*inputs)), expected)


@cache
def kind_of(name):
    return NETWORKS[name]().to_torch(seed=1)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", USES)
def test_further_use_works(name, network):
    torch.manual_seed(0)
    net = copy.deepcopy(kind_of(network)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=DeprecationWarning)
        USES[name](net, net.example_inputs())
