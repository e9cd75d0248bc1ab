"""Backends by entry point, and what they write."""

import warnings
from importlib.metadata import EntryPoint

import pytest
import torch

from archspec.diagnostics.model import CompileFailed
from archspec.targets import available, backend, registry

NET = "network net {\n input x: f32[B = 1, 4]\n output x -> linear(3) -> dropout(0.5)\n}"


def test_bundled():
    assert {"torch", "torchscript"} <= set(available())
    assert backend("torch").name == "torch"
    assert backend("torchscript").name == "torchscript"


def test_unknown():
    with pytest.raises(CompileFailed, match=r"E0801.*tensorflow.*`torch`"):
        backend("tensorflow")


def test_two_of_one_name_are_refused(monkeypatch):
    points = [
        EntryPoint("x", "one:BACKEND", registry.GROUP),
        EntryPoint("x", "two:BACKEND", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "_points", lambda: tuple(points))
    with pytest.raises(
        CompileFailed, match="two packages provide the target `x`: one:BACKEND and two:BACKEND"
    ):
        backend("x")


def test_failing_import_has_a_hint(monkeypatch):
    point = EntryPoint("x", "no_such_package:BACKEND", registry.GROUP)
    monkeypatch.setattr(registry, "_points", lambda: (point,))
    with pytest.raises(CompileFailed) as caught:
        backend("x")
    (found,) = caught.value.diagnostics
    assert found.code == "E0801"
    assert "no_such_package" in found.fix.message


def test_build_writes_source_and_script(network, tmp_path):
    net = network(NET)
    (source,) = backend("torch").build(net.compiled, tmp_path, 0)
    (script,) = backend("torchscript").build(net.compiled, tmp_path, 3)
    assert source.name == "net.py"
    assert script.name == "net.torchscript.pt"
    space = {"__name__": "net"}
    exec(compile(source.read_text(), str(source), "exec"), space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.jit.load(script)
    model = net.to_torch(seed=3)
    x = torch.randn(5, 4)
    torch.testing.assert_close(loaded.eval()(x), model.eval()(x))
    assert not torch.equal(loaded.train()(x), loaded.train()(x))
    assert not backend("torch").unsupported(net.compiled)


def test_source_and_script_begin_with_the_weights_of_the_seed(network, tmp_path):
    text = """
block unit { init linear.weight = orthogonal
  linear(4) -> linear(4, bias_init=normal(std=0.1)) }
network net { input x: f32[B = 1, 4]
  param p: f32[4] = normal
  output x * p -> unit -> linear(2) -> unit }
"""
    net = network(text, "net")
    (source,) = backend("torch").build(net.compiled, tmp_path, 5)
    (script,) = backend("torchscript").build(net.compiled, tmp_path, 5)
    space = {"__name__": "net"}
    exec(compile(source.read_text(), str(source), "exec"), space)
    assert "torch.manual_seed(5)" in space["__doc__"]
    torch.manual_seed(5)
    model = space["Net"]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.jit.load(script)
    live = net.to_torch(seed=5)
    for other in (loaded.state_dict(), live.state_dict()):
        assert list(other) == list(model.state_dict())
        assert all(torch.equal(value, other[key]) for key, value in model.state_dict().items())


def test_scripting_silences_only_its_own_warnings(network, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend("torchscript").build(network(NET).compiled, tmp_path, 0)
        warnings.warn("torch.jit is mine", FutureWarning, stacklevel=1)
    assert [str(one.message) for one in caught] == ["torch.jit is mine"]


def test_live_module_takes_a_named_dtype_and_weights(network):
    net = network(NET)
    model = net.to_torch(dtype="bfloat16", seed=1)
    assert next(model.parameters()).dtype is torch.bfloat16
    twin = net.to_torch(weights=net.to_torch(seed=5).state_dict())
    assert torch.equal(twin.linear.weight, net.to_torch(seed=5).linear.weight)


LARGE = (
    "network net(width: int = 60000) {\n input x: f32[B = 1, 4]\n"
    " output x -> linear(width) -> linear(200000)\n}"
)


def test_weights_beyond_the_budget_are_refused_at_once_and_the_source_is_written(network, tmp_path):
    net = network(LARGE)
    for attempt in (lambda: net.build(tmp_path), net.to_torch):
        with pytest.raises(CompileFailed, match=r"E0520.*12,000,500,000 elements; at most 10,000"):
            attempt()
    with pytest.raises(CompileFailed):
        net.build(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["net.arch"]
    assert tmp_path / "net.py" in net.build(tmp_path, targets=["torch"])
    assert sum(p.numel() for p in net.to_torch(device="meta").parameters()) == net.parameters


def test_too_little_memory_is_said_in_words(network, tmp_path, monkeypatch):
    def build(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate ..")

    monkeypatch.setattr(type(backend("torchscript")), "build", build)
    with pytest.raises(CompileFailed, match=r"E0520.*too little memory for the weights of `net`"):
        network(NET).build(tmp_path)
