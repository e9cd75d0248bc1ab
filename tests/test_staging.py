"""Files appear whole or not at all: existing files, failures, and interrupts."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from archspec.diagnostics.failure import CompileFailed
from archspec.staging import deferring, staged, write_file

NAMES = ("a.py", "b.pt", "sub/c.svg", "sub/deep/d.md")


def snapshot(folder):
    """Everything in a folder: types, permissions, links and bytes."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        mode = path.lstat().st_mode
        read = os.readlink(path) if path.is_symlink() else b""
        if stat.S_ISREG(mode):
            read = path.read_bytes()
        found[str(path.relative_to(folder))] = mode, read
    return found


def fill(folder, names, text):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text} {name}")


def build(directory, names=NAMES):
    with staged(directory) as (folder, files):
        fill(folder, names, "new")
    return files


@contextmanager
def failing(number, fault, names):
    """Raise an exception at a call of these functions, counted together from 0."""
    calls = 0

    def watched(function):
        def act(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls - 1 == number:
                raise fault
            return function(*arguments, **options)

        return act

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, watched(getattr(os, name)))
        yield


def test_replaced_files_keep_permissions(tmp_path):
    fill(tmp_path, NAMES[:1], "old")
    (tmp_path / "a.py").chmod(0o640)
    assert build(tmp_path) == [tmp_path / name for name in NAMES]
    assert [(tmp_path / name).read_text() for name in NAMES] == [f"new {name}" for name in NAMES]
    assert stat.S_IMODE((tmp_path / "a.py").stat().st_mode) == 0o640
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.py", "b.pt", "sub"]


FAULTS = (OSError(5, "Input/output error"), KeyboardInterrupt())
CALLS = (("link", "replace"), ("replace",), ("mkdir", "chmod"), ("link", "mkdir"))


@pytest.mark.parametrize("names", CALLS, ids=" ".join)
@pytest.mark.parametrize("old", [(), NAMES, (NAMES[0], NAMES[3]), (NAMES[2], "other")])
def test_failure_of_any_call_leaves_all_new_or_all_old(tmp_path, old, names):
    outcomes = set()
    for number, fault in product(range(12), FAULTS):
        directory = tmp_path / f"{number} {type(fault).__name__}" / "out"
        fill(directory, old, "old")
        before = snapshot(tmp_path)
        raised = None
        try:
            with failing(number, fault, names):
                build(directory)
        except (CompileFailed, KeyboardInterrupt) as caught:
            raised = caught
        outcomes.add(type(raised))
        if raised is None:
            assert [(directory / name).read_text() for name in NAMES] == [f"new {n}" for n in NAMES]
            assert not list(directory.glob(".*"))
        else:
            assert snapshot(tmp_path) == before
            assert isinstance(raised, KeyboardInterrupt) == isinstance(fault, KeyboardInterrupt)
            assert ".archspec-" not in str(raised)
    assert outcomes == {type(None), CompileFailed, KeyboardInterrupt}


@pytest.mark.parametrize("fault", FAULTS)
def test_failing_body_leaves_neither_files_nor_folders(tmp_path, fault):
    def fail():
        with staged(tmp_path / "a" / "b") as (folder, _):
            fill(folder, NAMES, "new")
            raise fault

    with pytest.raises((CompileFailed, KeyboardInterrupt)):
        fail()
    assert snapshot(tmp_path) == {}


OBSTACLES = {
    "a folder is there": lambda place: place.mkdir(),
    "a FIFO is there": lambda place: os.mkfifo(place),
    "a device is there": lambda place: place.symlink_to(os.devnull),
    "a circular link is there": lambda place: place.symlink_to(place),
    "it is read-only": lambda place: (place.write_text("old"), place.chmod(0o444)),
}


@pytest.mark.skipif(os.name != "posix", reason="FIFOs, links and rights are those of POSIX")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("message", OBSTACLES)
def test_obstacles_are_found_before_anything_is_replaced(tmp_path, name, message):
    fill(tmp_path, [item for item in NAMES if item != name], "old")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    OBSTACLES[message](tmp_path / name)
    before = snapshot(tmp_path)
    with failing(0, AssertionError("replaced"), ["replace", "link"]):
        for act in (lambda: build(tmp_path), lambda: write_file(tmp_path / name, b"new")):
            with pytest.raises(CompileFailed, match=f"E0803.*cannot write .*: .*{message}"):
                act()
    assert snapshot(tmp_path) == before


def test_all_obstacles_are_reported_at_once(tmp_path):
    for name in NAMES[:2]:
        (tmp_path / name).mkdir()
    (tmp_path / "sub").write_text("a file")
    with pytest.raises(CompileFailed) as caught:
        build(tmp_path)
    assert len(caught.value.diagnostics) == 4
    assert "sub is not a folder" in str(caught.value)


