"""The commands as users see them: output, files, and exit codes."""

import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import archspec
from archspec.cli.library import library
from archspec.cli.main import app
from archspec.cli.words_of_language import WORDS
from archspec.diagnostics import catalogue

GOOD = """\
# A small network.
network small(width: int = 8) {
  input image: f32[B = 1, 3, H = 32, W = 32]
  output logits = image -> conv(width, 3) -> relu -> global_avg_pool -> fc: linear(10)
}

preset wide = small(64)
"""

# one syntax error, one unknown name, one channel mismatch
BAD = """\
network bad {
  input image: f32[B = 1, 3, H = 32, W = 32]
  a = image -> conv(8, 3
  b = image -> cnov(8, 3)
  output y = image -> [conv(8, 3), conv(16, 3)] -> add
}
"""

WARNS = """\
network halves {
  input image: f32[B = 1, 3, H = 32, W = 32]
  output y = image -> [identity, max_pool(2) -> upsample(2)] -> concat
}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in a folder with `good.arch`, `bad.arch` and `warns.arch`."""
    (tmp_path / "small.arch").write_text(GOOD)
    (tmp_path / "bad.arch").write_text(BAD)
    (tmp_path / "warns.arch").write_text(WARNS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHSPEC_DEBUG", raising=False)
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), **options)


# ---------------------------------------------------------------------- check


def test_check_of_a_valid_spec_succeeds(run):
    done = run("check", "small.arch")
    assert (done.exit_code, done.stdout) == (0, "no problems found in 1 file\n")


def test_check_reports_all_errors_of_a_run(run):
    done = run("check", "bad.arch", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["ok"]) == (1, False)
    places = {(item["line"], item["code"][:3]) for item in answer["diagnostics"]}
    assert places == {(3, "E01"), (4, "E02"), (5, "E04")}
    assert {item["file"] for item in answer["diagnostics"]} == {"bad.arch"}


def test_check_prints_source_excerpts(run):
    done = run("check", "bad.arch")
    assert done.exit_code == 1
    assert "--> bad.arch:4:16" in done.stdout
    assert "did you mean `conv`?" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("found 3 errors")


def test_warning_does_not_fail_the_check(run):
    done = run("check", "warns.arch", "--format", "concise")
    assert done.exit_code == 0
    assert "warning[W0401]" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_check_takes_folders_and_several_files(run):
    assert run("check", ".").exit_code == 1
    done = run("check", "small.arch", "warns.arch", "--format", "github")
    assert done.stdout.startswith("::warning file=warns.arch,line=")


def test_check_of_a_missing_network(run):
    done = run("check", "small.arch:wied")
    assert done.exit_code == 2
    assert "did you mean `wide`?" in done.stdout
    assert run("check", "small.arch:wide").exit_code == 0


def test_an_error_in_a_file_used_by_several_is_reported_once(run, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "parts.arch").write_text("block part { rleu }\n")
    for name in "ab":
        text = GOOD.replace("relu", "part").replace("small", name)
        (folder / f"{name}.arch").write_text("use parts { part }\n" + text)
    for command in (["check", "shared", "--json"], ["list", "shared", "--json"]):
        answer = json.loads(run(*command).stdout)
        assert [item["code"] for item in answer["diagnostics"]] == ["E0210"]


def test_file_name_may_contain_a_colon(run, tmp_path):
    (tmp_path / "a:b.arch").write_text(GOOD)
    assert run("check", "a:b.arch").exit_code == 0
    assert run("show", "a:b.arch:wide").stdout.startswith("wide at")


# ---------------------------------------------------------------------- show and list


def test_show(run):
    done = run("show", "small.arch")
    assert done.exit_code == 0
    assert done.stdout.startswith("small at B = 1, H = 32, W = 32\nA small network.\n")
    assert "parameters" in done.stdout
    assert "fc" in done.stdout


