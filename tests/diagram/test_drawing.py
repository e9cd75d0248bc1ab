"""Drawings: their contents, that they are reproducible, and that they can be rendered."""

import json
import os
import re
import subprocess
import sys
import zlib
from itertools import pairwise
from pathlib import Path

import graphviz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.diagnostics.failure import CompileFailed
from archspec.diagram import render as rendering
from archspec.diagram.calls import call_texts
from archspec.diagram.dot import dot_text, literal
from archspec.diagram.draw import draw, drawing
from archspec.diagram.drawing import drawing_of
from archspec.diagram.facts import Facts
from archspec.diagram.labels import in_lines, key_text, op_text, range_text
from archspec.diagram.ranks import levels
from archspec.diagram.spine import plumb_lines
from archspec.diagram.style import FILLS, text_colour_on
from archspec.diagram.text import escaped
from archspec.diagram.wording import wording
from archspec.graph.model import Graph
from archspec.loading import load
from archspec.ops.activation import Relu
from archspec.ops.arithmetic import Add, Div
from archspec.ops.comparison import Eq
from archspec.ops.convolution import Conv
from archspec.ops.embedding import Embedding
from archspec.ops.indexing import Select
from archspec.ops.random import Dropout, Join
from archspec.ops.shape import Unsqueeze
from archspec.passes.expand import expand
from tests.building import Build, Layer, Pointwise, compiled, fractal, tensor

ROOT = Path(__file__).resolve().parents[2]


def shown(graph, depth=None):
    flat = expand(graph, depth, fold=True)
    return drawing_of(flat, wording(flat, graph), Facts({}))


def chain(*widths):
    build = Build("chain")
    x = build.input(tensor(1, 4, 8, 8))
    for width in widths:
        x = build.op(Pointwise(), build.op(Layer(width=width), x))
    return build.graph(x)


def test_a_join_is_a_bar_with_a_cell_per_column_and_arrows_in_order():
    result = shown(fractal(3))
    bars = {box.id: box for box in result.boxes if box.shape == "bar"}
    assert sorted(box.heads for box in bars.values()) == [2, 3]
    for bar, box in bars.items():
        assert sorted(a.into for a in result.arrows if a.end == bar) == list(range(box.heads))
    # the inner join passes on as many columns as it has, straight down
    inner = next(box for box in bars.values() if box.heads == 2)
    assert [a.out for a in result.arrows if a.start == inner.id] == [0, 1]


def test_branches_leave_in_the_order_of_their_join():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    start = build.op(Layer(width=4), x)
    deep = build.op(Layer(width=4), build.op(Layer(width=4), start))
    graph = build.graph(build.op(Join(), start, deep))  # the shortcut is listed first
    result = shown(graph)
    (bar,) = [box.id for box in result.boxes if box.shape == "bar"]
    leaving = [a.end for a in result.arrows if a.start == start.node and not a.hidden]
    assert leaving == [bar, 2]


def test_expanded_rules_have_no_frame_and_blocks_have_one():
    def network(kind):
        inner = Build("inner", kind)
        y = inner.input(tensor(1, 4, 8, 8))
        y = inner.op(Join(), inner.op(Layer(width=4), y), inner.op(Layer(width=4), y))
        build = Build()
        return build.graph(*build.call(inner.graph(y), build.input(tensor(1, 4, 8, 8)), key="a"))

    assert shown(network("rule")).frames == ()
    (frame,) = shown(network("block")).frames
    assert frame.title == "a: inner"


def test_a_rule_that_is_a_chain_has_no_title():
    inner = Build("columns", "rule")
    columns = inner.graph(inner.op(Layer(width=4), inner.input(tensor(1, 4, 8, 8))))
    build = Build()
    net = build.graph(*build.call(columns, build.input(tensor(1, 4, 8, 8))))
    assert [box.title for box in shown(net).boxes if box.shape == "ops"] == [""]


def test_tensor_with_two_readers_enters_a_frame_once():
    inner = Build("inner")
    y = inner.input(tensor(1, 4, 8, 8))
    y = inner.op(Join(), inner.op(Layer(width=4), y), y)
    build = Build()
    x = build.op(Layer(width=4), build.input(tensor(1, 4, 8, 8)))
    result = shown(build.graph(*build.call(inner.graph(y), x)))
    (split,) = [box for box in result.boxes if box.shape == "split"]
    assert len([a for a in result.arrows if a.end == split.id]) == 1
    assert len([a for a in result.arrows if a.start == split.id and not a.hidden]) == 2
    assert split.frame == result.frames[0].id


