"""Backends found by entry point, and the files that they write."""

import ast
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from archspec import extensions, targets
from archspec.cli.main import app
from archspec.diagnostics.failure import CompileFailed
from archspec.options import Options
from archspec.targets import (
    BuildRequest,
    LiveBackend,
    Weights,
    WeightStore,
    available,
    backend,
    registry,
)
from archspec.targets.registry import live_backend, weight_store

NET = "network net {\n input x: f32[B = 1, 4]\n output x -> linear(3) -> dropout(0.5)\n}"


def test_bundled():
    assert {"torch", "torchscript"} <= set(available())
    assert backend("torch").name == "torch"
    assert backend("torchscript").name == "torchscript"


def test_unknown():
    with pytest.raises(CompileFailed, match=r"E0801.*tensorflow.*`torch`"):
        backend("tensorflow")


def test_two_targets_with_the_same_name_are_refused(monkeypatch):
    points = [
        EntryPoint("x", "one:BACKEND", registry.KIND.group),
        EntryPoint("x", "two:BACKEND", registry.KIND.group),
    ]
    monkeypatch.setattr(extensions, "entry_points", lambda **_: tuple(points))
    with pytest.raises(
        CompileFailed, match="two packages provide the target `x`: one:BACKEND and two:BACKEND"
    ):
        backend("x")


def test_failing_import_has_a_hint(monkeypatch):
    point = EntryPoint("x", "no_such_package:BACKEND", registry.KIND.group)
    monkeypatch.setattr(extensions, "entry_points", lambda **_: (point,))
    with pytest.raises(CompileFailed) as caught:
        backend("x")
    (found,) = caught.value.diagnostics
    assert found.code == "E0801"
    assert "no_such_package" in found.fix.message


def test_build_writes_source_and_script(network, tmp_path):
    net = network(NET)
    (source,) = backend("torch").build(BuildRequest(net.compiled, tmp_path, 0))
    (script,) = backend("torchscript").build(BuildRequest(net.compiled, tmp_path, 3))
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
    assert [*backend("torch").coverage(net.compiled)] == []


def test_source_and_script_begin_with_the_weights_of_the_seed(network, tmp_path):
    text = """
block unit { init linear.weight = orthogonal
  linear(4) -> linear(4, bias_init=normal(std=0.1)) }
network net { input x: f32[B = 1, 4]
  param p: f32[4] = normal
  output x * p -> unit -> linear(2) -> unit }
"""
    net = network(text, "net")
    (source,) = backend("torch").build(BuildRequest(net.compiled, tmp_path, 5))
    (script,) = backend("torchscript").build(BuildRequest(net.compiled, tmp_path, 5))
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
        backend("torchscript").build(BuildRequest(network(NET).compiled, tmp_path, 0))
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


NO_ROOM = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate ..")


def raising(fault):
    def fail(*_, **__):
        raise fault

    return fail


@pytest.mark.parametrize("fault", [NO_ROOM, MemoryError()])
def test_too_little_memory_is_reported_with_a_message(network, tmp_path, monkeypatch, fault):
    net = network(NET)
    monkeypatch.setattr("archspec_torch.module.instantiate", raising(fault))
    for attempt in (lambda: net.build(tmp_path), net.to_torch):
        with pytest.raises(CompileFailed, match=r"E0520.*little memory for the weights") as caught:
            attempt()
        assert "written by `--target torch`" in caught.value.diagnostics[0].fix.message


def test_other_errors_are_not_reported_as_missing_memory(network, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "archspec_torch.module.instantiate", raising(RuntimeError("no such device"))
    )
    with pytest.raises(RuntimeError, match="no such device"):
        network(NET).to_torch()


class Written:
    """A backend of another package, with options, that writes text."""

    name = "written"
    holds_weights = False

    class Options(Options):
        text: str
        times: int = 1

    options = Options

    def coverage(self, network):
        return ()

    def faults(self, network):
        return ()

    def keeps(self, name):
        return False

    def build(self, request):
        path = request.directory / f"{request.network.name}.txt"
        path.write_bytes((request.options.text * request.options.times).encode())
        return (path,)


@pytest.fixture
def written(monkeypatch):
    """Register the backend as if it were installed."""
    value = f"{__name__}:Written"
    monkeypatch.setitem(registry.BUNDLED, "written", value)
    load = EntryPoint.load
    monkeypatch.setattr(
        EntryPoint, "load", lambda point: Written() if point.value == value else load(point)
    )


def refused(net, folder, targets):
    with pytest.raises(CompileFailed) as failure:
        net.build(folder, targets)
    return [(item.code, item.message) for item in failure.value.diagnostics]


