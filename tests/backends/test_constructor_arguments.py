"""Classes are right for other values of their constructor arguments, or refuse them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archspec.loading import load
from archspec.shipped import networks
from archspec_torch.source import python_source
from tests.backends.constructor_arguments import differences

UNITS = """
block unit(width: int, kernel: int = 3, rate: int = 1) {
  conv(width, kernel, dilation=rate, bias=false) -> batch_norm -> relu
}
block attend(heads: int) {
  input x: [B, N, D], bias
  output x + (x + bias -> linear(D))
}
block mlp(hidden: int) { residual(linear(hidden) -> gelu -> linear(8)) }
block fuse { input x: [B, C, H, W], y: [B, C, H, W]
  output x + (y -> conv(C, 3)) }
"""

CASES = {
    "counts of loops with a second input": (
        """block stack(depth: int) {
  input x: [B, N, D]
  bias = x -> linear(D)
  output x -> block: for _ in 0..depth {
    _: { input h
      output (h, bias) -> "layer.0": attend(2) -> "layer.1": mlp(16) }
  }
}""",
        "x: f32[B = 2, 5, 8]",
        "x -> stack(4)",
        "def __init__(self, in_features: int, depth: int)",
    ),
    "counts of statements that are written out": (
        """block taps(depth: int, width: int) {
  input x
  a, ...more = x -> unit(width) -> maps: for i in 0..depth {
    input ...done
    output (...done, done[-1] -> "{i}": unit(width))
  }
  output (a, ...more) -> concat
}""",
        "x: f32[B = 1, 3, 8, 8]",
        "x -> taps(4, 8)",
        "for _ in range(4)",
    ),
    "a window with a dilation": (
        "block atrous(rate: int) { unit(8, 3, rate) }",
        "x: f32[B = 1, 4, 24, 24]",
        "x -> atrous(3)",
        "padding=rate",
    ),
    "an even kernel": (
        "block other(kernel: int) { unit(8, kernel) }",
        "x: f32[B = 1, 4, 24, 24]",
        "x -> other(5)",
        "padding=(kernel - 1) // 2",
    ),
    "widths that are equal by chance": (
        "block pair(a: int, b: int) { unit(32) -> unit(32) -> unit(a) -> unit(b) -> unit(b) }",
        "x: f32[B = 1, 32, 8, 8]",
        "x -> pair(32, 32)",
        "Unit(in_channels=32, width=a)",
    ),
    "sizes that grow in a loop": (
        """block dense(depth: int, growth: int) {
  for _ in 0..depth { [identity, unit(growth)] -> concat }
  -> batch_norm
}""",
        "x: f32[B = 1, 16, 8, 8]",
        "x -> dense(4, 8) -> dense(4, 16)",
        "in_channels + 4 * growth",
    ),
    "sizes of results of blocks": (
        """block dense(growth: int) { [identity, unit(growth), unit(growth)] -> concat }
block half { input x: [B, C, H, W]
  output x -> conv(C // 2, 1) -> batch_norm }
block stage(growth: int) { dense(growth) -> half }""",
        "x: f32[B = 1, 16, 8, 8]",
        "x -> stage(8)",
        "Half(in_channels=in_channels + 2 * growth)",
    ),
    "a condition on channels": (
        """block residual_unit(width: int, stride: int) {
  input x: [B, C, H, W]
  output x -> [
    if C != width or stride != 1 { conv(width, 1, stride=stride) } else { identity },
    unit(width) -> max_pool(3, stride=stride, padding=1),
  ] -> add
}""",
        "x: f32[B = 1, 16, 8, 8]",
        "x -> residual_unit(16, 1)",
        "def __init__(self) -> None",
    ),
    "names with a number": (
        'block named(width: int) { "reduce_{width}": unit(width) }',
        "x: f32[B = 1, 16, 8, 8]",
        "x -> named(8)",
        "reduce_8",
    ),
}


@pytest.mark.parametrize(("blocks", "data", "output", "expected"), CASES.values(), ids=CASES)
def test_arguments(tmp_path: Path, blocks: str, data: str, output: str, expected: str) -> None:
    path = tmp_path / "net.arch"
    (tmp_path / "probed").mkdir()
    body = f"network net {{\n  input {data}\n  output {output}\n}}"
    path.write_text(f"{UNITS}\n{blocks}\n{body}\n")
    compiled = load(path, "net").compiled
    assert expected in python_source(compiled)[0]
    assert [*differences(compiled, tmp_path / "probed", tmp_path)] == []


FILES = {path: name for name, path in reversed(networks().items())}


def _of_file(path: Path, folder: Path) -> list[str]:
    for other in path.parent.glob("*.arch"):
        (folder / other.name).write_text(other.read_text())
    return [*differences(load(path, FILES[path]).compiled, folder, path.parent)]


@pytest.mark.parametrize("name", ["rdn", "googlenet"])
def test_arguments_of_shipped_networks(tmp_path: Path, name: str) -> None:
    (path,) = (path for path in FILES if path.stem == name)
    assert _of_file(path, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bts", "unet", "densenet", "mobilenet_v2", "inception"])
def test_arguments_of_large_shipped_networks(tmp_path: Path, name: str) -> None:
    (path,) = (path for path in FILES if path.stem == name)
    assert _of_file(path, tmp_path) == []
