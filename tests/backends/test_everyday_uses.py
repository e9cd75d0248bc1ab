"""Common uses of a `torch.nn.Module` work with the modules of very different networks."""

import contextlib
import copy
import io
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.func import functional_call, jacrev, stack_module_state, vmap
from torch.nn.utils import clip_grad_norm_, parameters_to_vector, parametrize, prune
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

import archspec
from archspec_torch.timm_methods import with_timm_methods
from tests.backends.scripts import script

LSTM = """
network net(hidden: int = 6) {
  input ids: i64[B = 2, T = 5]
  y, h, c = ids -> embed: embedding(11, 4) -> lstm: lstm(hidden)
  output score = y -> select(axis=1, index=-1) -> head: linear(3)
}
"""

NETWORKS = {
    "lenet": lambda _: archspec.load("lenet"),
    "resnet": lambda _: archspec.load(
        "resnet", unit="basic", depths=[1, 2], width=4, classes=5, small=True
    ),
    "vit": lambda _: archspec.load(
        "vit", patch=8, dim=16, depth=2, heads=2, size=16, classes=5, drop=0.1
    ),
    "swin": lambda _: archspec.load(
        "swin", dim=8, depths=[2, 2], heads=[1, 2], window=4, height=32, width=32, classes=5
    ),
    "unet": lambda _: archspec.load("unet", poolings=2, width=4).at(H=16, W=16),
    "fractalnet": lambda _: archspec.load(
        "fractalnet", columns=3, widths=[4, 4], dropouts=[0.0, 0.1], size=16
    ),
    "fpn": lambda _: archspec.load("fpn", width=8).at(H=64, W=64),
    "siglip": lambda _: archspec.load(
        "siglip", dim=16, depth=2, heads=2, patch=8, size=16, words=50, length=8
    ),
    "nfnet": lambda _: archspec.load("nfnet_f0", widths=[32, 32, 64, 64], group=16, size=64),
    "lstm": lambda folder: archspec.load(spec(folder, LSTM)),
    "t5": lambda _: archspec.load(Path(__file__).parents[1] / "tied" / "t5.arch"),
    "dcgan": lambda _: archspec.load("dcgan_generator", width=4, noise=8),
    "densenet": lambda _: archspec.load("densenet", growth=4, depths=[2, 2]).at(H=32, W=32),
    "efficientnet": lambda _: archspec.load("efficientnet", width=0.25, depth=0.2).at(H=32, W=32),
    "convnext": lambda _: archspec.load("convnext", depths=[1, 1, 2, 1], widths=[8, 16, 24, 32]).at(
        H=32, W=32
    ),
    "inception": lambda _: archspec.load("inception_v3", classes=5),
}
SLOW = {"inception", "fpn"}
EXPENSIVE = {"it_is_compiled", "it_is_exported"}
QUICK = {"lenet", "lstm", "dcgan"}
"""The networks compiled and exported by default; each of the others takes seconds."""

IMPOSSIBLE = {
    ("an_ensemble_is_one_call", "lstm"): "Batching rule not implemented",
    ("it_is_recorded", "swin"): "cannot be used as inputs to control flow",  # sizes of windows
    **{
        ("backward_hooks_are_called", name): "modified inplace"
        for name in ("resnet", "unet", "t5", "dcgan", "densenet", "nfnet", "fpn", "inception")
    },
}
"""Uses that PyTorch rejects, with words of its message: as in torchvision's networks, activations
overwrite the output of a layer in place, which a full backward hook of that layer forbids."""

USES = {}
LAYERS = nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Conv1d


def use(function):
    USES[function.__name__] = function
    return function


def spec(folder, text):
    path = folder / "net.arch"
    path.write_text(f"language 1\n{text}", encoding="utf-8")
    return path


@cache
def kind_of(name, folder):
    return type(NETWORKS[name](folder).to_torch("meta"))


def floats(result):
    return [x for x in tree_leaves(result) if isinstance(x, torch.Tensor) and x.is_floating_point()]


def loss(net, inputs):
    return sum((x.float().square() + x.float()).mean() for x in floats(net(*inputs)))


def same(one, two):
    pairs = list(zip(floats(one), floats(two), strict=True))
    assert pairs
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4, check_dtype=False)


@contextlib.contextmanager
def one_process():
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def parts(net, kind):
    return [module for module in net.modules() if isinstance(module, kind)]


