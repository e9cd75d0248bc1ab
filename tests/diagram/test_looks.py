"""Drawings as people see them: fit of texts, titles and crossings, with both layout programs."""

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from archspec import load
from archspec.cli.main import app
from archspec.diagram import render as rendering
from archspec.diagram.draw import drawing
from archspec.diagram.titles import moves

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
PROGRAMS = sorted({rendering.program(), next(rendering._pure())})


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.rpartition("/")[2])
def program(request, monkeypatch):
    monkeypatch.setattr(rendering, "program", lambda: request.param)
    return request.param


@pytest.fixture
def network(tmp_path):
    def made(text, name="net"):
        path = tmp_path / f"{name}.arch"
        path.write_text(f"language 1\n\n{text}")
        return load(str(path))

    return made


def svg_of(net, depth=1, **options):
    text = rendering.layout(drawing(net.compiled, depth, **options), "svg")
    return ElementTree.fromstring(text)


def groups(svg, kind):
    return [item for item in svg.iter(f"{SVG}g") if item.get("class") == kind]


def title(item):
    found = item.find(f"{SVG}title")
    return found.text.splitlines() if found is not None else []


def words(item):
    return "".join("".join(text.itertext()) for text in item.iter(f"{SVG}text"))


def texts_of(net, depth=1, **options):
    """The visible texts of the boxes of a drawing."""
    texts = [words(box).strip() for box in groups(svg_of(net, depth, **options), "box")]
    return [re.sub(r":(?=\S)", ": ", text) for text in texts]


RESIDUAL = """
block layer(width: int, drop: float) {
  input x: [B, C, H, W]
  output x -> residual(conv(width, 3) -> relu -> conv(width, 3) -> drop_path(drop))
}

network net(width: int = 8) {
  input image: f32[B = 1, 3, H = 32, W = 32]
  output y = image -> stem: conv(width, 3) -> layers: for i in 0..4 { layer(width, 0.1 * i) }
    -> relu
    -> a_block_with_a_very_long_name_indeed: layer(width, 0.5) -> conv(4, 1)
}
"""

ATTENTION = """
block a(dim: int, heads: int, causal: bool = false) {
  input x: [B, N, D]
  q = x -> q: linear(dim) -> rearrange("b n (h d) -> b h n d", h=heads)
  output (q, q, q)
    -> scaled_dot_product_attention(causal=causal)
    -> rearrange("b h n d -> b n (h d)")
    -> dropout(0.0)
}

network net {
  input x: f32[B = 1, N = 16, 64]
  output y = x -> first: a(64, 8) -> second: a(64, 8, causal=true) -> dropout(0.1)
}
"""


def extent(box):
    """Left and right edge of the shape around the text of a box."""
    numbers = [
        float(pair.split(",")[0])
        for shape in (*box.iter(f"{SVG}polygon"), *box.iter(f"{SVG}path"))
        for pair in re.findall(r"-?[\d.]+,-?[\d.]+", shape.get("points") or shape.get("d"))
    ]
    return min(numbers), max(numbers)


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("source", [RESIDUAL, ATTENTION])
def test_text_fits_its_box(source, direction, network, program):
    svg = svg_of(network(source), 2, direction=direction)
    texts = list(svg.iter(f"{SVG}text"))
    assert texts
    assert all(text.get("lengthAdjust") == "spacingAndGlyphs" for text in texts)
    for box in groups(svg, "box"):
        for text in box.iter(f"{SVG}text"):
            left, right = extent(box)
            x, width = float(text.get("x")), float(text.get("textLength"))
            assert left - 0.5 <= x
            assert x + width <= right + 0.5


def placed(net, depth, program, direction="TB"):
    dot = drawing(net.compiled, depth, direction=direction)
    return rendering.place(rendering.Graphviz(program, 100), dot).layout


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("source", [RESIDUAL, ATTENTION])
def test_no_arrow_crosses_the_title_of_a_frame(source, direction, network, program):
    assert not moves(placed(network(source), 2, program, direction))


def test_titles_are_moved_in_images_too(network, program, monkeypatch):
    runs, run = [], rendering.Graphviz.run

    def recorded(graphviz, dot, kind, engine="dot"):
        runs.append((dot, engine))
        return run(graphviz, dot, kind, engine)

    monkeypatch.setattr(rendering.Graphviz, "run", recorded)
    assert rendering.layout(drawing(network(RESIDUAL).compiled, 2), "png").startswith(b"\x89PNG")
    dot, engine = runs[-1]
    assert engine == "nop2"
    graphviz = rendering.Graphviz(program, 100)
    assert not moves(json.loads(run(graphviz, dot, "json", "nop2")))


