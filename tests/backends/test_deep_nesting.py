"""Deeply nested networks, and very wide ones, are built within Python's limits."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec.targets.preflight import foreseen
from archspec_torch.checks.depth import DEEPEST_PART, parts_inside
from archspec_torch.source import python_source
from archspec_torchscript import script
from archspec_torchscript.script import is_bounded, save_scripted, to_torchscript

HEAD = "network net {\n  input x: f32[B = 1, 4, H = 8, W = 8]\n  output x -> "


def net(layer: str, *head: str) -> Network:
    return Network(load_network(Source("deep.arch", "\n".join((*head, HEAD + layer + "\n}\n"))))[0])


def chain(depth: int) -> Network:
    """Convolutions in labelled scopes that are sequences."""
    rules = ("(0) => conv(4, 1)", "(n) => a: (conv(4, 1) -> f(n - 1))")
    return net(f"f({depth})", *(f"inline rule f{rule}" for rule in rules))


def branches(depth: int) -> Network:
    """The same in scopes that are not sequences."""
    rules = ("(0) => conv(4, 1)", "(n) => a: ([conv(4, 1), f(n - 1)] -> add)")
    return net(f"f({depth})", *(f"inline rule f{rule}" for rule in rules))


def require_agreement(network: Network, script: bool = True) -> None:
    """The module has the parameters and shape that the front end infers, also in TorchScript."""
    module = network.to_torch().eval()
    assert sum(item.numel() for item in module.parameters()) == network.parameters
    x = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        y = module(x)
        (kind,) = network.outputs[0].types
        assert list(y.shape) == [size.evaluate({"B": 2, "H": 8, "W": 8}) for size in kind.shape]
        if script:
            file = io.BytesIO()
            torch.jit.save(to_torchscript(network.compiled, module=module), file)
            file.seek(0)
            torch.testing.assert_close(torch.jit.load(file)(x), y)


@pytest.mark.parametrize("depth", [59, 99])
@pytest.mark.parametrize("make", [chain, branches])
def test_labelled_scopes(make: Callable[[int], Network], depth: int) -> None:
    require_agreement(make(depth))


def test_a_label_of_many_components() -> None:
    network = net('"' + ".".join(["a"] * 90) + '": conv(4, 1)')
    require_agreement(network)
    assert next(iter(network.to_torch(device="meta").state_dict())) == "a." * 90 + "weight"


def test_deep_containers_are_created_first() -> None:
    text, _ = python_source(chain(59).compiled)
    assert "part_1 = nn.Sequential(" in text
    assert max(len(line) - len(line.lstrip()) for line in text.splitlines()) < 200


def test_arguments_and_containers_have_different_names() -> None:
    rules = ("(0) => conv(4, part_1)", "(n) => a: (conv(4, 1) -> f(n - 1, part_1))")
    head = [
        f"inline rule f{rule.replace('(0)', '(0, part_1)', 1).replace('(n)', '(n, part_1)', 1)}"
        for rule in rules
    ]
    block = "block b(part_1: int) { f(30, part_1) }"
    require_agreement(net("b(3) -> b(5)", *head, block))


@pytest.mark.parametrize("op", ["add", "mul", "maximum", "minimum", "join"])
def test_many_operands(op: str) -> None:
    require_agreement(net(f"[leaky_relu(0.001 * i) for i in 0..320] -> {op}"))


def test_a_sum_of_thousands() -> None:
    require_agreement(net("[conv(4, 1) for i in 0..4500] -> add"), script=False)


def blocks(depth: int) -> Network:
    """The same in blocks, each of which is a class."""
    rules = ("(0) => conv(4, 1, parametrization=spectral_norm)", "(n) => inner: f(n - 1)")
    return net(f"f({depth})", *(f"rule f{rule}" for rule in rules))


def regions(depth: int) -> Network:
    """The same in bodies of ops, each of which is two modules."""
    rules = ("(0) => conv(4, 1)", "(n) => iterate(f(n - 1), steps=1)")
    return net(f"f({depth // 2})", *(f"inline rule f{rule}" for rule in rules))


DEEPEST = {chain: DEEPEST_PART - 1, branches: DEEPEST_PART - 1, blocks: DEEPEST_PART - 2}
DEEPEST[regions] = DEEPEST_PART - 1


def _inside(calls: int, act: Callable[[], object]) -> object:
    """Call `act` with the given number of additional frames on the stack."""
    return act() if calls == 0 else _inside(calls - 1, act)


def _read_again(module: torch.nn.Module) -> torch.nn.Module:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    found: torch.nn.Module = torch.load(file, weights_only=False)
    return found


@pytest.mark.parametrize("make", DEEPEST)
def test_deepest_module_can_be_copied_saved_and_moved(make: Callable[[int], Network]) -> None:
    network = make(DEEPEST[make])
    levels, _ = parts_inside(network.compiled.inference)
    assert levels in (DEEPEST_PART - 1, DEEPEST_PART)
    module, x = network.to_torch().eval(), torch.randn(1, 4, 8, 8)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    y = module(x)
    copies: tuple[Callable[[], torch.nn.Module], ...] = (
        lambda: copy.deepcopy(module),
        lambda: pickle.loads(pickle.dumps(module)),
        lambda: _read_again(module),
    )
    for made in copies:
        twin = _inside(150, made)
        assert isinstance(twin, torch.nn.Module)
        assert list(twin.state_dict()) == list(before)
        assert all(torch.equal(value, before[key]) for key, value in twin.state_dict().items())
        torch.testing.assert_close(twin(x), y)
    assert repr(module).count("\n") > levels
    module.load_state_dict(before)
    moved = module.to(torch.float64).train().requires_grad_(True)
    moved(x.double()).sum().backward()
    assert all(item.grad is not None for item in moved.parameters())


@pytest.mark.parametrize("make", DEEPEST)
def test_too_deep_nesting_is_refused(make: Callable[[int], Network]) -> None:
    with pytest.raises(CompileFailed) as failure:
        make(DEEPEST[make] + 2).to_torch(device="meta")
    assert [item.code for item in failure.value.diagnostics] == ["E0825"]


def test_numeric_names_out_of_order() -> None:
    """The initialiser of a layer depends on its name, not on its position."""
    parts = '"1": conv(4, 1, weight_init=zeros) -> "0": conv(4, 3, weight_init=ones)'
    module = net(f"a: ({parts})").to_torch()
    assert not module.state_dict()["a.1.weight"].any()
    assert (module.state_dict()["a.0.weight"] == 1).all()


def test_large_numeric_labels_do_not_create_modules() -> None:
    network = net('"a.999999999": conv(4, 1)')
    assert len(list(network.to_torch(device="meta").modules())) == 3
    require_agreement(network)


@pytest.mark.parametrize(
    "step",
    [
        "[conv(4, 1), conv(4, 1) -> f(n - 1)] -> join(drop=0.15)",
        'residual(conv(4, 1) -> f(n - 1) -> drop_path(0.1, mode="batch"))',
    ],
)
def test_conditions_that_use_conditions(step: str) -> None:
    """Nested drops: the variables of conditions are defined before they are used."""
    module = net("f(30)", "inline rule f(0) => relu", f"inline rule f(n) => {step}").to_torch()
    for seed in range(20):
        torch.manual_seed(seed)
        module.train()(torch.randn(1, 4, 8, 8, requires_grad=True)).sum().backward()


@pytest.mark.parametrize(
    "layer", ["iterate(conv(4, 3), steps=10**18)", "resize((10**9, 10**9)) -> relu"]
)
def test_networks_without_bounded_time_are_not_run(layer: str, tmp_path: Path) -> None:
    network = net(layer).compiled
    assert not is_bounded(network)
    save_scripted(network, tmp_path / "net.pt")
    assert (tmp_path / "net.pt").stat().st_size


GROWING = "{ input v: [_, _, h, w]\n output v -> pad([(2, h, h), (3, w, w)]) }"


@pytest.mark.parametrize(
    ("layer", "count", "codes"),
    [(GROWING, 100, ["E0824"]), (GROWING, 30, []), ("upsample(2)", 70, [])],
)
def test_numbers_beyond_64_bits_are_reported_in_advance(
    layer: str, count: int, codes: list[str]
) -> None:
    """Sizes may exceed them, unless TorchScript has to compute with these sizes."""
    network = net(f"for i in 0..{count} {{ {layer} }}").compiled
    found = foreseen(network)
    assert [item.code for item in found] == codes
    if not codes:
        assert to_torchscript(network) is not None
        return
    assert found[0].primary is not None
    assert found[0].primary.span.text.startswith("pad(")
    with pytest.raises(CompileFailed, match="does not fit in TorchScript's 64 bits"):
        to_torchscript(network)


def test_modules_that_torchscript_cannot_compile_are_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script, "require_loadable", lambda _: None)
    with pytest.raises(CompileFailed, match="TorchScript does not compile") as failure:
        to_torchscript(net(f"for i in 0..100 {GROWING}").compiled)
    assert [item.code for item in failure.value.diagnostics] == ["E0824"]
