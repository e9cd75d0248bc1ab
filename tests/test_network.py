"""The façade: uses of a network."""

import importlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import archspec
from archspec.analysis.machine import to_json
from archspec.analysis.markdown import markdown
from archspec.analysis.number_format import short, short_bytes
from archspec.diagnostics.failure import CompileFailed

ROOT = Path(__file__).resolve().parents[1]

SPEC = """
block unit(width: int) { conv(width, 3, bias=false) -> batch_norm -> relu }

rule columns(1, width) => [unit(width)]
rule columns(c, width) => [unit(width), ...(columns(c - 1, width) -> join(draw="column") -> columns(c - 1, width))]

# A small fractal.
network small(count: int = 3, width: int = 8, classes: int = 10) {
  input image: f32[B = 1, 3, H = 16, W = 16] where H % 2 == 0
  draw column = mixed(0.5)
  output logits = image -> columns(count, width) -> join(draw="column") -> max_pool(2) -> global_avg_pool -> fc: linear(classes)
}

network twins {
  input image: f32[B = 1, 3, H = 16, W = 16]
  x = image -> conv(4, 3)
  output both = x when training
  output mean = x -> global_avg_pool
}

preset narrow = small(width=4)
"""  # noqa: E501  (as a user writes it)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("specs") / "nets.arch"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def net(file):
    return archspec.load(file, "small")


def test_costs_and_repr(net):
    convs = 3 * 8 * 9 * 3 + 4 * 8 * 8 * 9
    norms = 7 * 16
    assert net.parameters == convs + norms + 8 * 10 + 10
    assert net.macs() == convs * 16 * 16 + 80
    assert net.macs(H=32, W=32) == convs * 32 * 32 + 80
    assert net.depth == 5
    assert net.name == "small"
    assert repr(net) == f"<Network small: {net.parameters:,} parameters>"


def test_inputs_outputs_and_sizes(net):
    assert [str(item) for item in net.inputs] == ["image: f32[B, 3, H, W]"]
    assert [str(item) for item in net.outputs] == ["logits: f32[B, 10]"]
    assert net.accepts(H=18, W=7)
    assert not net.accepts(H=17)
    assert not net.accepts(H=2, W=1)
    assert net.valid_sizes.accepts({"B": 1, "H": 18, "W": 7})
    assert net.training_sizes.accepts({"B": 4, "H": 18, "W": 7})


def test_a_network_is_not_a_module(net):
    with pytest.raises(TypeError, match=r"is a `Network`, not a module: `net.to_torch\(\)`"):
        net(1)


def test_wrong_names_and_sizes_are_refused(net):
    with pytest.raises(TypeError, match="no free dimension `Q`; there are: B, H, W"):
        net.accepts(Q=3)
    with pytest.raises(ValueError, match="does not accept B = 1, H = 17, W = 16; valid:"):
        net.macs(H=17)


@pytest.mark.parametrize("wrong", [16.0, "16", True, None])
def test_sizes_must_be_whole_numbers(net, wrong):
    for ask in (net.accepts, net.macs):
        with pytest.raises(TypeError, match="H must be a whole number, not"):
            ask(H=wrong)
    with pytest.raises(ValueError, match="must be at least 1"):
        net.macs(H=0)
    assert net.accepts(H=numpy.int64(18))


@pytest.mark.parametrize("depth", [-1, 1.5, "1"])
def test_depths_must_be_whole_numbers(net, tmp_path, depth):
    for act in (net.graph, lambda depth: net.draw(tmp_path / "a.svg", depth)):
        with pytest.raises((TypeError, ValueError), match="depth must be"):
            act(depth)


def test_seeds_columns_and_dtypes_are_checked(net, tmp_path):
    for act in (net.to_torch, lambda seed: net.build(tmp_path, "torch", seed=seed)):
        with pytest.raises(TypeError, match="seed must be a whole number"):
            act(seed="a")
    with pytest.raises(TypeError, match="column must be a whole number"):
        net.extract(column="first")
    for wrong in ("nope", "int64", 32):
        with pytest.raises(ValueError, match="is not a floating type of torch"):
            net.to_torch(dtype=wrong)


