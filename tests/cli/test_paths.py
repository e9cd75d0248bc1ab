"""Invalid paths, paths that are too long or of the wrong kind, for each command and function."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

import archspec
from archspec.cli.main import app
from archspec.diagnostics.failure import CompileFailed

SPEC = """\
network tiny {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output y = x -> conv(2, 3)
}
"""
LONG = "a" * 300


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "tiny.arch").write_text(SPEC)
    (tmp_path / "d.arch").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (LONG, "E0804", "name too long"),
        (f"{LONG}.arch", "E0804", "name too long"),
        (f"{LONG}.arch:tiny", "E0804", "name too long"),
        (f"tiny.arch:{LONG}", "E0701", "no network or preset"),
        ("", "E0804", "the path of the spec is empty"),
        (".", "E0804", "is a folder, not a file"),
        ("d.arch", "E0804", "is a folder, not a file"),
        ("d.arch:tiny", "E0804", "d.arch is a folder, not a file"),
        ("\0", None, r"no file and no shipped network `\x00`"),
        ("\0.arch:tiny", None, r"no file and no shipped network `\x00.arch`"),
        ("\ud800", None, r"no file and no shipped network `\ud800`"),
        ("tiny.arch/y.arch", None, "no file and no shipped network"),
        ("~/tiny.arch", None, "`~` is not expanded here"),
    ],
    ids=ascii,
)
def test_load_of_invalid_paths(given, code, words):
    with pytest.raises((CompileFailed, FileNotFoundError)) as caught:
        archspec.load(given)
    found = caught.value.diagnostics if isinstance(caught.value, CompileFailed) else ()
    assert [item.code for item in found] == ([code] if code else [])
    assert words in (found[0].message if found else str(caught.value)).replace("File n", "n")


@pytest.mark.parametrize("given", ["", "\0", "\ud800", LONG, "tiny.arch/y"], ids=ascii)
@pytest.mark.parametrize("what", ["draw", "build", "weights"])
def test_invalid_paths_of_outputs_and_weights(given, what, folder):
    net = archspec.load("tiny.arch")
    before = sorted(os.listdir(folder))
    calls = {
        "draw": lambda: net.draw(f"{given}.dot" if given else given),
        "build": lambda: net.build(given, targets="torch"),
        "weights": lambda: net.read_weights(given),
    }
    with pytest.raises(CompileFailed) as caught:
        calls[what]()
    (fault,) = caught.value.diagnostics
    assert fault.code == ("E0840" if what == "weights" else "E0803")
    assert ("the path is empty" in fault.message) == (given == "")
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize("given", [None, 3, b"tiny.arch"])
def test_non_path_is_a_type_error(given):
    net = archspec.load("tiny.arch")
    for call in (archspec.load, net.draw, net.build, net.read_weights):
        with pytest.raises(TypeError):
            call(given)
    with pytest.raises(TypeError, match="targets must be a name or a sequence of names"):
        net.build("out", targets=given)


COMMANDS = ("show", "check", "draw", "table", "build", "list", "fmt")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (LONG, "error[E0804]: "),
        (f"{LONG}.arch", "error[E0804]: "),
        ("tiny.arch/y", "there is no file"),
        ("", "is empty"),
    ],
    ids=ascii,
)
def test_invalid_paths_in_each_command(command, given, words):
    done = CliRunner().invoke(app, [command, given])
    assert done.exit_code == 2
    assert words in done.stderr + done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_long_name_where_paths_do_not_raise(command, monkeypatch):
    """As on Python 3.14, where `Path.exists` and its kin return False for a name too long."""
    for name in ("exists", "is_file", "is_dir"):
        monkeypatch.setattr(Path, name, _quiet(getattr(Path, name)))
    done = CliRunner().invoke(app, [command, LONG])
    assert done.exit_code == 2
    assert "error[E0804]: " in done.stderr + done.stdout


def _quiet(asked):
    def ask(path, *arguments, **options):
        try:
            return asked(path, *arguments, **options)
        except OSError:
            return False

    return ask


@pytest.mark.parametrize("command", COMMANDS)
def test_folder_named_like_a_spec(command):
    done = CliRunner().invoke(app, [command, "d.arch"])
    assert done.exit_code == 2
    takes_folders = command in ("check", "list", "fmt")
    message = (
        "there is no .arch file in d.arch" if takes_folders else "error[E0804]: d.arch is a fold"
    )
    assert message in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("draw", "tiny.arch", "-o", ""),
        ("build", "tiny.arch", "-o", ""),
        ("build", "tiny.arch", "--weights", ""),
        ("build", "tiny.arch", "--weights", "w.pt", "--entry", ""),
        ("build", "tiny.arch", "--weights", "w.pt", "--ignore", ""),
        ("build", "tiny.arch", "--target", ""),
    ],
)
def test_empty_option_value(arguments, folder):
    before = sorted(os.listdir(folder))
    assert CliRunner().invoke(app, list(arguments)).exit_code == 2
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write it as OLD=NEW"),
        ("backbone", "write it as OLD=NEW"),
        ("a=b=c", "write it as OLD=NEW"),
        ("=", "this renames nothing"),
        (" = ", "this renames nothing"),
        (".=", "this renames nothing"),
        ("a.=a", "this renames nothing"),
        ("*=", "names would be empty"),
        ("a.*=", "names would be empty"),
        ("=*", "each `*` of the new name"),
        ("a.*=*.*", "each `*` of the new name"),
    ],
)
def test_malformed_renaming(text, words):
    done = CliRunner().invoke(app, ["build", "tiny.arch", "--weights", "w.pt", "--rename", text])
    assert done.exit_code == 2
    assert f"--rename {text}: " in done.stderr
    assert words in done.stderr