def test_residual_blocks_are_aligned(network, program):
    layout = placed(network(RESIDUAL), 2, program)
    middles = [
        float(item["pos"].split(",")[0])
        for item in layout["objects"]
        if re.search(r">(relu|add)<", item["label"]) and "pos" in item
    ]
    assert len(middles) == 5
    assert max(middles) - min(middles) < 2


def test_arguments_that_distinguish_blocks_are_shown(network):
    texts = texts_of(network(ATTENTION))
    assert "first: a(dim=64, heads=8)" in texts
    assert "second: a(dim=64, heads=8, causal=true)" in texts
    swin = texts_of(load("swin_t"))
    assert "features.1.0: swin_block(heads=3, window=7, shift=0)" in swin
    assert "features.1.1: swin_block(heads=3, window=7, shift=3)" in swin


REDUCED = """
block unit(width: int, kernel: int = 1, stride: int = 1, padding: int = 0, drop: float = 0.0) {
  conv(width, kernel, stride, padding) -> dropout(drop)
}

block many(first: int, second: int, third: int, long_name_of_an_argument: int = 1,
    another_long_name: int = 2, last: int = 3) {
  conv(first, long_name_of_an_argument) -> conv(second, another_long_name) -> conv(third, last)
}

network net {
  input image: f32[B = 1, 3, H = 32, W = 32]
  output y = image
    -> a: unit(8) -> b: unit(8, 3, 2) -> c: unit(16, padding=1) -> d: unit(24, drop=0.1)
    -> e: many(1, 2, 3, 5, 7, 9) -> f: many(1, 2, 4)
}
"""


def test_a_block_shows_only_non_default_arguments(network):
    texts = [re.sub(r"\[.*", "", text) for text in texts_of(network(REDUCED))]
    assert texts[1:-1] == [
        "a: unit(8)",
        "b: unit(8, kernel=3, stride=2)",
        "c: unit(16, padding=1)",
        "d: unit(24)",
        "e: many(1, 2, long_name_of_an_argument=5, …)",  # too long with the others
        "f: many(first=1, second=2, …)",
    ]


def test_strides_are_shown_in_shipped_networks():
    boxes = {text.partition(": ")[0]: text for text in texts_of(load("inception_v3"), 2)}
    assert "unit(320, kernel=3, stride=2)" in boxes["branch3x3_2"]
    assert "unit(64, kernel=7, stride=2)" in " ".join(texts_of(load("googlenet")))


def test_inference_has_no_dropout_and_folds_blocks_with_other_rates(network):
    net = network(RESIDUAL)
    inference = texts_of(net, 2)
    assert not any("drop" in text for text in inference)
    assert "layers.0 .. 3: layer(8) × 4" in texts_of(net)
    training = texts_of(net, 2, training=True)
    assert any("drop_path(p=0.1 .. 0.3)" in text for text in training)
    assert "layers.1 .. 3: layer(8, drop=0.1 .. 0.3) × 3" in texts_of(net, training=True)
    assert not any("drop" in text for text in texts_of(network(ATTENTION), 2))
    assert any("dropout(p=0.1)" in text for text in texts_of(network(ATTENTION), 2, training=True))
    assert not any("p=0)" in text for text in texts_of(network(ATTENTION), 2, training=True))


def test_repeated_segments_are_named():
    frames = [words(frame) for frame in groups(svg_of(load("siglip_base_patch16_224"), 2), "frame")]
    assert frames.count("encoder.layers.0 .. 11 × 12") == 2
    assert [words(f) for f in groups(svg_of(load("swin_t")), "frame")] == ["features.5.0 .. 5 × 3"]


def test_all_repeats_look_the_same(network):
    """A name with a range, a bold number, and a dashed frame around what repeats."""
    resnet = texts_of(load("resnet50"))
    assert "layer1.1 .. 2: bottleneck(64) × 2" in resnet
    frame = r"label=<<table.*>({}.*?)</td></tr></table>> labeljust.* style=\"(.*?)\""
    dot = drawing(network(RESIDUAL).compiled, 2)
    (found,) = re.findall(frame.format(r"layers\.0 "), dot)
    assert found == ("layers.0 .. 3: layer(8) <b>× 4</b>", "rounded,filled,dashed,bold")
    pieces = drawing(load("swin_t").compiled, 1)
    (found,) = re.findall(frame.format("features"), pieces)
    assert found == ("features.5.0 .. 5 <b>× 3</b>", "rounded,filled,dashed,bold")
    once = drawing(load("unet").compiled, 2)
    assert "dashed" not in once


SEVERAL = """
block both { input x: [B, C], output (x -> l: linear(4), (x -> m: linear(5), x -> n: linear(6))) }

network net {
  input x: f32[B = 1, 8]
  a, (b, c) = x -> both
  output pair = (a, b)
  output nested = (c, (a, b))
  output one = (a, b, c) -> concat
}
"""


