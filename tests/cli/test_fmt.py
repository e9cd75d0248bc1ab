"""`archspec fmt`."""

import pytest
from typer.testing import CliRunner

from archspec.cli.main import app

NEAT = "block unit(width: int) { conv(width, 3) -> relu }\n"
UNTIDY = "block unit( width:int ) {conv(width,3)->relu}\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "neat.arch").write_text(NEAT)
    (tmp_path / "untidy.arch").write_text(UNTIDY)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: CliRunner().invoke(app, ["fmt", *arguments], **options)


def test_files_are_formatted(run, tmp_path):
    done = run(".")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "reformatted untidy.arch\n1 reformatted, 1 already formatted\n"
    assert (tmp_path / "untidy.arch").read_text() == NEAT
    assert run(".").stderr == "0 reformatted, 2 already formatted\n"


def test_check_fails_without_changing_files(run, tmp_path):
    done = run("--check", ".")
    assert done.exit_code == 1
    assert done.stderr.startswith("would reformat untidy.arch\n")
    assert (tmp_path / "untidy.arch").read_text() == UNTIDY
    assert run("--check", "neat.arch").exit_code == 0


def test_diff_shows_what_would_change(run, tmp_path):
    done = run("--diff", "untidy.arch")
    assert done.exit_code == 1
    assert f"-{UNTIDY}+{NEAT}" in done.stdout
    assert (tmp_path / "untidy.arch").read_text() == UNTIDY


def test_standard_input(run):
    done = run("-", input=UNTIDY)
    assert (done.exit_code, done.stdout) == (0, NEAT)
    assert run("--check", "-", input=UNTIDY).exit_code == 1


def test_file_with_errors_is_skipped_and_others_are_formatted(run, tmp_path):
    (tmp_path / "broken.arch").write_text("block {\n")
    done = run(".")
    assert done.exit_code == 1
    assert "error[E01" in done.stderr
    assert (tmp_path / "broken.arch").read_text() == "block {\n"
    assert (tmp_path / "untidy.arch").read_text() == NEAT


def test_invalid_text_is_never_rewritten(run, tmp_path):
    odd = b"# caf\xe9\n" + UNTIDY.encode()
    (tmp_path / "latin1.arch").write_bytes(odd)
    done = run("latin1.arch")
    assert done.exit_code == 1
    assert "error[E0830]" in done.stderr
    assert "latin1.arch:1:6" in done.stderr
    assert (tmp_path / "latin1.arch").read_bytes() == odd
