"""Spack's `archspec` in the same environment is reported in plain words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.namesake import conflict

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["archspec-0.2.7.dist-info", "archspec-0.2.7.egg-info"])
def test_spacks_package_is_found_by_its_metadata(name, tmp_path):
    (tmp_path / name).mkdir()
    assert f"Spack (0.2.7, in {tmp_path})" in conflict([str(tmp_path)])


def test_our_package_and_unrelated_ones_do_not_conflict(tmp_path):
    for name in ("archspec_nn-0.1.0.dist-info", "archspec-nn-0.1.0.dist-info", "archspec_x-1.egg"):
        (tmp_path / name).mkdir()
    nowhere = str(tmp_path / "nowhere.zip")
    assert conflict([str(tmp_path), nowhere]) is None
    assert conflict([]) is None


@pytest.fixture
def with_namesake(tmp_path):
    """Run Python where Spack's package is installed and ours is found."""
    (tmp_path / "archspec-0.2.7.dist-info").mkdir()
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends"), str(tmp_path)])
    return lambda *arguments: subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_refuses_to_run(with_namesake):
    done = with_namesake("-m", "archspec", "list")
    assert (done.returncode, done.stdout) == (2, "")
    reason, advice = done.stderr.splitlines()
    assert reason.startswith("error: the `archspec` of Spack (0.2.7, in ")
    assert advice.startswith("help: install archspec-nn in an environment of its own")


def test_load_fails_but_the_import_works(with_namesake):
    done = with_namesake("-c", "import archspec; archspec.__version__; archspec.load")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: the `archspec` of Spack")
