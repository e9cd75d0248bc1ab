"""Completions for bash and zsh, and how to install them."""

import pytest
from typer.testing import CliRunner

from archspec.cli.main import app

SPEC = """\
network net(
  width: int = 8, kind: str in ["a", "b"] = "a", sizes: list[int] = [1, 2], name: str = "x",
  act: layer = relu, attend: layer = relu(), depth: int = width, flag: bool = true, must: float,
) {
  input image: f32[B = 1, 3, H = 32, W = 32]
  output y = image -> conv(width, 3) -> act
}

preset small = net(4, must=1.0)
"""


@pytest.fixture
def offers(tmp_path, monkeypatch):
    (tmp_path / "net.arch").write_text(SPEC)
    (tmp_path / "broken.arch").write_text("network broken {\n")
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "other.arch").write_text("network other {\n}\n")
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.chdir(tmp_path)

    def ask(line):
        words = line.split(" ")
        typed = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        environment = {**typed, "_ARCHSPEC_COMPLETE": "complete_bash"}
        return CliRunner().invoke(app, [], env=environment, prog_name="archspec").stdout.split()

    return ask


def test_specs(offers):
    assert {"resnet50", "net.arch", "broken.arch", "nets/"} <= {*offers("archspec show ")}
    assert "notes.txt" not in offers("archspec show no")
    assert "resnet152" in offers("archspec show resnet15")
    assert offers("archspec check nets/") == ["nets/other.arch"]
    assert offers("archspec draw net.arch:") == ["net.arch:net", "net.arch:small"]
    assert offers("archspec fmt ne") == ["net.arch", "nets/"]


def test_settings_of_the_network_are_offered(offers):
    assert offers("archspec show net.arch:small --set ") == [
        *("width=4", "kind=a", "kind=b", "sizes=", "name=x", "act=relu", "attend=", "depth="),
        *("flag=true", "flag=false", "must=1.0"),
    ]
    assert offers("archspec build net.arch:small --json --set wi") == ["width=4"]
    assert offers("archspec draw net.arch:small --size ") == ["B=1", "H=32", "W=32"]


def test_nothing_is_offered_for_a_broken_spec(offers):
    for spec in ("broken.arch", "nowhere.arch", "net.arch", ""):
        assert offers(f"archspec show {spec} --set ") == []


def test_names_of_passes_targets_and_codes(offers):
    assert {"fold", "strip"} <= {*offers("archspec show lenet --pass ")}
    assert offers("archspec show lenet --analysis int") == ["intensity"]
    assert offers("archspec build lenet --target torchs") == ["torchscript"]
    assert offers("archspec explain E0401") == ["E0401"]
    assert {*offers("archspec explain conv_b")} == {"conv_bn", "conv_bn_relu", "conv_backward"}


def test_shell_script_can_be_shown_and_installed():
    for command in ("--install-completion", "--show-completion"):
        assert command in CliRunner().invoke(app, ["--help"]).stdout


@pytest.mark.parametrize("command", ["build", "check", "show", "table", "draw", "list", "fmt"])
def test_flags_are_called_flags_in_help(command):
    output = CliRunner().invoke(app, [command, "--help"]).stdout
    assert "bool" not in output
    assert "flag" in output