def test_one_target_is_given_by_name(net, tmp_path):
    assert {path.suffix for path in net.build(tmp_path, "torch")} == {".py", ".svg", ".md"}


def test_unwritable_drawing_is_reported(net, file):
    with pytest.raises(CompileFailed, match=r"E0803.*cannot write .*a\.dot"):
        net.draw(file / "a.dot")


def test_load_by_file_and_network_name(file):
    assert archspec.load(f"{file}:narrow").name == "narrow"
    assert archspec.load(str(file), "narrow").name == "narrow"
    assert archspec.load("resnet", "resnet18").name == "resnet18"
    with pytest.raises(FileNotFoundError, match="did you mean `resnet50`"):
        archspec.load("resnet500")
    with pytest.raises(FileNotFoundError, match="this is the text of a spec"):
        archspec.load("network n {\n  input x: f32[B = 1, 8]\n  output y = x -> relu\n}\n")
    with pytest.raises(FileNotFoundError, match=r"no file and no shipped network `nets\.arch`"):
        archspec.load("nets.arch:narrow")


def test_braces_in_the_name_of_a_folder_are_no_text_of_a_spec(file, tmp_path):
    folder = tmp_path / "runs{1}"
    folder.mkdir()
    (folder / "nets.arch").write_text(file.read_text())
    assert archspec.load(f"{folder}/nets.arch:narrow").name == "narrow"
    with pytest.raises(FileNotFoundError, match="this is the text of a spec"):
        archspec.load("network n { input x: f32[B = 1, 8] }" * 1_000)


def test_repr_in_a_repl(net):
    assert repr(net.inputs) == "(<image: f32[B, 3, H, W]>,)"
    assert repr(net.valid_sizes) == "<ValidSizes: H % 2 == 0, W >= 2>"


def test_compile_error_shows_its_location_and_pickles(file):
    with pytest.raises(CompileFailed) as failure:
        archspec.load(file, "small", width="wide")
    assert '1 | width = "wide"' in str(failure.value)
    again = pickle.loads(pickle.dumps(failure.value))
    assert str(again) == str(failure.value)


def test_python_values_as_parameters(file):
    wide = archspec.load(file, "small", width=numpy.int64(16))
    assert wide.parameters == archspec.load(file, "small", width=16).parameters
    for wrong in (None, {}, object()):
        with pytest.raises(CompileFailed, match="cannot be a Python value of type"):
            archspec.load(file, "small", width=wrong)
    bottleneck = archspec.load("resnet18", unit="bottleneck")
    assert bottleneck.parameters > archspec.load("resnet18").parameters
    assert archspec.load("resnet18", act="gelu").parameters == 11_689_512
    with pytest.raises(CompileFailed, match=r"`gellu`(.|\n)*did you mean `gelu`"):
        archspec.load("resnet18", act="gellu")


def test_spec_parameters(file):
    assert archspec.load(file, "small", count=1, classes=5).depth == 2
    assert archspec.load(file, "narrow").parameters < archspec.load(file, "small").parameters
    with pytest.raises(CompileFailed):
        archspec.load(file, "small", colums=1)


def test_extract_a_column(net):
    part = net.extract(column=2)
    assert part.name == "small_column_2"
    assert part.depth == 3
    with pytest.raises(CompileFailed, match="no column 4"):
        net.extract(column=4)


def test_forty_columns(file):
    net = archspec.load(file, "small", count=40)
    assert net.depth == 2**39 + 1
    assert net.report().paths.exact is None
    assert net.graph(depth=2).number_of_nodes() < 20
    for act in (lambda: net.build(file.parent / "out"), net.to_torch):
        with pytest.raises(CompileFailed) as failure:
            act()
        assert failure.value.diagnostics[0].code == "E0520"
    assert not list(file.parent.glob("out/*"))


def test_each_mode_has_its_own_outputs(file):
    net = archspec.load(file, "twins")
    assert [item.name for item in net.outputs] == ["mean"]
    assert [item.name for item in net.report(training=True).outputs] == ["both", "mean"]
    assert [*net.graph().graph["outputs"]] == ["mean"]
    assert [*net.graph(training=True).graph["outputs"]] == ["both", "mean"]