def test_each_tensor_of_an_output_has_its_own_box(network):
    texts = texts_of(
        network(SEVERAL.replace("input x: [B, C], output", "input x: [B, C]\n  output"))
    )
    ends = [text for text in texts if "f32" in text]
    assert [re.sub(r"\s*f32.*", "", text) for text in ends] == [
        "x", "pair[0]", "pair[1]", "nested[0]", "nested[1][0]", "nested[1][1]", "one",
    ]  # fmt: skip
    assert "pyramid[4]f32[B, 256, (H + 63)//64, (W + 63)//64]" in [
        re.sub(r"\s+f32", "f32", text) for text in texts_of(load("resnet50_fpn"))
    ]


def test_parallel_tensors_between_two_boxes_share_one_arrow():
    dot = drawing(load("resnet50_fpn").compiled, 1)
    (line,) = [line for line in dot.splitlines() if "n1:s -> n2" in line]
    assert re.findall(r"\[B, (\d+),", line) == ["256", "512", "1024", "2048"]
    (box,) = [text for text in texts_of(load("resnet50_fpn")) if "body" in text]
    assert re.findall(r"\[B, (\d+),", box) == ["256", "512", "1024", "2048"]


def test_left_to_right(network, program):
    layout = placed(network(RESIDUAL), 1, program, "LR")
    places = [float(item["pos"].split(",")[0]) for item in layout["objects"] if "pos" in item]
    assert all(left < right for left, right in pairwise(places))


def test_concrete_shapes(network):
    svg = svg_of(network(RESIDUAL).at(H=48), 1, concrete=True)
    assert "[1, 8, 48, 32]" in words(svg)
    assert "[B," not in words(svg)


def test_tooltips_show_shape_parameters_macs_and_line(network, program):
    svg = svg_of(network(RESIDUAL), 2)
    found = {lines[0]: lines[1:] for lines in map(title, groups(svg, "box")) if lines}
    assert found["stem: conv(8, 3)"] == [
        "yields f32[B, 8, H, W]",
        "224 parameters",
        "221 k MACs",
        "net.arch:11",
    ]
    frame = next(title(item) for item in groups(svg, "frame"))
    assert frame == [
        "layers.0 .. 3: layer(8) × 4",
        "yields f32[B, 8, H, W]",
        "1,168 parameters each",
        "1.18 M MACs each",
        "net.arch:11",
    ]
    assert ["f32[B, 8, H, W]"] in [title(item) for item in groups(svg, "arrow")]


def test_file_has_a_title_and_prints_on_one_page(network, program):
    svg = svg_of(network(RESIDUAL), 2)
    first, second = list(svg)[:2]
    assert (first.tag, first.text) == (f"{SVG}title", "net")
    assert second.tag == f"{SVG}desc"
    assert second.text.startswith("6,100 parameters, ")
    assert svg.get("role") == "img"
    assert "@media print" in svg.findtext(f"{SVG}style")
    (background,) = svg.findall(f"{SVG}rect")
    assert background.get("fill") == "white"  # on a page of any colour


def test_hostile_names_give_valid_files(network, program):
    text = RESIDUAL.replace("stem:", '"a<b>&c]]>":')
    (box,) = [box for box in groups(svg_of(network(text), 1), "box") if "a<b>" in words(box)]
    assert title(box)[0].startswith("a<b>&c]]>: conv(8, 3)")


def test_drawings_are_reproducible(network, program):
    net = network(RESIDUAL)
    one, two = (rendering.layout(drawing(net.compiled, 2), "svg") for _ in range(2))
    assert one == two


def test_the_command(network, tmp_path):
    network(RESIDUAL)
    run = CliRunner().invoke
    out = str(tmp_path / "a.dot")
    wide = ["draw", str(tmp_path / "net.arch"), "-o", out, "--direction", "LR", "--concrete"]
    assert run(app, wide).exit_code == 0
    text = (tmp_path / "a.dot").read_text()
    assert "rankdir=LR" in text
    assert "[1, 8, 32, 32]" in text
    assert run(app, ["draw", str(tmp_path / "net.arch"), "--direction", "up"]).exit_code == 2


def test_readme_drawing_is_up_to_date(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "program", lambda: next(rendering._pure()))
    source = (ROOT / "README.md").read_text().split("```arch\n")[1].split("```")[0]
    (tmp_path / "fractal.arch").write_text(source)
    net = load(str(tmp_path / "fractal.arch"), c=3, widths=[64])
    drawn = net.draw(tmp_path / "fractal.svg", 9).read_text()
    assert drawn == (ROOT / "docs/images/fractal.svg").read_text()


def test_unknown_direction_is_refused(network, tmp_path):
    with pytest.raises(ValueError, match='"TB" or "LR"'):
        network(RESIDUAL).draw(tmp_path / "a.svg", direction="RL")
