"""Passes given on the command line."""

import pytest
from typer.testing import CliRunner

from archspec.cli.main import app


def shown(*arguments):
    done = CliRunner().invoke(app, ["show", "resnet18", *arguments])
    return done.exit_code, done.output


def test_a_layer_is_swapped_at_paths():
    code, output = shown("--pass", 'swap{at="layer*.relu*",layer=gelu}', "--after", "swap")
    assert code == 0
    assert output.count("= gelu ") == 2 * output.count("block basic")


@pytest.mark.parametrize(
    ("options", "code"),
    [('at="layer9.*",layer=gelu', "E0913"), ('at="layer3.*",layer="linear(3)"', "E0403")],
)
def test_impossible_swap_is_a_diagnostic(options, code):
    status, output = shown("--pass", f"swap{{{options}}}")
    assert status == 1
    assert code in output


def test_dropout_is_removed_in_inference_only():
    for mode, count in ((), 0), (("--training",), 2):
        done = CliRunner().invoke(app, ["show", "vgg16", "--pass", "no_dropout", *mode])
        assert done.exit_code == 0
        assert done.output.count("dropout") == count