# ---------------------------------------------------------------------- state


@use
def state_dict_is_loaded_strictly(net, inputs):
    other = copy.deepcopy(net)
    for value in other.parameters():
        nn.init.constant_(value, 0.01)
    assert not other.load_state_dict(net.state_dict(), strict=True).unexpected_keys
    same(other(*inputs), net(*inputs))


@use
def state_dict_is_assigned(net, inputs):
    with torch.device("meta"):
        other = type(net)().eval()
    other.load_state_dict(net.state_dict(), assign=True)
    same(other(*inputs), net(*inputs))


@use
def a_file_is_read_with_weights_only(net, inputs):
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    other = type(net)().eval()
    other.load_state_dict(torch.load(file, weights_only=True))
    same(other(*inputs), net(*inputs))


@use
def the_whole_module_is_saved(net, inputs):
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    same(torch.load(file, weights_only=False)(*inputs), net(*inputs))


@use
def it_is_pickled(net, inputs):
    same(pickle.loads(pickle.dumps(net))(*inputs), net(*inputs))


@use
def it_is_copied_deeply(net, inputs):
    other = copy.deepcopy(net)
    next(other.parameters()).data.zero_()
    assert next(net.parameters()).abs().sum() > 0


@use
def memory_is_shared(net, inputs):
    net.share_memory()
    assert all(value.is_shared() for value in net.parameters())


@use
def state_dict_hooks_are_called(net, inputs):
    seen = []
    net.register_state_dict_post_hook(lambda *found: seen.append(len(found)))
    net.state_dict()
    assert seen


@use
def it_is_made_on_meta_and_filled(net, inputs):
    with torch.device("meta"):
        other = type(net)().eval()
    other.to_empty(device="cpu")
    for module in other.modules():  # PyTorch's own attention has it under another name
        names = ("reset_parameters", "_reset_parameters")
        reset = next((getattr(module, name) for name in names if hasattr(module, name)), None)
        if reset is not None:
            reset()
    for value in floats(other(*inputs)):
        assert value.isfinite().all()


@use
def it_moves_to_meta(net, inputs):
    on_meta = net.to("meta")
    found = floats(on_meta(*tree_map(lambda x: x.to("meta"), inputs)))
    assert all(x.is_meta for x in found)


# ---------------------------------------------------------------------- dtypes and layouts


def cast(inputs, dtype):
    return tuple(x.to(dtype) if x.is_floating_point() else x for x in inputs)


@use
def it_is_half_precision(net, inputs):
    assert floats(net.bfloat16()(*cast(inputs, torch.bfloat16)))[0].dtype == torch.bfloat16


@use
def it_is_double_precision(net, inputs):
    expected = net(*inputs)
    same(copy.deepcopy(net).double()(*cast(inputs, torch.double)), expected)


@use
def it_runs_under_autocast(net, inputs):
    with torch.autocast("cpu", torch.bfloat16):
        loss(net.train(), inputs).backward()
    assert any(value.grad is not None for value in net.parameters())


@use
def it_runs_in_channels_last(net, inputs):
    expected = net(*inputs)
    other = net.to(memory_format=torch.channels_last)
    last = torch.channels_last
    same(other(*(x.to(memory_format=last) if x.dim() == 4 else x for x in inputs)), expected)


# ---------------------------------------------------------------------- training


@use
def modes_switch(net, inputs):
    assert all(module.training for module in net.train().modules())
    assert not any(module.training for module in net.eval().modules())


@use
def it_is_trained(net, inputs):
    optimiser = torch.optim.SGD(net.train().parameters(), lr=1e-3, momentum=0.9)
    before = parameters_to_vector(net.parameters()).detach().clone()
    for _ in range(2):
        optimiser.zero_grad(set_to_none=True)
        loss(net, inputs).backward()
        clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
    after = parameters_to_vector(net.parameters())
    assert after.isfinite().all()
    assert not torch.equal(before, after)


@use
def weight_decay_has_groups(net, inputs):
    decayed = [value for value in net.parameters() if value.dim() > 1]
    others = [value for value in net.parameters() if value.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1e-3)
    loss(net.train(), inputs).backward()
    optimiser.step()