def test_expanded_chain_is_one_box_with_a_line_per_op():
    build = Build()
    graph = build.graph(*build.call(chain(4, 8), build.input(tensor(1, 4, 8, 8)), key="body"))
    result = shown(graph)
    (box,) = [box for box in result.boxes if box.shape == "ops"]
    assert [line.category for line in box.lines] == ["convolution", "activation"] * 2
    assert box.title == "body: chain"
    assert result.frames == ()


def test_shape_preserving_ops_share_the_box_above():
    build = Build()
    x = build.input(tensor(1, 3, 8, 8))
    x = build.op(Pointwise(), build.op(Layer(width=4), x))
    x = build.op(Pointwise(), build.op(Layer(width=4), x))
    boxes = [box for box in shown(build.graph(x)).boxes if box.shape == "ops"]
    assert [len(box.lines) for box in boxes] == [2, 2]


def test_repeats_are_folded_with_a_count():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for _ in range(6):
        (x,) = build.call(fractal_block(), x, key=f"layers.{_}")
    text = drawing(compiled(build.graph(x)), 1)
    assert text.count("<b>fractal_block × 6</b>") == 1
    assert "fractal_block <b>× 6</b>" in drawing(compiled(build.graph(x)), 2)


_BLOCKS: dict[str, Graph] = {}


def fractal_block():
    if not _BLOCKS:
        build = Build("fractal_block")
        x = build.input(tensor(1, 4, 8, 8))
        _BLOCKS["one"] = build.graph(build.op(Join(), x, build.op(Layer(width=4), x)))
    return _BLOCKS["one"]


def test_repeated_segments_are_framed():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for _ in range(6):
        x = build.op(Join(), x, build.op(Layer(width=4), x))
    (frame,) = shown(build.graph(x)).frames
    assert (frame.title, frame.count) == ("", 6)


def residual_blocks(count):
    """Blocks of different widths in sequence, each with its own shortcut."""
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for index in range(count):
        inner = Build("block")
        y = inner.input(tensor(1, 4, 8, 8))
        way = inner.op(Layer(width=4), inner.op(Pointwise(), inner.op(Layer(width=5 + index), y)))
        (x,) = build.call(inner.graph(inner.op(Join(), y, way)), x, key=f"b{index}")
    return build.graph(x)


def test_blocks_in_sequence_are_aligned(tmp_path):
    result = shown(residual_blocks(5), 2)
    lines = [(a.start, a.end) for a in result.arrows if a.hidden]
    splits = [box.id for box in result.boxes if box.shape == "split"]
    bars = [box for box in result.boxes if box.shape == "bar"]
    assert lines == list(zip(splits, (bar.id for bar in bars), strict=True))
    assert all(bar.parted for bar in bars)
    for program in {rendering.program(), next(rendering._pure())}:
        dot = dot_text(result, "row")
        done = subprocess.run([program, "-Tjson"], input=dot, capture_output=True, text=True)
        objects = {item["name"]: item for item in json.loads(done.stdout)["objects"]}
        middles = [float(objects[f"n{bar.id}"]["pos"].split(",")[0]) for bar in bars]
        assert max(middles) - min(middles) < 2


def test_no_plumb_line_crosses_a_bar():
    result = shown(fractal(4))
    assert not [arrow for arrow in result.arrows if arrow.hidden]


@pytest.mark.parametrize(
    ("arrows", "starts", "expected"),
    [
        ([(0, 1), (1, 2), (2, 3)], [0], []),  # only one direction
        ([(0, 1), (0, 2), (1, 2), (2, 3)], [0], [(0, 2)]),
        ([(0, 1), (0, 3), (1, 2), (2, 3)], [0], [(0, 3)]),
        ([(0, 2), (1, 2), (2, 3), (2, 4), (3, 4)], [0], [(2, 4)]),  # 1 is a parameter
        ([(0, 2), (1, 2), (1, 3), (2, 3)], [0, 1], []),  # there are two inputs
    ],
)
def test_plumb_lines(arrows, starts, expected):
    order = sorted({box for arrow in arrows for box in arrow})
    assert list(plumb_lines(order, arrows, starts, order[-1:])) == expected