def test_depth_expands_blocks(run, tmp_path):
    (tmp_path / "deep.arch").write_text(
        "block unit(width: int) { conv: conv(width, 3) -> relu }\n"
        "network deep {\n"
        "  input x: f32[B = 1, 8, H = 8, W = 8]\n"
        "  output y = x -> for i in 0..3 { unit(8) } -> last: unit(4)\n"
        "}\n"
    )
    flat, opened = (run("show", "deep.arch", "--depth", depth).stdout for depth in "12")
    assert "unit × 3" in flat
    assert ".conv" not in flat
    assert opened.count(".conv ") == 2
    assert "name" not in run("show", "deep.arch", "--depth", "0").stdout
    # 3 (8 * 8 * 9 + 8) + (8 * 4 * 9 + 4), and 64 times that without the biases
    for output in (flat, opened):
        assert "total 2,044 129,024" in [" ".join(line.split()) for line in output.splitlines()]


def test_many_outputs_of_a_block_are_not_all_listed(run, tmp_path):
    (tmp_path / "many.arch").write_text(
        'block chain { for i in 0..9 { "layer{i}": linear(i + 1) } }\n'
        "network many(n: int = 9) {\n"
        "  input x: f32[B = 1, 8]\n"
        '  output y = x -> net: tap(chain, ...["layer{i}" for i in 0..n]) -> concat\n'
        "}\n"
    )
    many, few = (run("show", "many.arch", "--set", f"n={n}").stdout for n in (9, 3))
    assert "[B, 1]; [B, 2]; ..; [B, 9] (9 in all)" in many
    assert "[B, 1]; [B, 2]; [B, 3]" in few


def test_receptive_fields_are_left_out_if_all_are_the_whole_input(run, tmp_path):
    (tmp_path / "fields.arch").write_text(
        "network far {\n"
        "  input x: f32[B = 1, 8, H = 8, W = 8], y: f32[B, 8, H, W]\n"
        "  output a, b = x + y -> global_avg_pool -> [linear(2), linear(3)]\n"
        "}\n"
        "network near {\n"
        "  input x: f32[B = 1, 8, H = 8, W = 8]\n"
        "  output a = x -> conv(8, 3)\n"
        "  output b = x -> global_avg_pool\n"
        "}\n"
    )
    far, near = (
        [line for line in run("show", f"fields.arch:{name}").stdout.splitlines() if "field" in line]
        for name in ("far", "near")
    )
    assert far == []
    assert [line.partition(", ")[2].split(None, 3)[3] for line in near] == [
        "3 × 3",
        "the whole input",
    ]


def test_each_part_of_an_output_has_a_receptive_field(run, tmp_path):
    (tmp_path / "parts.arch").write_text(
        "network parts {\n"
        "  input x: f32[B = 1, 8, H = 8, W = 8]\n"
        "  output maps = x -> [conv(8, 3), conv(8, 5)]\n"
        "}\n"
    )
    fields = json.loads(run("show", "parts.arch", "--json").stdout)["receptive_fields"]
    assert [(item["output"], item["field"]) for item in fields] == [
        ("maps[0]", "3 × 3"),
        ("maps[1]", "5 × 5"),
    ]


MODES = """\
network modes {
  input x: f32[B = 1, 8]
  y = x -> stem: linear(4)
  output a = y -> fc: linear(3) -> if training { norm: batch_norm } else { linear(2) }
  output b = y -> aux: linear(5) when training
}
"""


@pytest.mark.parametrize(
    ("arguments", "elsewhere", "total"),
    [
        # stem 8 * 4 + 4 and fc 4 * 3 + 3 in both modes; norm 6 and aux 4 * 5 + 5; linear 3 * 2 + 2
        ((), "only in training 31", "total 90 50"),
        (("--training",), "only in inference 8", "total 90 128"),  # of two rows, for the norm
    ],
)
def test_parameters_of_the_other_mode_only_have_a_row(run, tmp_path, arguments, elsewhere, total):
    (tmp_path / "modes.arch").write_text(MODES)
    output = run("show", "modes.arch", *arguments).stdout
    rows = [" ".join(line.split()) for line in output.splitlines()]
    at = rows.index(elsewhere)
    assert rows[at + 1] == total
    numbers = [
        row.split() for row in rows[rows.index("name block output parameters MACs") + 1 : at]
    ]
    assert sum(int(row[-2]) for row in numbers) + int(elsewhere.split()[-1]) == 90


