"""Fingerprints depend on the contents of graphs, and not on where and how they were made."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import archspec
from archspec.graph.compare import fingerprint

TEXT = """\
block unit(width: int) { a: conv(width, 3) -> b: batch_norm }
network net {
  input x: f32[B = 2, 8, H = 16, W = 16]
  output y = x -> unit(8) -> iterate([conv(8, 3), relu] -> add, 3)
  init conv.weight = kaiming_normal
}
"""

CHANGES = {
    "an attribute": ("conv(width, 3)", "conv(width, 5)"),
    "an attribute of another type": ("batch_norm", "batch_norm(eps=1)"),
    "a key": ("a: conv", "c: conv"),
    "the name of a block": ("unit", "body"),
    "an input": ("x", "z"),
    "an output": ("output y", "output z"),
    "a reported width": ("f32[B = 2, 8,", "f32[B = 2, 9,"),
    "the function of a region": ("relu] -> add", "gelu] -> add"),
    "how often it does": (", 3)\n  init", ", 4)\n  init"),
    "the order of inputs": ("[conv(8, 3), relu] -> add", "[relu, conv(8, 3)] -> add"),
    "first values": ("kaiming_normal", "xavier_normal"),
}


@pytest.fixture
def print_of(tmp_path):
    def made(text):
        path = tmp_path / "net.arch"
        path.write_text(text)
        return fingerprint(archspec.load(path).compiled.inference)

    return made


@pytest.mark.parametrize("kind", CHANGES)
def test_different_graphs_have_different_fingerprints(print_of, kind):
    old, new = CHANGES[kind]
    assert old in TEXT
    assert print_of(TEXT) != print_of(TEXT.replace(old, new))


def test_locations_do_not_change_fingerprints(print_of):
    assert print_of(TEXT) == print_of("# a comment\n\n" + TEXT.replace("  output", "    output"))
    assert print_of(TEXT) == print_of(TEXT.replace("width", "channels"))


def test_conditions_on_sizes_change_fingerprints(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(TEXT)
    graph = archspec.load(path).compiled.training
    (unit,) = graph.callees[:1]
    free = replace(unit, nodes=tuple(replace(node, requirements=()) for node in unit.nodes))
    assert fingerprint(free) != fingerprint(unit)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_fingerprints_are_the_same_in_every_process(print_of, tmp_path, seed):
    wanted = print_of(TEXT)
    code = (
        "import archspec, sys; from archspec.graph.compare import fingerprint;"
        "print(fingerprint(archspec.load(sys.argv[1]).compiled.inference))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "net.arch")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
    )
    assert done.stdout.strip() == wanted