def test_the_report_as_json_and_markdown(net):
    report = net.report()
    data = json.loads(json.dumps(to_json(report)))
    wanted = ["name", "parameters", "macs", "depth", "inputs", "outputs", "valid_sizes"]
    assert [data[key] for key in wanted[:4]] == ["small", net.parameters, net.macs(), 5]
    assert data["inputs"] == [{"name": "image", "dtype": "f32", "shape": ["B", 3, "H", "W"]}]
    assert set(wanted) <= data.keys()
    text = markdown(report, net.training_sizes)
    assert f"| parameters | {net.parameters:,} |" in text
    assert "| fc | linear |" in text


def test_readable_numbers():
    assert [short(number) for number in (7, 999, 1000, 45_600, 33_714_314, 4_089_184_256)] == [
        "7",
        "999",
        "1.00 k",
        "45.6 k",
        "33.7 M",
        "4.09 G",
    ]
    assert short_bytes(12) == "12 bytes"
    assert short_bytes(4_200_000) == "4.20 MB"


def test_drawing(net, tmp_path):
    path = net.draw(tmp_path / "a.svg", depth=5)
    assert "columns" in path.read_text()


def test_jupyter(net):
    shown = net._repr_mimebundle_()
    assert shown["text/plain"] == repr(net)
    assert "<svg" in shown["text/html"]
    assert "valid sizes" in shown["text/html"]
    assert (
        "<td style='text-align: right'>90</td><td style='text-align: right'>80</td>"
        in (
            shown["text/html"]  # parameters and MACs of the last layer
        )
    )


def test_building_writes_source_diagram_and_report(net, tmp_path):
    pytest.importorskip("torch")
    files = net.build(tmp_path / "a", targets=("torch",))
    assert [path.name for path in files] == ["small.py", "small.report.md", "small.svg"]
    again = net.build(tmp_path / "b" / "c", targets=("torch",))
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in again]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [p.name for p in files]


def test_failed_build_leaves_no_files(net, tmp_path):
    with pytest.raises(CompileFailed) as failure:
        net.build(tmp_path / "a", targets=("torch", "tensorflow"))
    assert failure.value.diagnostics[0].code == "E0801"
    assert not (tmp_path / "a").exists()


def test_unwritable_folder_is_reported(net, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CompileFailed) as failure:
        net.build(tmp_path / "file" / "out", targets=())
    assert failure.value.diagnostics[0].code == "E0803"


def test_importing_loads_no_heavy_modules():
    code = (
        "import sys, archspec; archspec.__version__; archspec.Network;"
        "print([m for m in ('torch', 'graphviz', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_unknown_names_in_the_package():
    with pytest.raises(AttributeError):
        archspec.nothing  # noqa: B018
    assert "load" in dir(archspec)


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [
        ("BOX_BUDGET", 2, "nodes; at most 2 can be written out"),
        ("SECONDS_OF_A_BUILD", 0, "laying out the drawing took more than 0 seconds"),
    ],
)
def test_networks_that_cannot_be_drawn_are_built(net, tmp_path, monkeypatch, limit, value, reason):
    monkeypatch.setattr(importlib.import_module("archspec.diagram.draw"), limit, value)
    written = net.build(tmp_path, "torch")
    assert [path.name for path in written] == ["small.py", "small.report.md"]
    (row,) = [line for line in written[1].read_text().splitlines() if "no drawing" in line]
    assert reason in row
    if limit == "BOX_BUDGET":
        with pytest.raises(CompileFailed, match="E0521"):
            net.draw(tmp_path / "small.svg")


def test_networks_with_costs_too_large_for_symbols_are_built(tmp_path):
    spec = tmp_path / "large.arch"
    spec.write_text(
        "network large {\n  input x: f32[B = 1, 4, H = 8, W = 8]\n"
        "  output x -> resize(((H + W + B) ** 20, (H * W + B) ** 30)) -> conv(4, 1)\n}\n"
    )
    large = archspec.load(spec)
    with pytest.raises(CompileFailed, match="E0411"):
        large.report()
    written = large.build(tmp_path / "out", "torch", seed=3)
    assert "large.py" in [path.name for path in written]
    text = (tmp_path / "out" / "large.report.md").read_text()
    assert "| costs | the costs of" in text
    assert "for symbolic sizes" in text