@pytest.mark.parametrize(
    ("layers", "paths"),
    [
        ("linear(8) -> relu", None),
        ("[identity, linear(8)] -> add", "2"),
        ("[linear(8), linear(8), linear(8)] -> scaled_dot_product_attention", None),
    ],
)
def test_number_of_paths_is_shown_if_there_are_alternatives(run, tmp_path, layers, paths):
    (tmp_path / "net.arch").write_text(
        f"network net {{ input x: f32[B = 1, 2, T = 4, 8]\n output y = x -> {layers} }}\n"
    )
    output = run("show", "net.arch").stdout
    found = [line.split()[-1] for line in output.splitlines() if line.startswith("paths")]
    assert found == ([paths] if paths else [])


def test_show_json_contains_all_facts(run):
    done = run("show", "small.arch:wide", "--json")
    answer = json.loads(done.stdout)
    wanted = {"name", "parameters", "macs", "depth", "inputs", "outputs", "valid_sizes"}
    assert wanted <= answer.keys()
    assert answer["name"] == "wide"
    assert answer["parameters"] == 3 * 9 * 64 + 64 + 64 * 10 + 10
    assert answer["macs"] == 3 * 9 * 64 * 32 * 32 + 64 * 10


def test_set_assigns_a_parameter(run):
    done = run("show", "small.arch", "--set", "width=4", "--json")
    assert json.loads(done.stdout)["parameters"] == 3 * 9 * 4 + 4 + 4 * 10 + 10


def test_bare_word_is_a_layer_for_a_layer_parameter(run, tmp_path):
    (tmp_path / "acts.arch").write_text(
        "block soft { softplus -> tanh }\n"
        "network acts(act: layer = relu, more: list[layer] = [relu]) {\n"
        "  input x: f32[B = 1, 4]\n"
        "  output x -> act -> for f in more { f }\n"
        "}\n"
        "preset other = acts(gelu)\n"
    )
    done = run("show", "acts.arch:other", "--set", "act=soft", "--set", "more=[silu, soft]")
    assert done.exit_code == 0
    blocks = done.stdout.partition("--set")[0]
    assert [word in blocks for word in ("soft", "silu", "gelu", "relu")] == [
        *[True, True],
        *[False, False],
    ]
    done = run("show", "acts.arch", "--set", "act=sotf")
    assert done.exit_code == 1
    assert "there is no `sotf`" in done.stderr
    assert "did you mean `soft`?" in done.stderr


@pytest.mark.parametrize(
    ("setting", "output"),
    [
        ("width=99999999999999999999", "`width` does not fit in 64 bits"),
        ("width=-1e999", "`width` is -inf, which is not a number in a spec"),
        ("width=true", "width = true"),
        ("width=[1, a]", 'width = [1, "a"]'),
    ],
)
def test_assigned_values_are_shown_as_in_a_spec(run, setting, output):
    done = run("show", "small.arch", "--set", setting)
    assert done.exit_code == 1
    assert output in done.stderr


@pytest.mark.parametrize("setting", ["depth=4", 'width="a"'])
def test_wrong_value_of_set_is_a_parameter_error(run, setting):
    done = run("show", "small.arch", "--set", setting)
    assert done.exit_code == 1
    assert "error[E03" in done.stderr