def test_box_shows_its_output_shape_if_it_changes():
    build = Build()
    x = build.input(tensor(1, 3, 8, 8))
    ways = [build.op(Layer(width=4), x), build.op(Layer(width=4), x)]
    kept = build.op(Layer(width=4), build.op(Join(), *ways))
    result = shown(build.graph(build.op(Layer(width=5), kept)))
    shapes = [box.shapes for box in result.boxes if box.shape in ("ops", "bar")]
    assert shapes == [("[1, 4, 8, 8]",), ("[1, 4, 8, 8]",), (), (), ()]  # an output shows its own


def test_text_can_be_read_on_every_fill():
    def channel(value):
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    def luminance(colour):
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return sum(w * channel(p) for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    for fill in FILLS.values():
        dark, light = sorted((luminance(fill), luminance(text_colour_on(fill))))
        assert (light + 0.05) / (dark + 0.05) > 4.5  # WCAG 2.1, level AA


def test_title_costs_legend_and_shapes_are_shown():
    text = drawing(compiled(fractal(2), B=1, H=32, W=32), None)
    assert "<b>fractal</b>" in text
    assert "parameters, " in text
    assert "MACs at B = 1, H = 32, W = 32, inference" in text
    assert "convolution" in text
    assert ">[B, 16, H, W]<" in text


def test_large_drawing_is_refused_with_a_message():
    with pytest.raises(CompileFailed) as failure:
        drawing(compiled(fractal(40)), None)
    (refused,) = failure.value.diagnostics
    assert refused.code == "E0521"
    assert refused.fix is not None
    fits = int(re.search(r"(\d+) or less fits", refused.fix.message)[1])
    assert drawing(compiled(fractal(40), B=1, H=32, W=32), fits)
    with pytest.raises(CompileFailed, match="E0521"):
        drawing(compiled(fractal(40), B=1, H=32, W=32), fits + 1)


def test_a_parameter_with_a_computed_value_is_shown_as_it_is_written(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "network net {\n  input x: f32[B = 1, 3]\n"
        "  param scale: f32[3] = arange(3) -> cast(f32)\n"
        "  param shift: f32[3] = (arange(3) -> cast(f32)) / 2 fixed\n"
        "  output y = x * scale + shift\n}\n",
        encoding="utf-8",
    )
    net = load(path)
    text = drawing(net.compiled)
    assert ">param([3])<" in text
    assert ">frozen(param([3]))<" in text
    assert [row.what for row in net.report().rows if row.parameters] == ["param", "param"]


def test_labels():
    assert op_text(Conv(width=64, kernel=3, stride=2, bias=False)) == (
        "conv(64, 3, stride=2, bias=false)"
    )
    assert op_text(Relu()) == "relu"
    assert op_text(Dropout(p=0.1)) == "dropout(p=0.1)"
    assert op_text(Dropout(p=2 / 11)) == "dropout(p=0.1818)"
    assert op_text(Add(scalar=4, reverse=True)) == "4 + x"
    assert op_text(Div(scalar=2.0)) == "x / 2"
    assert op_text(Eq(scalar=3)) == "x == 3"
    assert op_text(Add()) == "add"
    assert op_text(Select(axis=1, index=0)) == "select(axis=1, index=0)"
    assert op_text(Unsqueeze(axis=1)) == "unsqueeze(1)"
    assert op_text(Embedding(count=100, width=8)) == "embedding(100, 8)"
    build = Build("bottleneck")
    graph = build.graph(build.input(tensor(1)), arguments={"width": 64, "stride": 2, "o": "B"})
    assert call_texts(graph)[graph] == "bottleneck(width=64, stride=2)"
    upsample = "conv_transpose(12, 3, stride=2, padding=1, output_padding=1, bias=false)"
    assert in_lines(upsample) == [upsample[:42], upsample[43:]]
    assert in_lines("a" * 60) == ["a" * 47 + "…"]
    assert range_text("a.layers.0.b", "a.layers.11.b") == "a.layers.0 .. 11.b"
    assert range_text("block3", "block8") == "block3 .. 8"
    assert range_text("Mixed_6c", "Mixed_6d") == "Mixed_6c .. Mixed_6d"
    assert range_text("head", "") == range_text("head", "head") == "head"
    assert range_text("a", "b.c") == "a .. b.c"
    assert key_text("conv_2", "conv") == ""
    assert key_text("conv1", "conv") == "conv1"
    assert key_text("mask/down_sample/res1/conv", "conv") == "…down_sample/res1/conv"
    assert key_text("encoder.layers.0.self_attn.out_proj", "linear") == "…0.self_attn.out_proj"


@given(st.text())
def test_any_text_is_one_dot_string(text):
    whole = graphviz.quoting.quote(literal(text))
    inside = whole[1:-1] if whole.startswith('"') else whole
    assert "\n" not in inside
    assert not inside.replace("\\\\", "").replace('\\"', "").count('"')
    assert not set("<>\n") & set(escaped(text))


@pytest.mark.parametrize("text", ['"]; evil [label="', "</td><td>", "a\\", "<!--", "&x;", "n\n×é"])
def test_hostile_labels_render(text, tmp_path):
    build = Build(text)
    x = build.input(tensor(1, 4, 8, 8), text)
    graph = build.graph(build.op(Layer(width=4), x, key=text))
    outer = Build("outer")
    net = outer.graph(*outer.call(graph, outer.input(tensor(1, 4, 8, 8)), key=text))
    for depth in (1, 2):
        path = draw(compiled(net), tmp_path / "a.svg", depth)
        assert path.read_text().count("</svg>") == 1


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_every_arrow_goes_down(data):
    count = data.draw(st.integers(1, 12))
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
    arrows = data.draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    found = levels(range(count), arrows)
    assert all(found[start] < found[end] for start, end in arrows)
    assert all(level >= 0 for level in found.values())


def test_short_columns_are_next_to_the_middle_of_long_ones():
    arrows = [*pairwise([0, 1, 2, 3, 4]), (0, 5), (5, 4)]
    assert levels([0, 1, 2, 3, 5, 4], arrows)[5] == 2


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".dot", b"digraph"), (".pdf", b"%PDF-")],
)
def test_formats(suffix, start, tmp_path):
    path = draw(compiled(fractal(3), B=1, H=32, W=32), tmp_path / f"new/a{suffix}", None)
    assert path.read_bytes().startswith(start)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_the_times_sign_is_kept(tmp_path):
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for _ in range(6):
        x = build.op(Join(), x, build.op(Layer(width=4), x))
    path = draw(compiled(build.graph(x)), tmp_path / "a.svg", 1)
    assert "× 6" in path.read_text(encoding="utf-8")


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(CompileFailed) as failure:
        draw(compiled(fractal(2), B=1, H=32, W=32), tmp_path / "a.jpeg")
    assert failure.value.diagnostics[0].code == "E0810"


