"""Weights from files: formats, matching, rejection, and the messages."""

import argparse
import os
import struct
import subprocess
import sys
import warnings
import zipfile

import pytest
import torch
from safetensors.torch import save_file

import archspec
from archspec.diagnostics.failure import CompileFailed
from archspec_torch.weights.checkpoint import stored
from archspec_torch.weights.fit import fit
from tests.specs.compiled import shipped

NET = """
block unit(width: int) { conv(width, 3, bias=false) -> bn: batch_norm -> relu }
network net(classes: int = 4) {
  input x: f32[B = 1, 3, H = 8, W = 8]
  buffer grid: i64[3] = arange(3)
  output x -> stem: unit(4) -> global_avg_pool -> fc: linear(classes)
}
"""


@pytest.fixture
def net(network):
    return network(NET)


@pytest.fixture
def state(net):
    return net.to_torch(seed=7).state_dict()


def refused(action, *arguments, **options):
    with pytest.raises(CompileFailed) as failure:
        action(*arguments, **options)
    (item,) = failure.value.diagnostics
    return item


def same(module, state, dtype=torch.float32):
    found = module.state_dict()
    assert list(found) == list(state)
    for name, value in state.items():
        wanted = value.to(dtype) if value.is_floating_point() else value
        assert torch.equal(found[name].cpu(), wanted), name


