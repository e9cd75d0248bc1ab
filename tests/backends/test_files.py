"""`build`, `draw` and `fmt` if files cannot be written: all files or none, and an error code."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import archspec
from archspec.diagnostics.failure import CompileFailed
from archspec.targets import backend
from tests.test_staging import snapshot

NET = "network net {\n  input x: f32[B = 1, 4]\n  output x -> linear(4)\n}\n"
FILES = ("net.py", "net.report.md", "net.svg", "net.torchscript.pt", "net.weights.pt")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "net.arch"
    path.write_text(NET)
    return archspec.load(path)


@pytest.fixture(scope="module")
def weights(net):
    return net.read_weights(net.to_torch().state_dict())


class Full(io.BytesIO):
    """A file on a full disk; the error occurs when it is written or when it is closed."""

    def __init__(self, fault, late):
        super().__init__()
        self.fault, self.late = fault, late

    def write(self, data):
        if not self.late:
            raise self.fault
        return super().write(data)

    def close(self):
        if not self.closed:
            super().close()
            if self.late:
                raise self.fault


FAULTS = {
    "write": lambda: Full(OSError(28, "No space left on device"), late=False),
    "close": lambda: Full(OSError(122, "Disk quota exceeded"), late=True),
    "interrupt": lambda: Full(KeyboardInterrupt(), late=True),
}


@pytest.mark.parametrize("failing", FILES)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("old", [True, False])
def test_failing_write_changes_no_files(net, weights, tmp_path, monkeypatch, failing, fault, old):
    place = tmp_path / "out"
    if old:
        place.mkdir()
        for name in FILES:
            (place / name).write_text(f"old {name}")
    before = snapshot(tmp_path)
    real, seen = Path.open, []

    def watched(path, mode="r", *rest, **options):
        if "w" in mode and path.name == failing:
            seen.append(path)
            return FAULTS[fault]()
        return real(path, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", watched)
    with pytest.raises(KeyboardInterrupt if fault == "interrupt" else CompileFailed) as caught:
        net.build(place, weights=weights)
    assert seen
    assert fault == "interrupt" or f"E0803]: cannot write into {place}: " in str(caught.value)
    assert ".archspec-" not in str(caught.value)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("blocked", FILES)
def test_folder_in_place_of_one_file_changes_no_files(net, weights, tmp_path, blocked):
    for name in FILES:
        (tmp_path / name).write_text(f"old {name}")
    (tmp_path / blocked).unlink()
    (tmp_path / blocked).mkdir()
    before = snapshot(tmp_path)
    with pytest.raises(CompileFailed, match=rf"E0803.*{blocked}: a folder is there"):
        net.build(tmp_path, weights=weights)
    assert snapshot(tmp_path) == before


def test_system_errors_in_any_backend_have_a_code(net, tmp_path, monkeypatch):
    def build(self, request):
        (request.directory / "half").write_text("written")
        raise OSError(28, "No space left on device", "/tmp/of-another-library")

    monkeypatch.setattr(type(backend("torch")), "build", build)
    with pytest.raises(CompileFailed, match=r"E0803.*cannot write into .*out: No space") as caught:
        net.build(tmp_path / "out", "torch")
    assert "/tmp/of" not in str(caught.value)
    assert snapshot(tmp_path) == {}


# ------------------------------------------------- a full disk, simulated by a size limit

LIMITED = """
import resource, sys
from pathlib import Path
import archspec, torch
from archspec.diagnostics.failure import CompileFailed
from tests.test_staging import snapshot

def refused(act, limit):
    before = snapshot(".")
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        act()
    except CompileFailed as failure:
        assert [item.code for item in failure.diagnostics] == ["E0803"], failure
        assert ".archspec-" not in str(failure), failure
    else:
        raise AssertionError(f"written within {limit} bytes")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert snapshot(".") == before, set(snapshot(".")) ^ set(before)

net = archspec.load("net.arch")
weights = net.read_weights(net.to_torch().state_dict())
for targets, given in (("torch", None), ("torchscript", None), ("torch", weights)):
    files = net.build("out", targets, weights=given)
    for size in sorted(path.stat().st_size for path in files):
        refused(lambda: net.build("out", targets, weights=given), size - 1)
        refused(lambda: net.build("new/folder", targets, weights=given), size // 2)
drawing = net.draw("drawing.svg")
for place in ("drawing.svg", "new/drawing.svg"):
    refused(lambda: net.draw(place), drawing.stat().st_size - 1)
print("done")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    pytest.importorskip("resource")
    (tmp_path / "net.arch").write_text(NET)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    return tmp_path


def test_full_disk_while_writing_any_file(folder):
    command = [sys.executable, "-c", LIMITED]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "net.arch", "-o", "out", "--weights", "w.pth"],
        ["draw", "net.arch", "-o", "new/n.svg"],
        ["fmt", "long.arch", "short.arch"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_full_disk_exits_with_2(folder, net, arguments):
    import resource  # noqa: PLC0415  # not on Windows

    import torch  # noqa: PLC0415

    torch.save(net.to_torch().state_dict(), folder / "w.pth")
    (folder / "long.arch").write_text("# long\n" * 200 + "block b{relu}\n")
    (folder / "short.arch").write_text("block b{relu}\n")
    before = snapshot(folder)
    done = subprocess.run(
        [sys.executable, "-m", "archspec", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700)),
    )
    after = snapshot(folder)
    formatted = after.pop("short.arch")[1] if "fmt" in arguments else None
    assert formatted in (None, b"block b { relu }\n")
    assert after == {name: before[name] for name in after}
    assert before.keys() - after.keys() <= {"short.arch"}
    assert "error[E0803]: cannot write " in done.stderr
    assert ".archspec-" not in done.stderr
    assert done.returncode == 2


def test_fmt_formats_other_files_despite_an_unreadable_one(folder, monkeypatch, capsys):
    from typer.testing import CliRunner  # noqa: PLC0415

    from archspec.cli.main import app  # noqa: PLC0415

    for name in ("a.arch", "b.arch"):
        (folder / name).write_text("block b{relu}\n")
    (folder / "a.arch").chmod(0o640)
    monkeypatch.chdir(folder)
    real = Path.read_bytes

    def read(path):
        if path.name == "net.arch":
            raise PermissionError(13, "Permission denied", "net.arch")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    os.symlink("b.arch", "link.arch")
    done = CliRunner().invoke(app, ["fmt", "net.arch", "a.arch", "link.arch"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "error[E0804]: net.arch: Permission denied" in done.stderr
    assert "2 reformatted, 0 already formatted, 1 not formatted" in done.stderr
    assert (folder / "link.arch").is_symlink()
    assert (folder / "b.arch").read_text() == "block b { relu }\n"
    assert (folder / "a.arch").stat().st_mode & 0o777 == 0o640
