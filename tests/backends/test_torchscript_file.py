"""A TorchScript file is loaded and run before it is accepted, and is the same bytes each time."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from archspec.diagnostics.failure import CompileFailed
from archspec.graph.build import Building
from archspec.graph.compiled import Compiled
from archspec.ops.registry import all_ops
from archspec.targets.preflight import foreseen
from archspec_torchscript import check, script
from archspec_torchscript.reserved import is_unreadable
from archspec_torchscript.script import save_scripted

ROOT = Path(__file__).resolve().parents[2]

NAMES = """
    torch nn F self List Any print len inf math annotations training need Tensor i x like Net int
    NoneType OrderedDict __torch__ getattr Optional forward CONSTANTS ops aten uninitialized _0
    annotate unchecked_cast Ellipsis _c join dtype device class Union object net
    range bool isinstance hasattr
    """.split()  # noqa: SIM905  (a table)
"""Names used by generated code and by the code of an archive."""

KINDS = {
    "label": "  output x -> {0}: linear(4) -> relu -> softplus",
    "derived": "  output x -> {0} -> relu -> softplus",
    "block": "  output x -> q: {0} -> relu -> softplus",
    "param": "  param {0}: f32[4] = ones\n  h = x * {0} -> exp\n  output (h, x) -> concat(axis=1)",
    "buffer": "  buffer {0}: f32[4] = ones([4])\n  h = x * {0} -> exp\n"
    "  output (h, x) -> concat(axis=1)",
    "variable": "  {0} = x * 2 -> exp\n  z = {0} -> exp -> reshape([B, 2, 2]) -> reshape([B, 4])\n"
    "  output ({0}, x, z, {0}) -> concat(axis=1) -> sum(axis=1)",
    "output": "  output {0} = x * 2 -> exp\n  output other = x -> exp -> reshape([B, 2, 2])",
    "draw": '  output x -> [linear(4), linear(4)] -> join(drop=0.5, draw="{0}")',
    "region": "  output x -> iterate({0}: linear(4), 3) -> relu",
}


def spec(kind, name):
    block = f"block {name} {{ linear(4) -> relu }}\n" if kind in ("derived", "block") else ""
    if kind == "input":
        inner = f"  input {name}: f32[B = 1, 4]\n  h = {name} * 2 -> exp\n  output (h, {name})"
        return f"network n {{\n{inner} -> concat(axis=1) -> reshape([B, 2, 4])\n}}"
    if kind == "dim":
        inner = f"  input x: f32[{name} = 1, 4]\n  h = x -> linear(4) -> reshape([{name}, 2, 2])\n"
        inner += f"  param t: f32[1, 2, 2] = ones\n  output (h, t -> expand({name}))"
        return f"network n {{\n{inner} -> concat(axis=1)\n}}"
    text = "network n {\n  input x: f32[B = 1, 4]\n" + KINDS[kind].format(name) + "\n}"
    return block + text


def compiled(network, kind, name):
    """The network, or None if the name is reserved or a keyword."""
    try:
        return network(spec(kind, name), "n")
    except CompileFailed:
        return None


def refused(net):
    return bool(foreseen(net.compiled))


@pytest.mark.parametrize("kind", [*KINDS, "input", "dim"])
def test_no_label_shadows_names_in_the_code(network, kind, tmp_path):
    nets = {name: compiled(network, kind, name) for name in NAMES}
    nets = {name: net for name, net in nets.items() if net is not None and not refused(net)}
    assert len(nets) > 0.6 * len(NAMES)
    for name, net in nets.items():
        model, x = net.to_torch(seed=1).eval(), torch.rand(3, 4)
        path = tmp_path / f"{len(name)}{name}.pt"
        save_scripted(net.compiled, path, seed=1)
        loaded = read(path)
        torch.testing.assert_close(loaded.eval()(x), model(x), msg=name)
        loaded.train()(x)
        assert list(loaded.state_dict()) == list(model.state_dict())


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.load(path)


def test_labels_that_would_shadow_them_are_refused():
    assert all(map(is_unreadable, ["torch", "_c", "annotate", "Ellipsis", "class"]))
    assert not any(map(is_unreadable, ["nn", "F", "self", "List", "print", "inf", "Torch"]))


def test_a_file_that_does_not_run_is_refused(network, tmp_path, monkeypatch):
    """Names missing from the table are found when the file is loaded and run."""
    monkeypatch.setattr(check, "is_unreadable", lambda _: False)
    net = network(spec("param", "torch"))
    with pytest.raises(CompileFailed, match="E0824"):
        net.build(tmp_path / "out", targets="torchscript")
    assert not (tmp_path / "out").exists()


class Interrupted(TorchDispatchMode):
    """The user interrupts during the first op."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        signal.raise_signal(signal.SIGINT)
        return function(*args, **(kwargs or {}))


@pytest.fixture
def interrupted_trial(monkeypatch):
    """The user interrupts while TorchScript runs the file."""
    try_out = script.try_out

    def interrupted(*arguments):
        with Interrupted():
            try_out(*arguments)

    monkeypatch.setattr(script, "try_out", interrupted)


class Stop(RuntimeError):
    pass


def stop(number, frame):
    raise Stop


@pytest.mark.usefixtures("interrupted_trial")
@pytest.mark.parametrize(
    ("handler", "ending"), [(signal.default_int_handler, KeyboardInterrupt), (stop, Stop)]
)
def test_interrupt_during_the_trial_run_is_propagated(network, tmp_path, handler, ending):
    net = network(spec("label", "q"))
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(ending):
            net.build(tmp_path / "out", targets="torchscript")
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert [file.name for file in tmp_path.iterdir()] == ["net.arch"]


@pytest.mark.usefixtures("interrupted_trial")
def test_ignored_interrupts_do_not_stop_the_build(network, tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        network(spec("label", "q")).build(tmp_path / "out", targets="torchscript")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "out" / "n.torchscript.pt").exists()


def test_a_file_is_written_off_the_main_thread(network, tmp_path):
    net = network(spec("label", "q"))
    writer = threading.Thread(
        target=net.build, args=(tmp_path / "out",), kwargs={"targets": "torchscript"}
    )
    writer.start()
    writer.join()
    assert (tmp_path / "out" / "n.torchscript.pt").exists()


BUILD = """
from pathlib import Path
import archspec
from archspec_torchscript.script import save_scripted
save_scripted(archspec.load("googlenet").compiled, Path("googlenet.torchscript.pt"), seed=1)
"""


def test_file_does_not_depend_on_the_hash_seed(tmp_path):
    files = []
    for seed in "12":
        place = tmp_path / seed
        place.mkdir()
        path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", BUILD], cwd=place, env=environment, check=True)
        files.append((place / "googlenet.torchscript.pt").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("name", sorted(name for name, op in all_ops().items() if not op.regions))
def test_the_file_of_each_op_is_loaded_and_run(name, tmp_path):
    """Without values, so that no decision can depend on them."""
    op = all_ops()[name]
    for example in () if op.transparent else op.examples:
        build = Building("net", "network")
        ports = [build.input(f"x{at}", kind) for at, kind in enumerate(example.input_types)]
        for at, port in enumerate(build.op(op(**example.attributes), *ports, key=name)):
            build.output(f"y{at}", port)
        save_scripted(Compiled("net", *[build.graph()] * 2), tmp_path / "net.pt")
