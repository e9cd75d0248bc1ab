"""Reports and drawings are made for sizes that the network accepts, or not at all."""

import json

import pytest
from typer.testing import CliRunner

import archspec
from archspec.cli.main import app
from archspec.diagnostics.failure import CompileFailed

SMALL = """network net {{
  input x: f32[B = 1, 3, H = {size}, W = {size}]
  output x -> conv(4, 3) -> max_pool(5) -> max_pool(7)
}}
"""


def written(tmp_path, text):
    spec = tmp_path / "net.arch"
    spec.write_text(text)
    return spec


@pytest.mark.parametrize(
    "ask",
    [
        lambda net, folder: net.report(),
        lambda net, folder: net.report(training=True),
        lambda net, folder: net.draw(folder / "net.dot"),
        lambda net, folder: net.draw(folder / "net.dot", training=True),
        lambda net, folder: net.build(folder / "built", targets="torch"),
    ],
)
def test_no_report_for_invalid_sizes(tmp_path, ask):
    net = archspec.load(written(tmp_path, SMALL.format(size=32)))
    with pytest.raises(CompileFailed) as failure:
        ask(net, tmp_path)
    (item,) = failure.value.diagnostics
    assert item.code == "E0707"
    assert item.primary.span.text == "max_pool(7)"
    assert item.notes == ("valid are H >= 35, W >= 35",)
    assert [path.name for path in tmp_path.iterdir()] == ["net.arch"]
    with pytest.raises(ValueError, match="valid: "):
        net.macs()
    assert net.macs(H=35, W=35) == 27 * 4 * 35 * 35
    assert "are not valid" in net._repr_html_()


@pytest.mark.parametrize(
    "command", [["show"], ["show", "--json"], ["draw"], ["build"], ["show", "--training"]]
)
def test_command_rejects_invalid_sizes(tmp_path, monkeypatch, command):
    spec = written(tmp_path, SMALL.format(size=32))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [command[0], str(spec), *command[1:]])
    assert result.exit_code == 1
    assert "E0707" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["net.arch"]


def test_report_for_valid_sizes(tmp_path):
    spec = written(tmp_path, SMALL.format(size=35))
    result = CliRunner().invoke(app, ["show", str(spec), "--json"])
    assert json.loads(result.stdout)["macs"] == 27 * 4 * 35 * 35
    assert archspec.load(spec).report().memory_at_sizes > 0


def test_training_report_uses_the_next_valid_batch_size(tmp_path):
    head = "network net {\n  input x: f32[B = 1, 3, 2, 2]\n"
    text = head + "  output x -> max_pool(2) -> batch_norm\n}\n"
    net = archspec.load(written(tmp_path, text))
    assert net.report().sizes == {"B": 1}
    report = net.report(training=True)
    assert report.sizes == {"B": 2}
    assert report.memory_at_sizes == 2 * net.report().memory_at_sizes
    assert net.accepts(training=True, **report.sizes)


def test_sizes_rejected_only_in_training_are_reported_for_training(tmp_path):
    text = """network net {
      input x: f32[B = 2, 4, 24, W = 20]
      y = x -> if training { a: conv(4, 21, padding=0) } else { b: conv(4, 5, padding=0) }
      output y -> global_avg_pool
    }
    """
    net = archspec.load(written(tmp_path, text))
    assert net.report().sizes == {"B": 2, "W": 20}
    with pytest.raises(CompileFailed) as failure:
        net.report(training=True)
    (item,) = failure.value.diagnostics
    assert "are not valid in training" in item.message
    assert item.notes == ("valid are W >= 21",)
    assert item.fix.message == "use another size: `W = 21`"