def write(state, path):
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=path.suffix != ".old")
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".pth.tar", ".old"])
@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["text", "path"])
def test_every_format_is_loaded(net, state, tmp_path, suffix, kind):
    path = write(state, tmp_path / f"w{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(net.to_torch(weights=kind(path)), state)


def test_formats_are_detected_by_content(net, state, tmp_path):
    path = write(state, tmp_path / "w.safetensors").rename(tmp_path / "w.bin")
    same(net.to_torch(weights=path), state)


def test_weights_are_converted_to_the_dtype_of_the_module(net, state, tmp_path):
    half = {name: t.half() if t.is_floating_point() else t.int() for name, t in state.items()}
    path = write(half, tmp_path / "w.safetensors")
    assert net.to_torch(weights=path).fc.weight.dtype is torch.float32
    module = net.to_torch(weights=path, dtype="bfloat16")
    assert module.fc.weight.dtype is torch.bfloat16
    assert module.grid.dtype is torch.int64
    assert torch.equal(module.fc.bias, state["fc.bias"].half().bfloat16())


def test_only_names_and_shapes_are_checked_on_meta(net, state, tmp_path):
    path = write(state, tmp_path / "w.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert net.to_torch(device="meta", weights=path).fc.weight.is_meta
        net.to_torch(device=torch.device("meta"), weights=net.to_torch("meta").state_dict())
    del state["fc.bias"]
    assert refused(net.to_torch, device="meta", weights=state).code == "E0842"


def test_loading_weights_does_not_use_the_random_generator(net, state, tmp_path):
    path = write(state, tmp_path / "w.pth")
    torch.manual_seed(1)
    first = torch.rand(2)
    torch.manual_seed(1)
    same(net.to_torch(weights=path, seed=3), state)
    assert torch.equal(torch.rand(2), first)


# ----------------------------------------------------------------- prefixes that are removed


@pytest.mark.parametrize("entry", ["state_dict", "model", "anything"])
def test_an_entry_is_used_and_reported(net, state, tmp_path, entry):
    wrapped = {entry: state, "epoch": 3, "optimizer": {"state": {0: {"step": 1}}, "groups": []}}
    path = write(wrapped, tmp_path / "w.pth")
    with pytest.warns(UserWarning, match=f"net are from w.pth, entry `{entry}`$") as caught:
        same(net.to_torch(weights=path), state)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("prefix", ["module.", "module._orig_mod.", "model."])
def test_prefix_is_removed_if_the_rest_matches(net, state, prefix):
    given = {prefix + name: value for name, value in state.items()}
    with pytest.warns(UserWarning, match=f"names without `{prefix}`"):
        same(net.to_torch(weights=given), state)
    item = refused(net.to_torch, weights={**given, f"{prefix}more": torch.ones(2)})
    assert item.message == "weights do not fit `net`: 1 unexpected"
    assert item.notes == (
        f"the weights are from a state dict, names without `{prefix}`",
        "unexpected: `more` [2]",
    )


def test_prefix_of_the_network_itself_is_kept(network):
    text = "network net {\n input x: f32[B = 1, 4]\n output x -> module: (linear(3) -> relu)\n}"
    net = network(text)
    state = net.to_torch(seed=2).state_dict()
    assert {name.partition(".")[0] for name in state} == {"module"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(net.to_torch(weights=state), state)


def test_only_a_unique_matching_entry_is_used(net, state, tmp_path):
    other = {name: torch.zeros_like(value) for name, value in state.items()}
    with pytest.warns(UserWarning, match="entry `model`"):
        same(net.to_torch(weights={"other": {"a": torch.ones(2)}, "model": state}), state)
    path = write({"teacher": other, "student": state}, tmp_path / "w.pth")
    item = refused(net.to_torch, weights=path)
    assert (item.code, item.message) == (
        "E0841",
        "w.pth should hold one state dict, tensors by name, but holds several: `teacher`, "
        "`student`",
    )


def test_counters_must_be_all_present_or_all_absent(network):
    net = network(
        "network net {\n input x: f32[B = 1, 4]\n output x -> batch_norm -> batch_norm\n}"
    )
    state = net.to_torch().state_dict()
    del state["batch_norm.num_batches_tracked"]
    assert refused(net.to_torch, weights=state).message.endswith(": 1 missing")


def test_counters_missing_in_old_files_start_at_zero(net, state, tmp_path):
    del state["stem.bn.num_batches_tracked"]
    path = write(state, tmp_path / "w.safetensors")
    assert net.to_torch(weights=path).stem.bn.num_batches_tracked == 0
    files = net.build(tmp_path / "out", targets="torch", weights=path)
    again = torch.load(files[-1], weights_only=True)
    net.to_torch().load_state_dict(again, strict=True)


# ----------------------------------------------------------------- mismatches


def test_mismatches_are_counted_and_named(net, state):
    given = dict(state)
    given["head.weight"] = given.pop("fc.weight")
    given["head.bias"] = given.pop("fc.bias")
    given["stem.conv.weight"] = torch.zeros(4, 1, 3, 3)
    given["stem.bn.running_var"] = torch.ones(4, dtype=torch.int64)
    given["grid"] = torch.ones(3)
    given["stem.bn.bias"] = torch.zeros(4, device="meta")
    item = refused(net.to_torch, weights=given)
    assert item.code == "E0842"
    assert item.message == (
        "weights do not fit `net`: 2 missing, 2 unexpected, 1 of another shape, 3 of another kind"
    )
    assert item.primary.span.line == 3
    assert item.notes == (
        "the weights are from a state dict",
        "missing: `fc.weight` [4, 4], `fc.bias` [4]",
        "unexpected: `head.weight` [4, 4], `head.bias` [4]",
        "of another shape: `stem.conv.weight` is [4, 1, 3, 3], not [4, 3, 3, 3]",
        "of another kind: `grid` is floating, not integer, `stem.bn.bias` is without values, not "
        "floating, `stem.bn.running_var` is integer, not floating",
    )
    assert item.fix.message == (
        "did you mean `head.weight` for `fc.weight`, `head.bias` for `fc.bias`?"
    )


def test_weights_that_fit_in_part_have_advice(net, state):
    first = next(iter(state))
    partial = {name: value for name, value in state.items() if name != first}
    assert "strict=False" in refused(net.to_torch, weights=partial).fix.message
    surplus = {**state, "extra.weight": torch.zeros(2)}
    assert "--ignore 'extra.*'" in refused(net.to_torch, weights=surplus).fix.message


def test_long_lists_and_names_are_truncated(net, state):
    given = {f"{'x' * 500}{index}": torch.ones(1) for index in range(20)}
    item = refused(net.to_torch, weights=given)
    assert item.message == "weights do not fit `net`: 8 missing, 20 unexpected"
    assert item.notes[1].endswith(" and 5 more")
    assert item.notes[2].endswith(" and 17 more")
    assert all(len(note) < 1000 for note in item.notes)


def test_names_cannot_write_to_the_terminal(net, state):
    item = refused(net.to_torch, weights={**state, "a\x1b[31m": torch.ones(1)})
    assert "\x1b" not in str(CompileFailed([item]))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (torch.eye(4).to_sparse(), "sparse"),
        (torch.eye(4) * 1j, "complex"),
        (torch.eye(4) > 0, "bool"),
    ],
)
def test_kinds(net, state, value, kind):
    item = refused(net.to_torch, weights={**state, "fc.weight": value})
    assert item.notes[1] == f"of another kind: `fc.weight` is {kind}, not floating"


def test_non_tensor_values(net, state):
    item = refused(net.to_torch, weights={**state, "fc.bias": [0.0] * 4, "epoch": 3})
    assert item.message.endswith("1 unexpected, 1 of another shape")
    assert item.notes[1:] == (
        "unexpected: `epoch` no tensor",
        "of another shape: `fc.bias` is no tensor, not [4]",
    )


# ----------------------------------------------------------------- unreadable files


class Runs:
    def __reduce__(self):
        return os.system, ("touch ran",)


def test_code_is_never_run(net, state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, use_zip in (("new.pth", True), ("old.pth", False)):
        torch.save({"state_dict": state, "x": Runs()}, name, _use_new_zipfile_serialization=use_zip)
        item = refused(net.to_torch, weights=name)
        assert item.code == "E0841"
        assert item.message.startswith(f"{name} contains Python objects (`posix.system`)")
    torch.save({"model": state, "args": argparse.Namespace(lr=0.1)}, "args.pth")
    assert "`argparse.Namespace`" in refused(net.to_torch, weights="args.pth").message
    torch.save(torch.nn.Linear(2, 3), "module.pth")
    assert "`torch.nn.modules.linear.Linear`" in refused(net.to_torch, weights="module.pth").message
    assert not (tmp_path / "ran").exists()


def test_a_torchscript_module_is_distinguished_from_weights(net, tmp_path):
    files = net.build(tmp_path, targets="torchscript")
    item = refused(net.to_torch, weights=next(f for f in files if f.suffix == ".pt"))
    assert "is a TorchScript module" in item.message
    assert "torch.jit.load" in item.fix.message


DAMAGED = {
    "empty.pth": b"",
    "empty.safetensors": b"",
    "text.pth": b"these are not weights\n" * 9,
    "text.safetensors": b"these are not weights\n" * 9,
    "zip.pth": b"PK\x03\x04" + bytes(40),
    "pickle.pth": b"\x80\x02}q\x00.",
    "bomb.pth": b"\x80\x02" + b"(" * 100_000,
    "header.safetensors": struct.pack("<Q", 2**63) + b"{}",
    "json.safetensors": struct.pack("<Q", 9) + b'{"a": 1}}',
    "huge.safetensors": struct.pack("<Q", 66)
    + b'{"a":{"dtype":"F32","shape":[99999999999],"data_offsets":[0,4]}}  '
    + bytes(4),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(net, tmp_path, name):
    (tmp_path / name).write_bytes(DAMAGED[name])
    item = refused(net.to_torch, weights=tmp_path / name)
    assert item.code == "E0841"
    assert name in item.message


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".old"])
def test_truncated_files(net, state, tmp_path, suffix):
    path = write(state, tmp_path / f"w{suffix}")
    data = path.read_bytes()
    for part in range(1, 10):
        path.write_bytes(data[: len(data) * part // 10])
        assert refused(net.to_torch, weights=path).code == "E0841"
    assert not (tmp_path / "out").exists()


def test_compressed_data_is_not_unpacked(net, tmp_path):
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", bytes(10_000_000))
    item = refused(net.to_torch, weights=path)
    assert item.notes[0] == "the reader says: its data are compressed, which torch.save does not do"


@pytest.mark.parametrize("held", [[torch.ones(2)], torch.ones(2), {"epoch": 3}, "text", 7])
def test_files_without_a_state_dict(net, tmp_path, held):
    path = write(held, tmp_path / "w.pth")
    assert refused(net.to_torch, weights=path).code == "E0841"


def test_unreadable_files(net, tmp_path):
    pipe = tmp_path / "pipe.pth"
    os.mkfifo(pipe)
    for path in (tmp_path / "absent.pth", tmp_path, pipe, "\0.pth"):
        assert refused(net.to_torch, weights=path).code == "E0840"
    assert "No such file" in refused(net.to_torch, weights="absent.pth").message


def test_arguments_that_are_not_weights(net):
    with pytest.raises(TypeError, match="a file or a state dict, not Linear"):
        net.to_torch(weights=torch.nn.Linear(2, 3))


# ----------------------------------------------------------------- columns

FRACTAL = """
rule columns(1) => [conv(4, 3)]
rule columns(c) => [conv(4, 3), ...(columns(c - 1) -> join -> columns(c - 1))]
network fractal(c: int = 3) {
  input x: f32[B = 1, 4, H = 8, W = 8]
  output x -> columns(c) -> join
}
"""


def test_a_column_accepts_its_own_weights_and_those_of_the_whole(network, tmp_path):
    net = network(FRACTAL)
    whole = net.to_torch(seed=5).state_dict()
    column = net.extract(column=2)
    names = column.to_torch().state_dict().keys()
    assert 0 < len(names) < len(whole)
    own = {name: whole[name] for name in names}
    path = write(whole, tmp_path / "w.safetensors")
    for given in (path, whole, own):
        same(column.to_torch(weights=given), own)
    item = refused(column.to_torch, weights={**whole, "more": torch.ones(1)})
    assert item.message.endswith(": 1 unexpected")
    assert refused(net.to_torch, weights=own).message.endswith(f"{len(whole) - len(own)} missing")
    files = column.build(tmp_path / "out", weights=path)
    kept = torch.load(next(f for f in files if f.name.endswith(".weights.pt")), weights_only=True)
    assert kept.keys() == own.keys()


def test_a_column_of_a_network_too_large_to_write_out(network):
    net = network(FRACTAL, c=30)
    column = net.extract(column=1)
    state = column.to_torch(seed=5).state_dict()
    same(column.to_torch(weights=state), state)


# ----------------------------------------------------------------- build


def test_build_writes_the_weights_and_documents_their_origin(net, state, tmp_path):
    given = {"state_dict": {f"module.{name}": value for name, value in state.items()}}
    path = write(given, tmp_path / "w.pth")
    with pytest.warns(UserWarning, match="names without"):
        files = net.build(tmp_path / "a", weights=path)
    assert [file.name for file in files] == [
        "net.py",
        "net.report.md",
        "net.svg",
        "net.torchscript.pt",
        "net.weights.pt",
    ]
    origin = "w.pth, entry `state_dict`, names without `module.`"
    source = files[0].read_text()
    assert origin in source
    assert "manual_seed" not in source
    assert f"| weights | from {origin} |".replace("`", "\\`") in files[1].read_text()
    same_as = torch.load(files[4], weights_only=True)
    space = {"__name__": "net"}
    exec(compile(source, "net.py", "exec"), space)
    module = space["Net"]()
    module.load_state_dict(same_as, strict=True)
    same(module, state)
    extra = {"weights.txt": ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.load(files[3], _extra_files=extra)
    same(scripted, state)
    extra = extra["weights.txt"]
    assert (extra if isinstance(extra, str) else extra.decode()) == origin
    with pytest.warns(UserWarning, match="names without"):
        again = net.build(tmp_path / "b", weights=path)
    for one, other in zip(files[:3], again[:3], strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_unrelated_contents_of_a_file_are_not_written(net, state, tmp_path):
    large = torch.randn(1_000_000)
    state["fc.bias"] = large[:4]
    files = net.build(tmp_path, targets="torch", weights=state)
    assert files[-1].stat().st_size < 100_000


def test_nothing_is_written_if_weights_do_not_match(net, state, tmp_path):
    del state["grid"]
    assert refused(net.build, tmp_path / "out", weights=state).code == "E0842"
    assert refused(net.build, tmp_path / "out", weights=tmp_path / "no.pth").code == "E0840"
    assert not (tmp_path / "out").exists()


def test_file_name_cannot_end_the_docstring(net, state, tmp_path):
    path = write(state, tmp_path / 'a""".pth')
    source = net.build(tmp_path / "out", targets="torch", weights=path)[0].read_text()
    compile(source, "net.py", "exec")


# ----------------------------------------------------------------- memory

ANONYMOUS = """
import sys
from archspec_torch.weights.checkpoint import stored
def held():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
import torch, safetensors.torch
before = held()
given = stored(sys.argv[1])
assert sum(float(t.sum()) for t in given.tensors.values()) == 0
print(held() - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_files_are_mapped_not_read(tmp_path, suffix):
    path = write({f"p{i}": torch.zeros(1000, 1000) for i in range(16)}, tmp_path / f"w{suffix}")
    done = subprocess.run(
        [sys.executable, "-c", ANONYMOUS, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20_000  # kB; the file is 64,000 kB


# ----------------------------------------------------------------- shipped networks


@pytest.mark.parametrize("name", ["inception_v3", "vit_b_16", "densenet121", "swin_t", "unet"])
def test_expected_names_are_those_of_the_module(name):
    """Also with training-only heads, counters, buffers and position tables."""
    net = shipped(name)
    state = net.to_torch(device="meta").state_dict()
    found = fit(net.compiled, stored(state), None, names_only=True)
    assert found.tensors.keys() == state.keys()


@pytest.mark.live
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_torchvision_weights_round_trip(tmp_path, suffix):
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    reference = torchvision.models.resnet18(weights=None).eval()
    path = write(reference.state_dict(), tmp_path / f"resnet18{suffix}")
    module = archspec.load("resnet18").to_torch(weights=path).eval()
    image = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(module(image), reference(image))
    back = torchvision.models.resnet18(weights=None)
    back.load_state_dict(module.state_dict(), strict=True)
    item = refused(archspec.load("resnet34").to_torch, weights=path)
    assert item.message == "weights do not fit `resnet34`: 96 missing"
    item = refused(archspec.load("resnet18", classes=10).to_torch, weights=path)
    assert item.notes[1] == (
        "of another shape: `fc.weight` is [1000, 512], not [10, 512], `fc.bias` is [1000], not [10]"
    )