def test_dot_files_need_no_graphviz(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "program", lambda: None)
    network = compiled(fractal(2), B=1, H=32, W=32)
    assert draw(network, tmp_path / "a.dot").exists()
    with pytest.raises(CompileFailed) as failure:
        draw(network, tmp_path / "a.svg")
    assert failure.value.diagnostics[0].code == "E0811"
    assert not (tmp_path / "a.svg").exists()


def test_failing_graphviz_is_reported(tmp_path, monkeypatch):
    script = tmp_path / "dot"
    script.write_text("#!/bin/sh\necho it broke >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(rendering, "program", lambda: str(script))
    with pytest.raises(CompileFailed, match="it broke") as failure:
        draw(compiled(fractal(2), B=1, H=32, W=32), tmp_path / "a.svg")
    assert failure.value.diagnostics[0].code == "E0812"


TWICE = """
from archspec.diagram.draw import drawing
from tests.building import compiled, fractal
print(drawing(compiled(fractal(4), B=1, H=32, W=32), None))
"""


def test_the_same_bytes_under_any_hash_seed():
    texts = {
        subprocess.run(
            [sys.executable, "-c", TWICE],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}"},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_dot_text_of_an_empty_network():
    build = Build()
    x = build.input(tensor(1))
    text = dot_text(shown(build.graph(x)), "empty")
    assert "n0:s -> n1:n" in text


def test_a_pdf_without_graphviz(tmp_path, monkeypatch):
    pure = next(rendering._pure())
    monkeypatch.setattr(rendering, "program", lambda: pure)
    network = compiled(fractal(3), B=1, H=32, W=32)
    data = draw(network, tmp_path / "a.pdf", None).read_bytes()
    assert data == draw(network, tmp_path / "b.pdf", None).read_bytes()
    start = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[start:].startswith(b"xref")
    packed = data.split(b"stream\n", 1)[1].split(b"\nendstream", 1)[0]
    content = zlib.decompress(packed)
    assert content.count(b"q 1 w") + content.count(b" BT ") == content.count(b"Q")
    assert b"(layer\\(16\\)) Tj" in content
