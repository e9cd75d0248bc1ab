"""`archspec list`: one line per entry, grouped by file, with a filter."""

import json

import pytest
from typer.testing import CliRunner

from archspec import shipped
from archspec.cli.entries import read
from archspec.cli.main import app

SPEC = """\
# Nets. Somebody, Something, 2020.
#
# Linear layers of any width. More about them.

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


def entries(output):
    found = [line.split()[0] for line in output.splitlines() if line.startswith("  ")]
    assert found[0] == "name"
    return found[1:]


def paths():
    return shipped.networks().values()


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "net.arch").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["list", *arguments])


def test_entry_is_a_line_with_arguments_and_description(run):
    assert run("net.arch").stdout.splitlines() == [
        "net.arch  Nets. Linear layers of any width.",
        "Somebody, Something, 2020.",
        "  name  parameters, or definition of a preset  description",
        "  net   width, classes=10                      Takes what it is given.",
        "  wide  net(64, classes=3)",
    ]


def test_all_shipped_networks_are_listed_without_folders(run):
    output = run("--all").stdout
    names = entries(output)
    assert len(names) == len({*names})
    assert {*names} == {*shipped.networks()}
    assert str(shipped.folder()) not in output


def test_a_word_filters_by_name(run):
    output = run("ResNet152_V").stdout
    assert entries(output) == ["resnet152_v1"]
    assert len(output.splitlines()) == 4


def test_file_with_the_exact_name_is_first(run):
    lines = run("resnet").stdout.splitlines()
    files = [line.split()[0] for line in lines if ".arch  " in line]
    assert files[0] == "resnet.arch"
    assert "cbam.arch" in files


def test_word_not_in_any_name_is_searched_in_descriptions(run):
    output = run("deep residual learning").stdout
    assert "resnet152" in output
    assert "lenet" not in output


def test_word_without_any_match(run):
    done = run("resnet5O")
    assert done.exit_code == 2
    assert "no shipped network has `resnet5O` in its name or description" in done.stderr
    assert "the most similar names are `resnet50`, " in done.stderr


def test_word_without_a_similar_one(run):
    done = run("xyzzy")
    assert done.exit_code == 2
    assert "similar" not in done.stderr
    assert "`archspec list` lists all" in done.stderr


def test_several_words_are_searched_one_by_one(run):
    assert "resnet152" in entries(run("recognition residual").stdout)


@pytest.mark.parametrize("columns", [None, 80], ids=["pipe", "terminal"])
def test_files_are_listed_without_a_word(run, monkeypatch, columns):
    monkeypatch.setattr("archspec.cli.listing.page_width", lambda _: columns)
    output = run().stdout.splitlines()
    heading, *lines, _, total, _ = output
    assert heading.split() == ["file", "year", "networks", "description"]
    files = [line.split() for line in lines if line.startswith("  ")]
    assert sorted(file for file, *_ in files) == sorted({p.stem for p in paths()})
    counted = sum(int(count) for _, _, count, *_ in files)
    assert counted == len(shipped.networks())
    assert total == f"{counted} networks and presets in {len(files)} files."
    assert max(map(len, output)) <= (columns or 120)


def test_files_are_listed_by_topic_and_year(run):
    lines = run().stdout.splitlines()
    topics = [line for line in lines[1:-2] if line and not line.startswith("  ")]
    assert topics == sorted(topics)
    start = lines.index("Image classification with convolutions") + 1
    years = [int(line.split()[1]) for line in lines[start : lines.index("", start)]]
    assert years == sorted(years)
    assert years[0] == 1998


def test_every_shipped_file_has_a_description():
    for family in {entry.family for entry in read(dict.fromkeys(paths()))}:
        assert family.name
        assert family.citation
        assert family.description.endswith(".")
        assert family.topic
        assert family.year


LONG = """\
network net(
  first: list[int] = [1, 2, 3, 4, 5],
  second: int = 1000000,
  third: str = "a, (b",
  fourth: int = 4,
) {
  input x: f32[B = 1, 4]
  output y = x -> linear(4)
}

preset long = net([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], second=2000000, third="a, (b")
preset name = net
preset lists = net([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170])
"""


def test_arguments_are_omitted_as_a_whole(run, tmp_path):
    (tmp_path / "long.arch").write_text(LONG)
    output = run("long.arch").stdout.splitlines()
    assert [line.split(maxsplit=1)[1] for line in output[2:]] == [
        'first=[1, 2, 3, 4, 5], second=1000000, third="a, (b", ..',
        "net([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], ..)",
        "net",
        "net(..)",
    ]


def test_folder_without_specs_does_not_hide_a_shipped_network(run, tmp_path):
    (tmp_path / "lenet").mkdir()
    assert "lenet.arch" in run("lenet").stdout
    (tmp_path / "lenet" / "a.arch").write_text(SPEC)
    assert run("lenet").stdout.startswith("lenet/a.arch  Nets.")


def test_lines_fit_a_terminal(run, monkeypatch):
    monkeypatch.setattr("archspec.cli.listing.page_width", lambda _: 40)
    lines = run("resnet").stdout.splitlines()
    assert max(map(len, lines)) <= 40
    assert any(line.endswith(" ..") for line in lines)


def test_comment_on_several_presets_is_above_them(run):
    lines = run("resnet").stdout.splitlines()
    place = next(
        place for place, line in enumerate(lines) if "that differ from torchvision" in line
    )
    assert lines[place + 1].split() == [
        "resnet18_a",
        'resnet(basic(option="A"),',
        "[2,",
        "2,",
        "2,",
        "2])",
    ]


def test_json_has_more_fields(run):
    (net, wide) = json.loads(run("net.arch", "--json").stdout)
    assert net == {
        "name": "net",
        "file": "net.arch",
        "kind": "network",
        "parameters": ["width", "classes=10"],
        "value": None,
        "summary": "Takes what it is given.",
        "family": "Nets",
        "description": "Linear layers of any width.",
        "citation": "Somebody, Something, 2020.",
        "topic": None,
        "year": 2020,
    }
    assert (wide["kind"], wide["value"]) == ("preset", "net(64, classes=3)")
