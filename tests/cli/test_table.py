"""`archspec table`: costs for values of parameters and for sizes."""

import json

import pytest
from typer.testing import CliRunner

from archspec.cli.main import app

SPEC = """\
network small(width: int = 8, depth: int = 1, norm: layer = batch_norm) {
  input image: f32[B = 1, 3, H = 32, W = 32]
  output logits = image
    -> for i in 0..depth { conv(width, 3) -> norm }
    -> max_pool(4) -> global_avg_pool -> fc: linear(10)
}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "small.arch").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["table", *arguments])


def test_width_against_resolution():
    """The table of Howard et al. 2017 (arXiv:1704.04861), counted as timm and transformers do."""
    vary, sizes = "factor=[1.0, 0.75, 0.5, 0.25]", "H=W=[224, 192, 160, 128]"
    done = CliRunner().invoke(
        app, ["table", "mobilenetv1_100", "--vary", vary, "--sizes", sizes, "--json"]
    )
    rows = json.loads(done.stdout)["rows"]
    found = {
        (row["settings"]["factor"], row["sizes"]["H"]): (row["parameters"], row["macs"])
        for row in rows
    }
    assert len(found) == 16
    assert found[1.0, 224] == (4_231_976, 568_740_352)
    assert found[1.0, 192] == (4_231_976, 418_121_728)
    assert found[1.0, 160] == (4_231_976, 290_675_200)
    assert found[1.0, 128] == (4_231_976, 186_400_768)
    assert found[0.75, 224] == (2_585_560, 325_400_448)
    assert found[0.5, 224] == (1_331_592, 149_497_088)
    assert found[0.5, 160] == (1_331_592, 76_524_800)
    assert found[0.25, 224] == (470_072, 41_030_272)
    assert all(row["sizes"]["H"] == row["sizes"]["W"] for row in rows)


def test_columns_are_aligned_and_the_last_list_varies_fastest(run):
    done = run("small.arch", "--vary", "width=[8, 16]", "--sizes", "H=[32, 64]")
    assert done.exit_code == 0
    assert done.stdout == (
        "width   H  parameters     MACs  depth\n"
        "    8  32         330  221,264      2\n"
        "    8  64         330  442,448      2\n"
        "   16  32         650  442,528      2\n"
        "   16  64         650  884,896      2\n"
    )


def test_layers_booleans_and_lists_are_values_too(run):
    done = run("small.arch", "--vary", "norm=[identity, group_norm(4, eps=1e-3)]")
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0].strip() or line.split()[0] for line in lines[1:]] == [
        "identity",
        "group_norm(4, eps=1e-3)",
    ]


def test_names_that_share_a_list_vary_together(run):
    done = run("small.arch", "--vary", "width = depth = [1, 2]", "--json")
    assert [row["settings"] for row in json.loads(done.stdout)["rows"]] == [
        {"width": 1, "depth": 1},
        {"width": 2, "depth": 2},
    ]


def test_invalid_size_has_no_cost(run):
    done = run("small.arch", "--sizes", "H=[2, 4]")
    assert done.exit_code == 0
    costs = [line.split()[-2:] for line in done.stdout.splitlines()[1:3]]
    assert costs == [["-", "-"], ["27,728", "2"]]
    assert "- : an invalid size" in done.stdout
    done = run("small.arch", "--sizes", "H=[2, 4]", "--json")
    assert [row["macs"] for row in json.loads(done.stdout)["rows"]] == [None, 27_728]


def test_depth_is_computed_for_the_sizes_of_a_row(run, tmp_path):
    (tmp_path / "again.arch").write_text(
        "network again {\n  input x: f32[B = 1, T = 3, 4] where T % 2 == 1\n"
        "  output y = x -> mean(axis=1) -> iterate(linear(4), T)\n}\n"
    )
    done = run("again.arch", "--sizes", "T=[1, 5, 6]", "--json")
    rows = json.loads(done.stdout)["rows"]
    assert [(row["macs"], row["depth"]) for row in rows] == [(16, 1), (80, 5), (None, None)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--vary", "width=8"), "the values must be a list"),
        (("--vary", "width=[]"), "--vary width=[]: the list of values is empty"),
        (("--vary", "width="), "--vary width=: the list of values is missing"),
        (("--vary", "=[1]"), "--vary =[1]: write it as name=[..]"),
        (("--vary", "wi dth=[1]"), "--vary wi dth=[1]: write it as name=[..]"),
        (("--vary", ""), "--vary : write it as name=[..]"),
        (("--vary", "width=16,32"), "--vary width='[16, 32]'"),
        (("--vary", "width=(1, 2)"), "--vary width=(1, 2): `(1, 2)` is not a value"),
        (("--sizes", "H=W="), "--sizes H=W=: the list of values is missing"),
        (("--sizes", "H=1..4"), "--sizes H=1..4: `1..4` is not a value"),
        (("--sizes", "H=1..4"), "write a range as a list"),
        (("--sizes", "width=[1]"), "`width` is a parameter: --vary width='[..]'"),
        (("--sizes", "H=[1]", "--sizes", "H=[2]"), "`H` is given twice, by --sizes"),
        (("--vary", "width"), "write it as name=[..]"),
        (("--set", "width=[8, 16]"), "write --vary width='[8, 16]'"),
        (("--set", "width=[8], [16]"), "write --vary width='[[8], [16]]'"),
        (("--vary", "width=[1 + 1]"), "is not a value"),
        (("--vary", "width=[1]", "--set", "width=2"), "twice, by --set and --vary"),
        (("--vary", "width=width=[1]"), "`width` is given twice"),
        (("--sizes", "H=[1.5]"), "sizes are whole numbers"),
        (("--sizes", "Q=[3]"), "no free dimension `Q`"),
        (("--vary", f"width={list(range(1001))}"), "at most 1,000 are allowed"),
    ],
)
def test_wrong_usage(run, arguments, message):
    done = run("small.arch", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_value_refused_by_the_network_exits_with_1(run):
    done = run("small.arch", "--vary", "widht=[1]")
    assert done.exit_code == 1
    assert "did you mean `width`?" in done.stderr
    done = run("small.arch", "--vary", "H=[64]")
    assert done.exit_code == 1
    assert "`H` is a free dimension of an input" in done.stderr
