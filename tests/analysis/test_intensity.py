"""Arithmetic intensity, and how analyses are discovered, displayed and rejected."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

import archspec
from archspec import extensions
from archspec.analysis import registry
from archspec.analysis.base import Finding
from archspec.cli.main import app
from archspec.diagnostics.failure import CompileFailed
from archspec.options import Options

NET = """\
block unit { conv(8, 3, padding=1, bias=false) -> relu }
network net {
  input x: f32[B = 2, 4, H = 6, W = 6]
  y = x -> unit -> iterate(conv(8, 1, bias=false), 3) -> global_avg_pool -> linear(10)
  unread = y -> linear(3)
  output y
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "net.arch"
    path.write_text(NET)
    return path


def test_bytes_and_macs_of_each_block(spec: Path) -> None:
    found = archspec.load(spec).analyse("intensity")
    images, wide = 2 * 4 * 36 * 4, 2 * 8 * 36 * 4  # bytes of the input, and of 8 channels
    conv = images + wide + 8 * 4 * 9 * 4
    held = 3 * (wide + wide + 8 * 8 * 4)  # runs three times, reading the weights each time
    expected = {
        "unit": (2 * 36 * 8 * 4 * 9, conv + wide + wide),
        "iterate": (3 * 2 * 36 * 8 * 8, None),
        "global_avg_pool": (0, wide + 2 * 8 * 4),
        "linear": (2 * 8 * 10, 2 * 8 * 4 + 2 * 10 * 4 + (80 + 10) * 4),
    }
    rows = {str(name): (count, size, ratio) for name, _, count, size, ratio in found.rows}
    assert rows.keys() == expected.keys()
    for name, (count, size) in expected.items():
        assert rows[name][0] == count
        assert size is None or rows[name][1] == size
        assert rows[name][2] == pytest.approx(count / rows[name][1], abs=0.005)
    assert rows["iterate"][1] == held + wide + wide  # includes the op's own reads and writes
    assert dict(found.facts)["bytes read and written"] == sum(size for _, size, _ in rows.values())


def test_analysis_is_shown_below_the_table_and_in_json(spec: Path) -> None:
    shown = CliRunner().invoke(app, ["show", str(spec), "--analysis", "intensity"])
    assert shown.exit_code == 0, shown.output
    before, title, after = shown.output.partition("\narithmetic intensity: ")
    assert title
    assert "valid sizes" in before
    assert "MACs / byte" in after
    data = CliRunner().invoke(app, ["show", str(spec), "--analysis", "intensity", "--json"])
    found = json.loads(data.stdout)["analyses"]["intensity"]
    assert len(found["rows"]) == 4
    assert found["facts"]["bytes read and written"] > 0
    plain = CliRunner().invoke(app, ["show", str(spec), "--json"])
    assert "analyses" not in json.loads(plain.stdout)


class CountOptions(Options):
    kind: str


class Count:
    """An analysis of another package: the number of ops of each kind."""

    name = "count"
    summary = "ops of a kind"
    options: type[Options] = CountOptions

    def find(self, network: Any, report: Any, options: CountOptions) -> Finding:
        graph = network.training if report.training else network.inference
        ops = [node.op.name for node in graph.nodes if node.op is not None]
        return Finding(
            facts=(
                (options.kind, ops.count(options.kind)),
                ("mode", "training" if report.training else "inference"),
            )
        )


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(registry.BUNDLED, "count", "others:COUNT")
    load = EntryPoint.load
    monkeypatch.setattr(
        EntryPoint, "load", lambda point: Count() if point.name == "count" else load(point)
    )
    return


def test_analysis_of_another_package(count: None, spec: Path) -> None:
    net = archspec.load(spec)
    assert net.analyse("count", kind="linear").facts == (("linear", 2), ("mode", "inference"))
    shown = CliRunner().invoke(app, ["show", str(spec), "--analysis", "count{kind=linear}"])
    assert "\nops of a kind\nlinear  2\nmode    inference\n" in shown.output


class Failing(Count):
    def find(self, network: Any, report: Any, options: CountOptions) -> Finding:
        return self.missing  # type: ignore[attr-defined, no-any-return]


class Silent(Count):
    def find(self, network: Any, report: Any, options: CountOptions) -> Finding:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (Failing(), "failed: AttributeError: 'Failing' object has no attribute 'missing'"),
        (Silent(), "failed: TypeError: `find` returns NoneType, not a Finding"),
        (Count, "is a class, not an object"),
    ],
)
def test_failing_analysis_is_reported(
    monkeypatch: pytest.MonkeyPatch, spec: Path, one: object, message: str
) -> None:
    module = ModuleType("somebody")
    monkeypatch.setattr(module, "COUNT", one, raising=False)
    monkeypatch.setitem(sys.modules, "somebody", module)
    point = EntryPoint("count", "somebody:COUNT", registry.KIND.group)
    monkeypatch.setattr(extensions, "entry_points", lambda **_: (point,))
    with pytest.raises(CompileFailed) as failure:
        archspec.load(spec).analyse("count", kind="linear")
    (found,) = failure.value.diagnostics
    assert found.code == "E0912"
    assert found.message == f"the analysis `count` (somebody:COUNT) {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("intensty", "there is no analysis `intensty`; there are `count`, `intensity`"),
        ("intensity{a=1}", "the analysis `intensity` has no option `a`; it has none"),
        ("count", "the analysis `count` needs `kind`"),
        ("count{", "--analysis count{: write it as name{option=value}"),
    ],
)
def test_unknown_analysis_is_wrong_usage(count: None, spec: Path, text: str, message: str) -> None:
    done = CliRunner().invoke(app, ["show", str(spec), "--analysis", text])
    assert (done.exit_code, message in done.output) == (2, True), done.output


def test_unknown_analysis_in_python_is_a_diagnostic(spec: Path) -> None:
    with pytest.raises(CompileFailed, match=r"E0912.*no analysis `intensty`"):
        archspec.load(spec).analyse("intensty")