def test_links_in_a_folder_are_replaced_and_restored(tmp_path):
    out = tmp_path / "out"
    fill(tmp_path, ["kept"], "old")
    out.mkdir()
    (out / "a.py").symlink_to(tmp_path / "kept")
    (out / "b.pt").symlink_to("nowhere")
    before = snapshot(tmp_path)
    with failing(3, OSError(5, "broken"), ["replace"]), pytest.raises(CompileFailed):
        build(out)
    assert snapshot(tmp_path) == before
    build(out)
    assert not (out / "a.py").is_symlink()
    assert not (out / "b.pt").is_symlink()
    assert (tmp_path / "kept").read_text() == "old kept"


def test_single_file_behind_a_link(tmp_path):
    fill(tmp_path, ["real/n.svg"], "old")
    (tmp_path / "n.svg").symlink_to("real/n.svg")
    write_file(tmp_path / "n.svg", b"new")
    assert (tmp_path / "n.svg").is_symlink()
    assert (tmp_path / "real" / "n.svg").read_bytes() == b"new"
    write_file(tmp_path / "x" / "y" / "n.svg", b"new")
    with failing(0, OSError(30, "Read-only"), ["replace"]), pytest.raises(CompileFailed) as caught:
        write_file(tmp_path / "z" / "y" / "n.svg", b"new")
    assert "z/y" in str(caught.value)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["n.svg", "real", "x"]


def test_files_that_cannot_be_restored_are_kept_and_reported(tmp_path, monkeypatch):
    fill(tmp_path, NAMES, "old")

    def broken(*_):
        raise OSError(5, "broken")

    monkeypatch.setattr(shutil, "move", broken)
    with failing(1, OSError(5, "broken"), ["replace"]), pytest.raises(CompileFailed) as caught:
        build(tmp_path)
    (kept,) = (words for words in str(caught.value).split() if words.endswith("kept/0"))
    assert Path(kept).read_text() == "old a.py"


@pytest.fixture
def interruptible():
    """Background processes of a shell ignore interrupts, and so would the test."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_replacements(tmp_path, monkeypatch, interruptible):
    replace = os.replace

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        replace(*arguments)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path)
    assert [(tmp_path / name).read_text() for name in NAMES] == [f"new {name}" for name in NAMES]
    assert not list(tmp_path.glob(".*"))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_full_disk_is_reported_when_the_writer_ends(tmp_path):
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "from pathlib import Path; from archspec.staging import deferring\n"
        "count = 0\n"
        "try:\n"
        "    with deferring(Path('x')) as file:\n"
        "        for _ in range(30): count += file.write(b'.' * 4000)\n"
        "except OSError as fault: print(count, fault.errno)"
    )
    pytest.importorskip("resource")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout.split() == [b"120000", b"27"]
    with deferring(tmp_path / "y") as file:
        file.write(b"whole")
    assert (tmp_path / "y").read_bytes() == b"whole"


ROOT = Path(__file__).resolve().parents[1]
BUILD = """
from pathlib import Path
from archspec.staging import staged
with staged(Path("out")) as (folder, _):
    (folder / "sub").mkdir()
    for name in ("a.py", "b.pt", "sub/c.svg"):
        (folder / name).write_bytes(b"new")
"""


@pytest.mark.parametrize(
    ("mounts", "message"),
    [
        (["-o nr_inodes=4 none out"], "cannot write out/sub: No space left on device"),
        (["-o size=4k none out"], "cannot write into out: No space left on device"),
        (["-o ro none out"], "cannot write into out: Read-only file system"),
        (["none out/sub"], r"out/sub/c\.svg: out/sub is on another file system"),
        (["none mnt", "--bind mnt/f out/b.pt"], r"out/b\.pt: it is on another file system"),
        (["none mnt", "--bind out/b.pt out/a.py"], r"cannot write .*: Device or resource busy"),
    ],
)
def test_other_file_systems(tmp_path, monkeypatch, mounts, message):
    """Mounted only for this process, if that is permitted."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("out/sub", "mnt"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("out/a.py", "out/b.pt"):
        (tmp_path / name).write_text("old")
    (tmp_path / "build.py").write_text(BUILD)
    steps = [f"mount {'' if '--bind' in one else '-t tmpfs '}{one}" for one in mounts]
    steps.insert(1, "touch mnt/f")
    act = f"ls -lR out > 0; {sys.executable} build.py; ls -lR out > 1; cmp 0 1"
    command = ["unshare", "-rm", "sh", "-c", f"({' && '.join(steps)}) || exit 99; {act}"]
    if shutil.which("unshare") is None:
        pytest.skip("nothing can be mounted here")
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert (done.returncode, done.stdout) == (0, "")
    assert re.search(f"E0803.*{message}", done.stderr)
