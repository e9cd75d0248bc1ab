"""`archspec list`: one line per entry, grouped by file, with a filter."""

import json

import pytest
from typer.testing import CliRunner

from archspec import shipped
from archspec.cli.main import app

SPEC = """\
# Nets. Somebody, Something, 2020.
#
# More about them.

# Takes what it is given. And more.
network net(width: int, classes: int = 10) {
  input x: f32[B = 1, 4]
  output y = x -> linear(width)
}

preset wide = net(
  64,
  classes=3,
)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "net.arch").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["list", *arguments])


def test_an_entry_is_a_line_with_what_it_takes_and_what_it_is(run):
    assert run("net.arch").stdout.splitlines() == [
        "net.arch  Nets. Somebody, Something, 2020.",
        "  net   width, classes=10   Takes what it is given.",
        "  wide  net(64, classes=3)",
    ]


def test_all_shipped_networks_are_listed_without_folders(run):
    said = run().stdout
    names = {line.split()[0] for line in said.splitlines() if line.startswith("  ")}
    assert names == {*shipped.networks()}
    assert str(shipped.folder()) not in said


def test_a_word_filters_by_name(run):
    said = run("ResNet152_V").stdout.splitlines()
    assert [line.split()[0] for line in said if line.startswith("  ")] == ["resnet152_v1"]
    assert len(said) == 2


def test_a_word_in_no_name_is_looked_for_in_descriptions(run):
    said = run("deep residual learning").stdout
    assert "resnet152" in said
    assert "lenet" not in said


def test_a_word_that_is_nowhere(run):
    done = run("resnet5O")
    assert done.exit_code == 2
    assert "did you mean `resnet50`?" in done.stderr


def test_a_folder_without_specs_hides_no_shipped_network(run, tmp_path):
    (tmp_path / "lenet").mkdir()
    assert "lenet.arch" in run("lenet").stdout
    (tmp_path / "lenet" / "a.arch").write_text(SPEC)
    assert run("lenet").stdout.startswith("lenet/a.arch  Nets.")


def test_lines_fit_a_terminal(run, monkeypatch):
    monkeypatch.setattr("archspec.cli.listing.page_width", lambda _: 40)
    lines = run("resnet").stdout.splitlines()
    assert max(map(len, lines)) <= 40
    assert any(line.endswith(" ..") for line in lines)


def test_programs_get_more(run):
    (net, wide) = json.loads(run("net.arch", "--json").stdout)
    assert net == {
        "name": "net",
        "file": "net.arch",
        "kind": "network",
        "parameters": ["width", "classes=10"],
        "value": None,
        "summary": "Takes what it is given.",
    }
    assert (wide["kind"], wide["value"]) == ("preset", "net(64, classes=3)")
