"""Installation without torch: the front end works, other commands say what to install."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RUN = """
import sys
for name in ("torch", "numpy"):
    sys.modules[name] = None  # as if it were not installed
sys.argv = ["archspec", *{arguments!r}]
from archspec.__main__ import main
main()
"""


def without_torch(folder, *arguments, code=RUN):
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    return subprocess.run(
        [sys.executable, "-c", code.format(arguments=arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "lenet"),
        ("show", "lenet", "--json"),
        ("table", "lenet", "--vary", "classes=[2, 3]"),
        ("draw", "lenet", "-o", "lenet.svg"),
        ("fmt", "--check", str(ROOT / "specs" / "lenet.arch")),
        ("list",),
        ("explain", "E0801"),
        ("build", "lenet", "--target", "torch"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_front_end_works_without_torch(arguments, tmp_path):
    done = without_torch(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr


def test_build_prints_an_installation_hint(tmp_path):
    done = without_torch(tmp_path, "build", "lenet", "-o", "out")
    first, *others = done.stderr.splitlines()
    assert done.returncode == 2
    assert first == (
        "error[E0801]: the target `torchscript` needs torch, which is not installed: "
        "pip install 'archspec-nn[torch]'"
    )
    assert any("`--target torch` writes the source alone, without it" in line for line in others)
    assert not (tmp_path / "out").exists()


def test_weights_from_a_file_give_an_installation_hint(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"")
    done = without_torch(tmp_path, "build", "lenet", "--weights", "a.pth")
    assert done.returncode == 2
    assert "`torch` needs torch, which is not installed: pip install" in done.stderr


def test_to_torch_gives_an_installation_hint(tmp_path):
    code = """
import sys
sys.modules["torch"] = None
import archspec
try:
    archspec.load("lenet").to_torch()
except archspec.CompileFailed as failure:
    print(failure.diagnostics[0].message)
"""
    output = without_torch(tmp_path, code=code).stdout
    assert output.strip().endswith("is not installed: pip install 'archspec-nn[torch]'")


def test_only_the_extra_installs_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[\w-]+", item)[0] for item in project["dependencies"]}
    assert not names & {"torch", "numpy"}
    assert any(item.startswith("torch>=") for item in project["optional-dependencies"]["torch"])
