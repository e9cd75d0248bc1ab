"""The generated modules run, train, and compute the same in TorchScript."""

import copy

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archspec.analysis.cost import inputs_of
from archspec.network import Network
from archspec.shipped import folder
from archspec.types.tensor import TensorType
from archspec_torchscript.script import to_torchscript
from tests.specs.compiled import shipped
from tests.specs.families import NAMES, family, options

BATCH = 2
TORCH_NAMES = {"i64": "int64", "i32": "int32", "bool": "bool", "c64": "complex64"}


def test_every_spec_runs():
    assert set(NAMES) == {path.stem for path in folder().glob("*.arch")}


SLOW = {name for name in NAMES if family(name)["run"].get("slow")}

SKIPPING = {run["network"] for run in (family(name)["run"] for name in NAMES) if run.get("skips")}


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NAMES],
    scope="module",
)
def case(request):
    run = family(request.param)["run"]
    network = shipped(run["network"], **options(run))
    return network, network.to_torch(seed=1), sizes(network, run)


def sizes(network: Network, run: dict) -> dict[str, int]:
    """The sizes in the family's file; widths a little larger than heights if both are free."""
    if "sizes" in run:
        found = {"B": BATCH, **run["sizes"]}
    else:
        size = run["size"]
        found = {"B": BATCH, "H": size, "W": size + 5}
        found = {name: found[name] for name in network.compiled.sizes}
        if not network.accepts(**found):
            found["W"] = size
    assert network.accepts(**found)
    assert network.accepts(training=True, **found)
    return found


def data(network: Network, given: dict[str, int], *, training: bool = False) -> list[torch.Tensor]:
    torch.manual_seed(2)
    inputs = inputs_of(network.compiled.training) if training else network.inputs
    return [example(kind, given) for port in inputs for kind in port.types]


def example(kind: TensorType, given: dict[str, int]) -> torch.Tensor:
    shape = [size.evaluate(given) for size in kind.shape]
    if kind.dtype.value == "f32":
        return torch.randn(shape)
    return torch.randint(0, 2, shape).to(getattr(torch, TORCH_NAMES[kind.dtype.value]))


def tensors(results):
    if isinstance(results, torch.Tensor):
        return [results]
    return [tensor for item in results for tensor in tensors(item)]


def test_shapes_in_inference_equal_inferred_ones(case):
    network, module, given = case
    with torch.inference_mode():
        found = tensors(module.eval()(*data(network, given)))
    wanted = [kind for output in network.outputs for kind in output.types]
    assert [tuple(item.shape) for item in found] == [
        tuple(size.evaluate(given) for size in kind.shape) for kind in wanted
    ]
    assert all(item.isfinite().all() for item in found)


def test_macs_agree_with_torch(case):
    network, _, given = case
    module = network.to_torch(device="meta").eval().requires_grad_(False)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(*(item.to("meta") for item in data(network, given)))
    assert counter.get_total_flops() == 2 * network.macs(**given)


def test_torchscript_agrees_in_inference(case):
    network, module, given = case
    scripted = to_torchscript(network.compiled, module=copy.deepcopy(module).eval())
    inputs = data(network, given)
    with torch.inference_mode():
        pairs = zip(tensors(module.eval()(*inputs)), tensors(scripted(*inputs)), strict=True)
    for eager, script in pairs:
        spread = float(eager.double().std())
        torch.testing.assert_close(script, eager, rtol=1e-6, atol=1e-6 * spread)


def test_folded_network_computes_the_same(case):
    network, module, given = case
    whole = copy.deepcopy(module).double().eval()
    torch.manual_seed(4)
    for name, value in whole.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        elif value.is_floating_point() and value.ndim == 1:
            value.add_(torch.randn_like(value), alpha=0.1)
    folded = network.fold().to_torch(dtype=torch.float64, weights=whole.state_dict()).eval()
    inputs = [x.double() if x.is_floating_point() else x for x in data(network, given)]
    with torch.inference_mode():
        pairs = zip(tensors(whole(*inputs)), tensors(folded(*inputs)), strict=True)
        for before, after in pairs:
            spread = float(before.double().std()) if before.numel() > 1 else 1.0
            torch.testing.assert_close(after, before, rtol=1e-7, atol=1e-7 * spread)


def test_network_trains(case):
    """Every weight that an output needs has a gradient, in the module and in TorchScript."""
    network, module, given = case
    inputs = data(network, given, training=True)
    scripted = to_torchscript(network.compiled, module=copy.deepcopy(module))
    for one in (copy.deepcopy(module), scripted):
        one.train()
        torch.manual_seed(3)
        loss = sum(item.square().mean() for item in tensors(one(*inputs)))
        loss.backward()
        learned = {name: w for name, w in one.named_parameters() if w.requires_grad}
        without = {name: w.numel() for name, w in learned.items() if w.grad is None}
        # what drop-path drops is not computed
        unused = network.report().unused_parameters
        assert sum(without.values()) == unused or network.name in SKIPPING, without
        assert all(w.grad.isfinite().all() for w in one.parameters() if w.grad is not None)
        fixed = sum(w.numel() for w in one.parameters() if not w.requires_grad)
        assert fixed == network.report().counts.fixed


@pytest.mark.parametrize("name", NAMES)
def test_network_is_drawn(name, tmp_path):
    """Collapsed, and with one level of blocks expanded, which shows more."""
    run = family(name)["run"]
    network = shipped(run["network"], **options(run))
    texts = []
    for depth in (0, 2):
        network.draw(tmp_path / f"{depth}.dot", depth=depth)
        texts.append((tmp_path / f"{depth}.dot").read_text(encoding="utf-8"))
    assert all("digraph" in text for text in texts)
    assert len(texts[1]) > len(texts[0])
    assert all(item.name in texts[1] for item in network.inputs)