def test_failing_show_answers_in_json_too(run):
    done = run("show", "bad.arch", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["ok"] is False


def test_warnings_of_show_do_not_change_its_output(run):
    done = run("show", "warns.arch", "--json")
    assert json.loads(done.stdout)["name"] == "halves"
    assert "W0401" in done.stderr


def test_list(run):
    done = run("list", "small.arch", "--json")
    found = [{key: row[key] for key in ("name", "file", "kind")} for row in json.loads(done.stdout)]
    assert found == [
        {"name": "small", "file": "small.arch", "kind": "network"},
        {"name": "wide", "file": "small.arch", "kind": "preset"},
    ]
    assert "wide   small(64)" in run("list", "small.arch").stdout


def test_list_contains_shipped_networks(run):
    rows = json.loads(run("list", "--json").stdout)
    assert {"fractalnet", "resnet50", "densenet121", "vit_b_16", "unet", "lenet"} <= {
        row["name"] for row in rows
    }


def test_a_shipped_network_is_found_by_name(run):
    assert json.loads(run("show", "lenet", "--json").stdout)["name"] == "lenet"


# ---------------------------------------------------------------------- explain


def test_explain(run):
    page = next(iter(catalogue.pages().values()))
    assert run("explain", page.code.lower()).stdout.strip() == page.text.strip()
    assert f"{page.code}  {page.title}" in run("explain").stdout
    assert json.loads(run("explain", page.code, "--json").stdout)["title"] == page.title


def test_explain_lists_the_ops(run):
    lines = run("explain", "ops").stdout.splitlines()
    assert any(re.match(r"  conv +\w.*\.$", line) for line in lines)
    assert {"op", "category", "text"} == set(json.loads(run("explain", "ops", "--json").stdout)[0])
    assert "`archspec explain ops`" in run("explain", "zzzz").output


@pytest.mark.parametrize(
    ("name", "expected"),
    [("torch.cat", "concat?"), ("nn.LSTM", "lstm?"), ("nn.ModuleList", "a list: `[f, g]`")],
)
def test_explain_knows_names_of_pytorch(run, name, expected):
    assert expected in run("explain", name).output


def test_explain_an_initialiser(run):
    text = run("explain", "kaiming_normal").stdout
    assert "kaiming_normal(mode=fan_in" in text
    assert "init conv.weight" in text
    assert "## zeros as an initialiser" in run("explain", "zeros").stdout  # it is an op, too
    listed = json.loads(run("explain", "initialisers", "--json").stdout)
    assert {"initialiser", "text"} == set(listed[0])
    assert "did you mean xavier_normal?" in run("explain", "xavier_norm").output


def test_explain_an_op(run):
    text = run("explain", "lstm").stdout
    assert "hidden" in text
    assert "Results: y, h, c" in text
    assert json.loads(run("explain", "conv", "--json").stdout)["op"] == "conv"
    wrong = run("explain", "convv")
    assert wrong.exit_code == 2
    assert "there is no code, op, initialiser or block convv" in wrong.output
    assert "did you mean conv?" in wrong.output


def test_explain_a_block_of_the_library(run):
    text = run("explain", "conv_bn_relu").stdout
    assert "use std.cnn { conv_bn_relu }\n\nblock conv_bn_relu(\n  width: int,\n" in text
    assert "Convolution, norm, activation." in text
    assert run("explain", "std.cnn.conv_bn_relu").stdout == text
    assert run("explain", "std.kan.conv_bn_relu").exit_code == 2
    assert "use " not in run("explain", "residual").stdout.replace("needs no `use`", "")
    clauses = [line for line in run("explain", "dense").stdout.splitlines() if "rule dense" in line]
    assert len(clauses) == 2
    found = json.loads(run("explain", "conv_bn_relu", "--json").stdout)
    assert (found["block"], found["module"], found["text"]) == (
        *("conv_bn_relu", "std.cnn", text.removesuffix("\n")),
    )


def test_explain_lists_the_library(run):
    lines = run("explain", "std").stdout.splitlines()
    at = lines.index("std.cnn")
    assert lines[at + 1].split(maxsplit=1) == ["conv_bn_relu", "Convolution, norm, activation."]
    assert len(json.loads(run("explain", "std", "--json").stdout)) == len(library())


def test_explain_a_module_of_the_library(run):
    text = run("explain", "std.objectives").stdout
    assert "- `cross_entropy`: " in text
    assert run("explain", "objectives").stdout == text
    assert json.loads(run("explain", "std.cnn", "--json").stdout)["module"] == "std.cnn"


@pytest.mark.parametrize("word", sorted(WORDS))
def test_explain_a_word_of_the_language(run, word):
    result = run("explain", word)
    assert result.exit_code == 0
    assert WORDS[word] in result.stdout


def test_parameter_from_outside_has_no_position_in_a_file(run):
    output = run("show", "lenet", "--set", "clases=10").output
    assert "--> <parameters>\n" in output


def test_layer_of_a_network_that_is_not_imported_says_how_to_import_it(run):
    output = run("show", "resnet18", "--set", "act=vgg16").output
    assert "use vgg { vgg16 }" in output


def test_explain_of_a_network_suggests_show(run):
    wrong = run("explain", "resnet50")
    assert wrong.exit_code == 2
    assert "`archspec show resnet50`" in wrong.output


# ---------------------------------------------------------------------- draw and build


def test_draw_writes_to_the_given_path(run, tmp_path):
    done = run("draw", "small.arch", "-o", "pictures/small.dot", "--depth", "2")
    assert (done.exit_code, done.stdout) == (0, "wrote pictures/small.dot\n")
    assert "digraph" in (tmp_path / "pictures" / "small.dot").read_text()


def test_draw_to_all_depths_expands_every_block(run, tmp_path):
    for depth in ("all", "99", "0"):
        assert run("draw", "small.arch", "-o", f"{depth}.dot", "--depth", depth).exit_code == 0
    everything, deep, flat = ((tmp_path / f"{d}.dot").read_text() for d in ("all", "99", "0"))
    assert everything == deep != flat
    for depth in ("some", "-1", "1.5", "9" * 5000):
        wrong = run("draw", "small.arch", "--depth", depth)
        assert wrong.exit_code == 2
        assert "or `all`" in " ".join(wrong.output.replace("│", " ").split())


def test_draw_suggests_a_smaller_depth_for_a_drawing_with_many_boxes(run):
    done = run("draw", "u2netp", "--depth", "all", "-o", "whole.dot")
    assert done.exit_code == 0
    found = re.fullmatch(
        r"the drawing has (\d+) boxes; --depth (\d) is easier to read\n", done.stderr
    )
    assert found is not None
    assert run("draw", "u2netp", "--depth", found[2], "-o", "less.dot").stderr == ""


def test_build_lists_written_files(run, tmp_path):
    done = run("build", "small.arch", "--target", "torch", "-o", "out", "--json")
    assert done.exit_code == 0
    files = json.loads(done.stdout)["files"]
    assert all((tmp_path / item["path"]).stat().st_size == item["bytes"] for item in files)
    assert any(item["path"].endswith(".py") for item in files)


def test_build_loads_weights_and_reports_it(run, tmp_path):
    torch = pytest.importorskip("torch")
    state = archspec.load(tmp_path / "small.arch", "small").to_torch(seed=9).state_dict()
    torch.save({"model": state}, tmp_path / "w.pth")
    arguments = ("build", "small.arch", "--weights", "w.pth", "-o", "out")
    done = run(*arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("weights from w.pth, entry `model`\nwrote ")
    assert json.loads(run(*arguments, "--json").stdout)["weights"] == "w.pth, entry `model`"
    assert json.loads(run("build", "small.arch", "--json").stdout)["weights"] is None


def test_options_of_build_select_parts_of_a_checkpoint(run, tmp_path):
    torch = pytest.importorskip("torch")
    state = archspec.load(tmp_path / "small.arch", "small").to_torch(seed=9).state_dict()
    named = {f"body.{name}": value for name, value in state.items()} | {"loss.a": torch.ones(1)}
    torch.save({"model": named, "model_ema": named}, tmp_path / "w.pth")
    arguments = ("build", "small.arch", "--weights", "w.pth", "-o", "out")
    done = run(*arguments, "--rename", "body=", "--ignore", "loss.*")
    assert done.exit_code == 2
    assert "several: `model`, `model_ema`" in done.stderr
    assert not (tmp_path / "out").exists()
    done = run(*arguments, "--entry", "model_ema", "--rename", "body=", "--ignore", "loss.*")
    assert (done.exit_code, done.stderr) == (0, "")
    output = f"1 name matching `loss.*` ignored, `body.` removed from {len(state)} names"
    assert done.stdout.startswith(f"weights from w.pth, entry `model_ema`, {output}\nwrote ")
    assert run(*arguments, "--rename", "body").exit_code == 2
    assert run("build", "small.arch", "--entry", "model").exit_code == 2


def test_folded_networks_are_shown_drawn_and_built(run, tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "norms.arch").write_text(GOOD.replace("-> relu", "-> batch_norm -> relu"))
    whole = json.loads(run("show", "norms.arch:small", "--json").stdout)
    folded = json.loads(run("show", "norms.arch:small", "--fold", "--json").stdout)
    assert folded["name"] == "small_folded"
    assert whole["parameters"] - folded["parameters"] == 2 * 8
    done = run("draw", "norms.arch:small", "--fold", "-o", "small.dot")
    assert done.exit_code == 0
    assert "batch_norm" not in (tmp_path / "small.dot").read_text()
    state = archspec.load(tmp_path / "norms.arch", "small").to_torch(seed=9).state_dict()
    torch.save(state, tmp_path / "w.pth")
    done = run("build", "norms.arch:small", "--fold", "--weights", "w.pth", "-o", "out")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("weights from w.pth, folded\nwrote out/small_folded.py")


def test_mismatched_and_damaged_weights_have_different_exit_codes(run, tmp_path):
    torch = pytest.importorskip("torch")
    state = archspec.load(tmp_path / "small.arch", "small").to_torch().state_dict()
    torch.save({"fd" + name[2:]: value for name, value in state.items()}, tmp_path / "w.pth")
    done = run("build", "small.arch", "--weights", "w.pth", "-o", "out")
    assert done.exit_code == 1
    assert done.stderr.startswith("error[E0842]: weights do not fit `small`: 4 missing, 4 unexp")
    (tmp_path / "w.pth").write_bytes(b"PK")
    for name, code in (("w.pth", "E0841"), ("no.pth", "E0840")):
        done = run("build", "small.arch", "--weights", name, "-o", "out", "--json")
        assert (done.exit_code, done.stderr) == (2, "")
        assert json.loads(done.stdout)["diagnostics"][0]["code"] == code
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["show"], "SPEC"),
        (["show", "--nonsense", "small.arch"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["show", "smal.arch"], "did you mean small.arch?"),
        (["show", "small.arch:wied"], "did you mean `wide`?"),
        (["show", "resnet5O"], "did you mean `resnet50`?"),
        (["show", "small.arch", "--set", "width"], "name=value"),
        (["show", "small.arch", "--set", "width=)"], "not a value"),
        (["check", "small.arch", "--format", "xml"], "xml"),
        (["draw", "small.arch", "-o", "small.jpeg"], ".svg, .png, .pdf, .dot"),
        (["build", "small.arch", "--column", "0"], "greater than or equal to 1"),
        (["build", "small.arch", "--target", "tensorflow"], "there is no target `tensorflow`"),
        (["explain", "E9"], "there is no code E9"),
        (["list", "nowhere"], "no shipped network has `nowhere`"),
        (["check", "empty"], "there is no .arch file in empty"),
        (["fmt", "empty"], "there is no .arch file in empty"),
        (["show", ""], "SPEC is empty"),
        (["build", "small.arch", "-o", "small.arch"], "cannot write into small.arch"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2(run, tmp_path, arguments, output):
    (tmp_path / "empty" / "folder.arch").mkdir(parents=True)
    done = run(*arguments)
    assert done.exit_code == 2
    assert output in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------------- as a process


def process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "archspec", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize("command", ["draw", "build"])
def test_unwritable_path_is_wrong_usage(run, tmp_path, command):
    (tmp_path / "file").write_text("")
    done = run(command, "small.arch", "-o", str(tmp_path / "file" / "a.svg"))
    assert done.exit_code == 2
    assert "error[E0803]: cannot write" in done.stderr


def test_help_has_examples():
    done = process("--help", env={**os.environ, "COLUMNS": "100"})
    assert done.returncode == 0
    for word in ("build", "check", "show", "draw", "list", "fmt", "explain", "Exit codes"):
        assert word in done.stdout
    assert "archspec draw resnet50 -o resnet50.svg" in process("draw", "--help").stdout


def test_broken_pipe_is_not_reported_as_a_bug():
    with subprocess.Popen(
        [sys.executable, "-m", "archspec", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        running.stdout.close()
        output = running.stderr.read()
    assert running.returncode == 141
    assert output == b""


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&-"])
def test_closed_stream_is_not_reported_as_a_bug(closed):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m archspec list {closed}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_version():
    assert process("--version").stdout == f"archspec {archspec.__version__}\n"


# ---------------------------------------------------------------------- passes


def test_a_pass_is_requested_by_name_and_shown(run):
    done = run("show", "small.arch:small", "--pass", "strip", "--after", "strip")
    assert done.exit_code == 0
    assert "  relu = relu conv: f32[B, 8, H, W]\n" in done.stdout
    before = run("show", "small.arch:small", "--pass", "strip", "--after", "input")
    assert before.stdout == done.stdout


def test_short_form_of_a_pass_is_equivalent(run):
    texts = [
        run("show", "fractalnet", *arguments).stdout
        for arguments in (
            ["--column", "2", "--fold"],
            ["--pass", "fold", "--pass", "extract{column=2}"],
            ["--pass", " extract { column = 2 } ", "--fold"],
        )
    ]
    assert texts[0].startswith("fractalnet_column_2_folded at ")
    assert texts[1:] == texts[:1] * 2


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["--pass", "nosuch"], "error[E0910]: there is no pass `nosuch`; there are `extract`, "),
        (["--pass", "fould"], "write `fold`"),
        (["--pass", "extract"], "the pass `extract` needs `column`"),
        (["--pass", "extract{2}"], "error: --pass extract{2}: `2` is not option=value"),
        (["--pass", "extract{column=}"], "the braces contain option=value, .."),
        (["--pass", "extract{column=1, column=2}"], "gives `column` twice"),
        (["--pass", ""], "write it as name{option=value}"),
        (["--pass", "fold{", "--after", "fold"], "write it as name{option=value}"),
        (["--after", "fold"], "error: --after fold: no pass ran"),
        (["--pass", "strip", "--after", "fold"], "error: --after fold: strip ran"),
    ],
)
def test_invalid_pass_is_wrong_usage(run, arguments, output):
    done = run("show", "small.arch:small", *arguments)
    assert (done.exit_code, output in done.output) == (2, True), done.output


def test_output_folder_of_build_does_not_hide_a_shipped_network(run, tmp_path):
    (tmp_path / "lenet").mkdir()
    (tmp_path / "lenet" / "lenet.py").write_text("")
    assert run("check", "lenet").stdout == "no problems found in 1 file\n"
    assert run("show", "lenet").exit_code == 0
    assert archspec.load("lenet").name == "lenet"
    assert "lenet.arch" in run("list", "lenet").stdout


def test_build_without_graphviz_skips_only_the_drawing(run, tmp_path, monkeypatch):
    monkeypatch.setattr("archspec.diagram.render.program", lambda: None)
    done = run("build", "small.arch", "--target", "torch", "-o", "out")
    assert done.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "small.py",
        "small.report.md",
    ]
    assert done.stderr == "there is no drawing: small.report.md gives the reason\n"
    assert "pip install graphviz-pure" in (tmp_path / "out" / "small.report.md").read_text()
    assert run("draw", "small.arch").exit_code == 2
