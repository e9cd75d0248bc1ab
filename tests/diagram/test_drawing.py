"""Drawings: what is in them, that they are the same each time, and that they can be rendered."""

import os
import subprocess
import sys
import zlib
from itertools import pairwise
from pathlib import Path

import graphviz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.diagnostics.model import CompileFailed
from archspec.diagram import render as rendering
from archspec.diagram.dot import dot_text, escaped, literal
from archspec.diagram.draw import draw, drawing
from archspec.diagram.labels import block_text, key_text, op_text
from archspec.diagram.picture import picture
from archspec.diagram.ranks import levels
from archspec.graph.model import Graph
from archspec.ops.activation import Relu
from archspec.ops.convolution import Conv
from archspec.ops.random import Dropout, Join
from archspec.passes.expand import expand
from tests.building import Build, Layer, Pointwise, compiled, fractal, tensor

ROOT = Path(__file__).resolve().parents[2]


def shown(graph, depth=None):
    return picture(expand(graph, depth, fold=True))


def chain(*widths):
    build = Build("chain")
    x = build.input(tensor(1, 4, 8, 8))
    for width in widths:
        x = build.op(Pointwise(), build.op(Layer(width=width), x))
    return build.graph(x)


def test_a_join_is_a_bar_with_a_cell_per_column_and_arrows_in_order():
    result = shown(fractal(3))
    bars = {box.id: box for box in result.boxes if box.shape == "bar"}
    assert sorted(box.cells for box in bars.values()) == [2, 3]
    for bar, box in bars.items():
        assert sorted(a.into for a in result.arrows if a.end == bar) == list(range(box.cells))
    # the inner join hands on to as many columns as it has, straight down
    inner = next(box for box in bars.values() if box.cells == 2)
    assert [a.out for a in result.arrows if a.start == inner.id] == [0, 1]


def test_branches_leave_in_the_order_of_the_bar_that_they_meet_at():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    start = build.op(Layer(width=4), x)
    deep = build.op(Layer(width=4), build.op(Layer(width=4), start))
    graph = build.graph(build.op(Join(), start, deep))  # the shortcut is listed first
    result = shown(graph)
    (bar,) = [box.id for box in result.boxes if box.shape == "bar"]
    leaving = [arrow.end for arrow in result.arrows if arrow.start == start.node]
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


def test_what_enters_a_frame_and_parts_there_enters_it_once():
    inner = Build("inner")
    y = inner.input(tensor(1, 4, 8, 8))
    y = inner.op(Join(), inner.op(Layer(width=4), y), y)
    build = Build()
    x = build.op(Layer(width=4), build.input(tensor(1, 4, 8, 8)))
    result = shown(build.graph(*build.call(inner.graph(y), x)))
    (split,) = [box for box in result.boxes if box.shape == "split"]
    assert len([a for a in result.arrows if a.end == split.id]) == 1
    assert len([a for a in result.arrows if a.start == split.id]) == 2
    assert split.frame == result.frames[0].id


def test_an_opened_chain_is_one_box_with_a_line_per_op():
    build = Build()
    graph = build.graph(*build.call(chain(4, 8), build.input(tensor(1, 4, 8, 8)), key="body"))
    result = shown(graph)
    (box,) = [box for box in result.boxes if box.shape == "ops"]
    assert [line.category for line in box.lines] == ["convolution", "activation"] * 2
    assert box.title == "body: chain"
    assert result.frames == ()


def test_ops_that_keep_the_shape_join_the_one_above_them():
    build = Build()
    x = build.input(tensor(1, 3, 8, 8))
    x = build.op(Pointwise(), build.op(Layer(width=4), x))
    x = build.op(Pointwise(), build.op(Layer(width=4), x))
    boxes = [box for box in shown(build.graph(x)).boxes if box.shape == "ops"]
    assert [len(box.lines) for box in boxes] == [2, 2]


def test_repeats_are_folded_with_their_number():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for _ in range(6):
        (x,) = build.call(fractal_block(), x, key=f"layers.{_}")
    text = drawing(compiled(build.graph(x)), 1)
    assert text.count("fractal_block × 6") == 1
    assert "fractal_block × 6" in drawing(compiled(build.graph(x)), 2)


_BLOCKS: dict[str, Graph] = {}


def fractal_block():
    if not _BLOCKS:
        build = Build("fractal_block")
        x = build.input(tensor(1, 4, 8, 8))
        _BLOCKS["one"] = build.graph(build.op(Join(), x, build.op(Layer(width=4), x)))
    return _BLOCKS["one"]


def test_pieces_that_repeat_stand_in_a_frame():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for _ in range(6):
        x = build.op(Join(), x, build.op(Layer(width=4), x))
    (frame,) = shown(build.graph(x)).frames
    assert (frame.title, frame.repeat) == ("× 6", True)


def test_title_costs_legend_and_shapes_are_there():
    text = drawing(compiled(fractal(2), B=1, H=32, W=32), None)
    assert "<b>fractal</b>" in text
    assert "parameters, " in text
    assert "MACs at B = 1, H = 32, W = 32, inference" in text
    assert "convolution" in text
    assert '" [B, 16, H, W]"' in text


def test_a_large_drawing_is_refused_with_words():
    with pytest.raises(CompileFailed) as failure:
        drawing(compiled(fractal(40)), None)
    assert failure.value.diagnostics[0].code == "E0521"
    assert drawing(compiled(fractal(40), B=1, H=32, W=32), 3)


def test_labels():
    assert op_text(Conv(width=64, kernel=3, stride=2, bias=False)) == (
        "conv(64, 3, stride=2, bias=false)"
    )
    assert op_text(Relu()) == "relu"
    assert op_text(Dropout(p=0.1)) == "dropout(p=0.1)"
    build = Build("bottleneck")
    graph = build.graph(build.input(tensor(1)), arguments={"width": 64, "stride": 2, "o": "B"})
    assert block_text(graph) == "bottleneck(64, 2)"
    assert key_text("conv_2", "conv") == ""
    assert key_text("conv1", "conv") == "conv1"


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
def test_levels_go_down_along_every_arrow(data):
    count = data.draw(st.integers(1, 12))
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
    arrows = data.draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    found = levels(range(count), arrows)
    assert all(found[start] < found[end] for start, end in arrows)
    assert all(level >= 0 for level in found.values())


def test_short_columns_stand_beside_the_middle_of_long_ones():
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


def test_without_a_program_dot_files_still_work(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "program", lambda: None)
    network = compiled(fractal(2), B=1, H=32, W=32)
    assert draw(network, tmp_path / "a.dot").exists()
    with pytest.raises(CompileFailed) as failure:
        draw(network, tmp_path / "a.svg")
    assert failure.value.diagnostics[0].code == "E0811"
    assert not (tmp_path / "a.svg").exists()


def test_a_program_that_fails_is_reported(tmp_path, monkeypatch):
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
