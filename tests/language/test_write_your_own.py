"""The output quoted on the page "Write your own architecture" is that of archspec, step by step.

`test_pages.py` checks that its specs do what their comments output_of.
"""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import archspec
from archspec.cli.main import app
from archspec.diagnostics.failure import CompileFailed
from tests.specs.compiled import shipped
from tests.specs.golden import golden

PAGE = Path(__file__).resolve().parents[2] / "docs" / "write-your-own.md"
BLOCK = re.compile(r"^```(arch|text|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
SPECS = [re.sub(r"  # error: E\d+", "", text) for kind, text in BLOCKS if kind == "arch"]
QUOTES = [text for kind, text in BLOCKS if kind == "text"]
PROGRAMS = [text for kind, text in BLOCKS if kind == "python"]
WRONG, ALONE, NARROW, LABELLED, WHOLE = SPECS
MENDED = NARROW.replace("widths[i - 1]", "widths[i]")


@pytest.fixture
def output_of(tmp_path, monkeypatch):
    """The output of a command for a spec; without the lines in which spaces vary."""
    monkeypatch.chdir(tmp_path)

    def run(spec, *arguments):
        Path("convnext.arch").write_text(spec, encoding="utf-8")
        done = CliRunner().invoke(app, list(arguments))
        return lines(done.output)

    return run


def lines(text):
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("quoted", "spec", "arguments"),
    [
        (0, WRONG, ["check", "convnext.arch"]),
        (1, ALONE, ["show", "convnext.arch"]),
        (2, NARROW, ["show", "convnext.arch:convnext_tiny"]),
        (3, NARROW, ["show", "convnext.arch:convnext_tiny"]),
        (4, MENDED, ["show", "convnext.arch:convnext_tiny"]),
    ],
)
def test_quoted_output_is_the_actual_output(output_of, quoted, spec, arguments):
    output = output_of(spec, *arguments)
    assert [line for line in lines(QUOTES[quoted]) if line not in output] == []


def test_every_quotation_is_tested():
    assert len(QUOTES) == 6


def test_numbers_in_the_text(output_of):
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    without = re.search(r"Without `groups=C` it would be ([\d,]+)\.", text)[1]
    forgotten = ALONE.replace(", groups=C", "")
    assert f"parameters {without}" in output_of(forgotten, "show", "convnext.arch")
    by_hand = 49 * 96 + 96 + 2 * 96 + 96 * 384 + 384 + 384 * 96 + 96
    assert f"parameters {by_hand:,}" in lines(QUOTES[1])


def names_of_the_reference():
    torch = pytest.importorskip("torch")
    state = golden("convnext_tiny").state
    return {name: torch.empty(shape, device="meta") for name, shape in state.items()}


def test_quoted_mismatch_is_the_actual_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = names_of_the_reference()
    Path("convnext.arch").write_text(LABELLED, encoding="utf-8")
    net = archspec.load("convnext.arch", "convnext_tiny")
    with pytest.raises(CompileFailed) as failure:
        net.to_torch(device="meta", weights=given)
    output = lines(str(failure.value))
    assert [line for line in lines(QUOTES[5]) if line not in output] == []


def test_the_finished_spec_is_the_shipped_one(tmp_path):
    path = tmp_path / "convnext.arch"
    path.write_text(WHOLE, encoding="utf-8")
    net = archspec.load(path, "convnext_tiny")
    net.to_torch(device="meta", weights=names_of_the_reference())
    for name in ("convnext_tiny", "convnext_small", "convnext_base"):
        mine, wanted = archspec.load(path, name), shipped(name)
        assert (mine.parameters, mine.macs()) == (wanted.parameters, wanted.macs())


def test_finished_spec_is_formatted(output_of):
    assert output_of(WHOLE, "fmt", "--check", "convnext.arch") == [
        "0 would be reformatted, 1 already formatted"
    ]


def test_drawing_folds_repeated_blocks(output_of):
    command = "draw convnext.arch:convnext_tiny --depth 2 -o convnext.svg"
    assert f"archspec {command}\n" in PAGE.read_text(encoding="utf-8")
    output_of(WHOLE, *command.split())
    assert "× 9" in Path("convnext.svg").read_text(encoding="utf-8")


def test_training_program_reduces_the_loss(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    Path("convnext.arch").write_text(WHOLE, encoding="utf-8")
    space = {}
    exec(PROGRAMS[1], space)
    assert space["losses"][-1] < space["losses"][0]


@pytest.mark.live
def test_names_of_the_reference_are_printed(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torchvision")
    monkeypatch.chdir(tmp_path)
    Path("convnext.arch").write_text(WHOLE, encoding="utf-8")
    exec(PROGRAMS[0], {})
    assert capsys.readouterr().out.startswith("features.0.0.weight features.0.0.bias ")
