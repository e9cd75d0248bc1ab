"""`--size`, the parameters of a network, and valid sizes as text and as JSON."""

import json

import pytest
from typer.testing import CliRunner

import archspec
from archspec.cli.main import app

SPEC = """\
network net(
  width: int in 1.. = 8, kind: str in ["a", "b"] = "a", sizes: list[int] = [1, 2],
  act: layer = relu, depth: int = width // 4,
) {
  input image: f32[B = 1, 3, H = 32, W = 32]
  output y = image -> conv(width, 3) -> batch_norm -> act -> max_pool(2)
    -> for i in 0..depth { relu } -> conv(sizes[0], 3, padding=0) -> batch_norm
    -> if kind == "b" { relu }
}

preset wide = net(64, act=leaky_relu(0.2))
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "net.arch").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def data(run, *arguments):
    return json.loads(run("show", *arguments, "--json").stdout)


def test_a_size_replaces_the_reported_one(run):
    assert run("show", "net.arch", "--size", "H=64").stdout.startswith(
        "net at B = 1, H = 64, W = 32"
    )
    both = data(run, "net.arch", "--size", "H=W=64", "--size", "B=2")
    assert both["sizes"] == {"B": 2, "H": 64, "W": 64}
    net = archspec.load("net.arch")
    assert (
        both["macs"] == net.macs(B=2, H=64, W=64) == net.at(B=2, H=64, W=64).report().macs_at_sizes
    )


def test_shapes_in_the_table_are_numbers_on_request(run):
    given = ("show", "net.arch", "--size", "H=64")
    assert " conv [B, 8, H, W] " in " ".join(run(*given).stdout.split())
    said = " ".join(run(*given, "--concrete").stdout.split())
    assert " conv [1, 8, 64, 32] " in said
    assert "input image: f32[B, 3, H, W]" in said


def test_build_and_draw_take_a_size(run, tmp_path):
    done = run("build", "net.arch", "--size", "H=64", "--target", "torch", "-o", "out")
    assert done.exit_code == 0
    assert "# net at B = 1, H = 64, W = 32" in (tmp_path / "out" / "net.report.md").read_text()
    assert run("draw", "net.arch", "--size", "H=W=64", "-o", "net.dot").exit_code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Q=3", "net has no free dimension `Q`"),
        ("width=3", "--set width=.."),
        ("H", "write it as name=number"),
        ("=3", "write it as name=number"),
        ("H=x", "a size is a whole number"),
        ("H=-3", "a size is a whole number"),
        ("H=0", "sizes must be at least 1, not 0"),
        ("H=H=3", "gives `H` twice"),
    ],
)
def test_malformed_size_is_wrong_usage(run, text, message):
    done = run("show", "net.arch", "--size", text)
    assert done.exit_code == 2
    assert message in done.stderr


def test_invalid_size_is_reported(run):
    done = run("draw", "net.arch", "--size", "H=3")
    assert (done.exit_code, "E0707" in done.stderr) == (1, True)


def test_show_lists_the_parameters(run):
    lines = run("show", "net.arch:wide", "--set", "kind=b").stdout.splitlines()
    table = [line.split("  ") for line in lines[lines.index("", lines.index("")) :]]
    rows = {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in table}
    assert rows["--set"] == ["type", "default", "domain", "value"]
    assert rows["width"] == ["int", "64", "1.."]
    assert rows["kind"] == ["str", '"a"', '["a", "b"]', '"b"']
    assert rows["sizes"] == ["list[int]", "[1, 2]"]
    assert rows["act"] == ["layer", "leaky_relu(0.2)"]
    assert rows["depth"] == ["int", "width // 4"]


def test_json_has_parameters_and_sizes_of_training(run):
    found = data(run, "net.arch", "--set", "width=16")
    width = {"name": "width", "type": "int", "domain": "1..", "default": "8", "value": "16"}
    assert found["settings"][0] == width
    assert found["valid_sizes"]["formula"] == "H >= 6, W >= 6"
    assert found["valid_sizes_in_training"] == {
        "formula": "H >= 6, W >= 6, (B > 1 or H > 7 or W > 7)",
        "per_axis": {"H": "H >= 6", "W": "W >= 6"},
        "joint": ["B > 1 or H > 7 or W > 7"],
    }


def test_parameters_survive_passes(run):
    plain, folded = (data(run, "net.arch", *more)["settings"] for more in ([], ["--fold"]))
    assert plain == folded


def test_unknown_parameter_error_lists_the_known_ones(run):
    done = run("show", "net.arch", "--set", "widht=3")
    assert 'it has `width: int in 1.. = 8`, `kind: str in ["a", "b"] = "a"`' in done.stderr
    assert "did you mean `width`?" in done.stderr
    assert "`--size H=..`" in run("show", "net.arch", "--set", "H=3").stderr
