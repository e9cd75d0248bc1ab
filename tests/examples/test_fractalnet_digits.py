"""The example of the docs runs: it trains, extracts the columns, prints and draws."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archspec

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
CHECKOUT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")])}


def test_plain_network_equals_the_deepest_column():
    fractal = archspec.load(EXAMPLES / "digits.arch", "fractal_digits")
    deepest = fractal.extract(column=3)
    plain = archspec.load(EXAMPLES / "digits.arch", "plain_digits")
    assert (plain.depth, plain.parameters) == (deepest.depth, deepest.parameters)
    assert [fractal.extract(column=k).depth for k in (1, 2, 3)] == [4, 7, 13]


def test_the_example_runs(tmp_path):
    printed = run(tmp_path / "digits.svg")
    for name in ("whole", "column 1", "column 2", "plain", "seed 1"):
        assert name in printed
    assert (tmp_path / "digits.svg").read_text().startswith("<?xml")


@pytest.mark.slow
def test_runs_with_the_same_seed_agree(tmp_path):
    first, again = (run(tmp_path / name) for name in ("a.svg", "b.svg"))
    assert first.replace("a.svg", "b.svg") == again
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def run(plot):
    """The output of one epoch on some images."""
    for module in ("sklearn", "matplotlib"):
        pytest.importorskip(module)
    small = ["--epochs", "1", "--examples", "200", "--columns", "2", "--seed", "1"]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "fractalnet_digits.py"), *small, "--plot", str(plot)],
        env=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