@use
def gradients_accumulate(net, inputs):
    net.requires_grad_(True)
    loss(net, inputs).backward()
    once = [None if v.grad is None else v.grad.clone() for v in net.parameters()]
    loss(net, inputs).backward()
    for value, grad in zip(net.parameters(), once, strict=True):
        if grad is not None:
            torch.testing.assert_close(value.grad, 2 * grad, rtol=1e-3, atol=1e-5)


@use
def it_is_frozen(net, inputs):
    net.requires_grad_(False)
    last = list(net.parameters())[-1].requires_grad_(True)
    loss(net.train(), inputs).backward()  # it may be in a head that only training has
    assert sum(value.grad is not None for value in net.parameters()) <= 1
    assert last.requires_grad


@use
def it_is_checkpointed(net, inputs):
    given = cast(inputs, torch.float32)
    found = checkpoint(net, *given, use_reentrant=False)
    sum(x.mean() for x in floats(found)).backward()
    assert any(value.grad is not None for value in net.parameters())


@use
def its_weights_are_averaged(net, inputs):
    averaged = torch.optim.swa_utils.AveragedModel(net)
    averaged.update_parameters(net)
    same(averaged.eval()(*inputs), net(*inputs))


@use
def its_weights_are_averaged_exponentially(net, inputs):
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(0.5)
    averaged = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=average, use_buffers=True)
    averaged.update_parameters(net)
    averaged.update_parameters(net)
    same(averaged.eval()(*inputs), net(*inputs))


@use
def it_is_distributed(net, inputs):
    with one_process():
        other = nn.parallel.DistributedDataParallel(net.train(), find_unused_parameters=True)
        loss(other, inputs).backward()
        assert any(value.grad is not None for value in net.parameters())


@use
def it_is_sharded(net, inputs):
    expected = net(*inputs)
    tied = len([*net.parameters()]) < len([*net.named_parameters(remove_duplicate=False)])
    with one_process():
        for module in net.children():
            is_called = not isinstance(module, nn.ModuleList | nn.ModuleDict)
            if [*module.parameters()] and is_called and not tied:
                fully_shard(module)
        fully_shard(net)
        with torch.no_grad():
            same(net(*inputs), expected)


@use
def it_runs_in_threads(net, inputs):
    expected = net(*inputs)
    with torch.inference_mode(), ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: net(*inputs), range(4)):
            same(found, expected)


@use
def it_is_data_parallel(net, inputs):
    same(nn.DataParallel(net)(*inputs), net(*inputs))


@use
def it_is_initialised_by_apply(net, inputs):
    def ones(module):
        if isinstance(module, LAYERS):
            nn.init.constant_(module.weight, 0.5)

    net.apply(ones)
    found = parts(net, LAYERS)
    assert all((module.weight == 0.5).all() for module in found)


# ---------------------------------------------------------------------- parts


@use
def every_name_leads_to_its_part(net, inputs):
    for name, module in net.named_modules():
        assert net.get_submodule(name) is module
    for name, value in net.named_parameters():
        assert net.get_parameter(name) is value
    for name, value in net.named_buffers():
        assert net.get_buffer(name) is value


@use
def hooks_see_every_layer(net, inputs):
    seen = set()
    layers = [m for m in net.modules() if not [*m.children()] and [*m.parameters(recurse=False)]]
    for module in layers:
        module.register_forward_hook(lambda module, *_: seen.add(module))
        module.register_forward_pre_hook(lambda module, _: seen.add(module))
    net(*inputs)
    assert seen


@use
def backward_hooks_are_called(net, inputs):
    seen = []
    for module in net.modules():
        if not [*module.children()] and [*module.parameters(recurse=False)]:
            module.register_full_backward_hook(lambda module, *_: seen.append(module))
    loss(net, inputs).backward()
    assert seen


@use
def gradients_of_activations_are_seen(net, inputs):
    seen = []

    def watch(module, _, output):
        for x in floats(output):
            if x.requires_grad:
                x.register_hook(lambda grad: seen.append(grad.shape))

    for module in net.modules():
        module.register_forward_hook(watch)
    loss(net, inputs).backward()
    assert seen


@use
def a_layer_is_replaced(net, inputs):
    name, old = [(n, m) for n, m in net.named_modules() if isinstance(m, LAYERS)][-1]
    new = copy.deepcopy(old)
    nn.init.zeros_(new.weight)
    net.set_submodule(name, new)
    assert net.get_submodule(name) is new
    net(*inputs)


