"""Exit codes of commands."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from archspec.cli.console import coloured, write
from archspec.cli.guard import WrongUsage, guarded
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic


def ending(problem, **options):
    @guarded
    def command(as_json: bool = False, passes: object = None) -> None:
        raise problem

    with pytest.raises(typer.Exit) as caught:
        command(**options)
    return caught.value.exit_code


FAILED = CompileFailed([diagnostic("E0401", "does not fit")])


def test_errors_in_a_spec_exit_with_1_and_diagnostics(capsys):
    assert ending(FAILED) == 1
    assert "error[E0401]: does not fit" in capsys.readouterr().err


def test_missing_network_is_wrong_usage(capsys):
    assert ending(CompileFailed([diagnostic("E0701", "no network `a`")])) == 2
    assert "no network `a`" in capsys.readouterr().err


def test_json_reports_the_reason_on_standard_output(capsys):
    assert ending(FAILED, as_json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert answer["diagnostics"][0]["code"] == "E0401"


def test_wrong_usage_exits_with_2_and_a_hint(capsys):
    assert ending(WrongUsage("no such file\x1b[2J", "did you mean x?")) == 2
    output = capsys.readouterr().err
    assert output == "error: no such file\\x1b[2J\nhelp: did you mean x?\n"


def test_bug_exits_with_70_without_a_traceback(capsys, monkeypatch):
    monkeypatch.delenv("ARCHSPEC_DEBUG", raising=False)
    assert ending(RuntimeError("oops")) == 70
    output = capsys.readouterr().err
    assert "internal error, please report it: RuntimeError: oops" in output
    assert "Traceback" not in output


def test_bug_after_passes_explains_how_to_verify_them(capsys):
    assert ending(RuntimeError("oops"), passes=["mine"]) == 70
    assert "with ARCHSPEC_VERIFY=1 each pass is verified" in capsys.readouterr().err


def test_the_traceback_of_a_bug_is_shown_on_request(capsys, monkeypatch):
    monkeypatch.setenv("ARCHSPEC_DEBUG", "1")
    assert ending(RuntimeError("oops")) == 70
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_exits_with_130(capsys):
    assert ending(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal, {}, True),
        (io.StringIO, {}, False),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"NO_COLOR": ""}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (Terminal, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_only_on_a_terminal_and_if_wanted(stream, environment, expected, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert coloured(stream()) is expected


def test_unencodable_characters_are_escaped():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    write("6 × 漢\n", stream)
    stream.flush()
    assert raw.getvalue() == b"6 \\xd7 \\u6f22\n"


def test_unreadable_file_is_wrong_usage(capsys):
    assert ending(PermissionError(13, "Permission denied", "secret.arch")) == 2
    assert "error[E0804]: secret.arch: Permission denied\n" in capsys.readouterr().err


def test_system_errors_have_a_code_in_json_too(capsys):
    assert ending(OSError(36, "File name too long", "a" * 300), as_json=True) == 2
    assert json.loads(capsys.readouterr().out)["diagnostics"][0]["code"] == "E0804"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("errors_too", [False, True])
@pytest.mark.parametrize("arguments", [["list"], ["show", "resnet18", "--json"]])
def test_full_output_device_exits_with_2_and_a_code(arguments, errors_too):
    command = [sys.executable, "-m", "archspec", *arguments]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, stdout=full, stderr=full if errors_too else subprocess.PIPE)
    assert ended.returncode == 2
    if not errors_too:
        assert b"error[E0804]: No space left on device" in ended.stderr
        assert b"Traceback" not in ended.stderr
