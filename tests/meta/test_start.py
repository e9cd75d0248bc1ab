"""Start-up: no command of the front end imports torch, and light commands import little."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")])}

HEAVY = ("torch", "graphviz", "numpy", "rich", "archspec.ops.recurrent")
"""The last one represents ops that a spec does not use: they are imported on demand."""

SPEC = """\
network small(width: int = 8) {
  input image: f32[B = 1, 3, H = 8, W = 8]
  output image -> conv(width, 3, padding=half) -> relu
}
"""

RUN = """
import sys
sys.argv = ["archspec", *{arguments!r}]
from archspec.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *[name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""


def loaded(arguments, folder):
    """The heavy modules that a command has imported when it ends."""
    code = RUN.format(arguments=list(arguments), heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LOADED" in done.stderr, done.stderr
    return set(done.stderr.rpartition("LOADED")[2].split())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "small.arch").write_text(SPEC)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "small.arch"],
        ["show", "small.arch"],
        ["show", "small.arch", "--json"],
        ["list", "."],
        ["fmt", "--diff", "small.arch"],
        ["explain"],
    ],
    ids=" ".join,
)
def test_front_end_imports_no_heavy_modules(arguments, folder):
    assert loaded(arguments, folder) == set()


def test_drawing_does_not_import_torch(folder):
    assert "torch" not in loaded(["draw", "small.arch", "-o", "small.dot"], folder)


def test_the_package_does_not_import_torch(folder):
    code = "import sys, archspec; archspec.load; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=CHECKOUT, check=True)