@use
def layers_are_pruned(net, inputs):
    for module in parts(net, LAYERS):
        prune.l1_unstructured(module, "weight", 0.3)
    net(*inputs)
    for module in parts(net, LAYERS):
        prune.remove(module, "weight")


@use
def layers_are_parametrised(net, inputs):
    class Twice(nn.Module):
        def forward(self, x):
            return 2 * x

    for module in parts(net, LAYERS):
        parametrize.register_parametrization(module, "weight", Twice())
    loss(net, inputs).backward()


@use
def norms_of_weights_are_added(net, inputs):
    expected = net(*inputs)
    for module in parts(net, LAYERS):
        nn.utils.parametrizations.weight_norm(module)
    same(net(*inputs), expected)


@use
def spectral_norms_are_added(net, inputs):
    for module in parts(net, LAYERS):
        nn.utils.parametrizations.spectral_norm(module)
    net(*inputs)


@use
def it_is_quantised(net, inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, torch.qint8)
        small(*inputs)


@use
def operations_are_counted(net, inputs):
    with FlopCounterMode(display=False) as counter:
        net(*inputs)
    assert counter.get_total_flops() > 0


@use
def it_is_profiled(net, inputs):
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as found:
        net(*inputs)
    assert found.key_averages()


@use
def it_shows_itself(net, inputs):
    assert type(net).__name__ in repr(net)


# ---------------------------------------------------------------------- functions


@use
def it_is_called_with_other_weights(net, inputs):
    with torch.device("meta"):
        bare = type(net)().eval()
    state = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    same(functional_call(bare, state, inputs), net(*inputs))


@use
def an_ensemble_is_one_call(net, inputs):
    members = [net, copy.deepcopy(net)]
    weights, buffers = stack_module_state(members)

    def one(weights, buffers):
        return floats(functional_call(net, (weights, buffers), inputs))[0]

    with torch.no_grad():
        found = vmap(one, randomness="same")(weights, buffers)
    same(found[0], floats(net(*inputs))[0])


@use
def gradients_are_taken_per_sample(net, inputs):
    weights = {k: v.detach() for k, v in net.named_parameters()}
    name = list(weights)[-1]

    def one(value):
        return floats(functional_call(net, {**weights, name: value}, inputs))[0].mean()

    assert jacrev(one)(weights[name]).shape == weights[name].shape


# ---------------------------------------------------------------------- graphs


@use
def it_is_compiled(net, inputs):
    torch._dynamo.reset()
    expected = net(*inputs)
    with torch.no_grad(), torch._dynamo.config.patch(allow_rnn=True):
        same(torch.compile(net, fullgraph=True, backend="aot_eager")(*inputs), expected)


@use
def it_is_exported(net, inputs):
    same(torch.export.export(net, inputs).module()(*inputs), net(*inputs))


@use
def it_is_scripted(net, inputs):
    same(script(net)(*inputs), net(*inputs))


@use
def it_is_traced(net, inputs):
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        same(torch.jit.trace(net, inputs, strict=False)(*inputs), net(*inputs))


@use
def it_is_recorded(net, inputs):
    same(torch.fx.symbolic_trace(net)(*inputs), net(*inputs))


@use
def it_has_the_methods_of_timm(net, inputs):
    with contextlib.suppress(TypeError, ValueError):  # the last layer is not linear
        net = with_timm_methods(net)
    same(pickle.loads(pickle.dumps(net))(*inputs), net(*inputs))


CASES = [
    pytest.param(
        name,
        network,
        marks=[pytest.mark.slow]
        * (network in SLOW or (name in EXPENSIVE and network not in QUICK)),
    )
    for name in USES
    for network in NETWORKS
]


@pytest.mark.parametrize(("name", "network"), CASES)
def test_everyday_use_works(name, network, tmp_path_factory):
    torch.manual_seed(0)
    net = kind_of(network, tmp_path_factory.getbasetemp())().eval()
    for value in net.parameters():
        value.data.add_(0.01 * torch.randn_like(value))
    inputs = net.example_inputs()
    if words := IMPOSSIBLE.get((name, network)):
        with pytest.raises((RuntimeError, ValueError), match=words):
            USES[name](net, inputs)
    else:
        USES[name](net, inputs)