def test_options_reach_the_backend(written, network, tmp_path):
    net = network(NET)
    net.build(tmp_path / "a", {"written": {"text": "ab", "times": "2"}})
    assert (tmp_path / "a" / "net.txt").read_text() == "abab"
    command = ["build", str(tmp_path / "net.arch"), "-o", str(tmp_path / "b")]
    done = CliRunner().invoke(app, [*command, "--target", 'written{text="c", times=3}'])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "b" / "net.txt").read_text() == "ccc"


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("torch", {"x": 1}, "the target `torch` has no option `x`; it has none"),
        ("torchscript", {"x": 1}, "the target `torchscript` has no option `x`; it has none"),
        ("written", {}, "the target `written` needs `text`"),
        (
            "written",
            {"text": "a", "time": 2},
            "the target `written` has no option `time`; its options are `text`, `times`",
        ),
        (
            "written",
            {"text": "a", "times": "b"},
            "the option `times` of the target `written` should be a valid integer, but it is 'b'",
        ),
    ],
)
def test_invalid_options_are_refused_before_anything_is_written(
    written, network, tmp_path, target, options, message
):
    net = network(NET)
    assert refused(net, tmp_path / "out", {target: options}) == [("E0801", message)]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["coverage", "build"])
def test_exceptions_in_third_party_targets_are_reported_as_theirs(
    network, tmp_path, monkeypatch, method
):
    point = EntryPoint("written", "package_of_others:BACKEND", registry.KIND.group)
    other = Written()
    setattr(other, method, raising(ValueError("oops")))
    found = extensions.entry_points
    monkeypatch.setattr(
        extensions, "entry_points", lambda **which: (point,) if "name" in which else found(**which)
    )
    monkeypatch.setattr(EntryPoint, "load", lambda _: other)
    message = "the target `written` (package_of_others:BACKEND) failed: ValueError: oops"
    assert refused(network(NET), tmp_path / "out", {"written": {"text": "a"}}) == [
        ("E0801", message)
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["torch{x=1}"], "error[E0801]: the target `torch` has no option `x`; it has none"),
        (["torch{1}"], "error: --target torch{1}: `1` is not option=value"),
        (["torch{"], "error: --target torch{: write it as name{option=value}"),
        (["written{text=a}", "written{text=b}"], "`written` is already given with other options"),
    ],
)
def test_malformed_target_is_wrong_usage(written, network, tmp_path, texts, message):
    network(NET)
    command = ["build", str(tmp_path / "net.arch"), "-o", str(tmp_path / "out")]
    command += [word for text in texts for word in ("--target", text)]
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, message in done.output) == (2, True), done.output
    assert not (tmp_path / "out").exists()


def test_options_must_be_a_mapping(network, tmp_path):
    with pytest.raises(TypeError, match="the options of torch must be a mapping, not None"):
        network(NET).build(tmp_path / "out", {"torch": None})


def test_weights_may_be_arrays_of_another_library(network, tmp_path):
    net = network(NET)
    state = net.to_torch(seed=5).state_dict()
    weights = Weights({name: value.numpy() for name, value in state.items()}, "arrays")
    written = net.build(tmp_path / "out", "torch", weights=weights)
    saved = torch.load(next(path for path in written if path.suffix == ".pt"))
    for found in (net.to_torch(weights=weights).state_dict(), saved):
        assert all(torch.equal(found[name], value) for name, value in state.items())


def test_third_party_backend_reads_weights_without_ours(monkeypatch):
    def load(point):
        if point.name == "torch":
            raise ImportError("no module named archspec_torch")
        return backend_of_others if point.name == "zzz" else Written()

    backend_of_others = backend("torch")
    monkeypatch.setitem(registry.BUNDLED, "zzz", "others:BACKEND")
    monkeypatch.setattr(EntryPoint, "load", load)
    assert weight_store() is live_backend() is backend_of_others
    monkeypatch.delitem(registry.BUNDLED, "zzz")
    with pytest.raises(CompileFailed, match=r"E0801.*`torch` cannot be loaded: no module"):
        weight_store()
    monkeypatch.delitem(registry.BUNDLED, "torch")
    monkeypatch.setattr(extensions, "entry_points", lambda **_: ())
    with pytest.raises(
        CompileFailed, match="every target that is installed cannot create modules in this process"
    ):
        live_backend()


def test_abilities_of_backends_follow_from_their_protocols():
    assert weight_store() is live_backend() is backend("torch")
    assert not isinstance(backend("torchscript"), WeightStore | LiveBackend)
    with pytest.raises(CompileFailed, match=r"E0801.*the target `torchscript` cannot read weights"):
        weight_store("torchscript")
    with pytest.raises(
        CompileFailed, match=r"E0801.*`torchscript` cannot create modules in this process"
    ):
        live_backend("torchscript")


@pytest.mark.parametrize("path", sorted(Path(targets.__file__).parent.glob("*.py")), ids=str)
def test_target_interfaces_do_not_use_any(path):
    words = {node.id for node in ast.walk(ast.parse(path.read_text())) if hasattr(node, "id")}
    assert "Any" not in words
