"""Texts in drawings: natural widths in cells of fixed sizes, with both layout programs."""

import re

import pytest

from archspec import load
from archspec.diagram import render as rendering
from archspec.diagram.draw import drawing
from archspec.diagram.fonts import text_width
from archspec.diagram.text import FIXED, FREE
from tests.diagram.test_looks import PROGRAMS, RESIDUAL, SVG, network, program, svg_of

__all__ = ["network", "program"]  # fixtures


@pytest.mark.parametrize(
    ("text", "bold", "width"),
    [
        ("conv(64, 7)", False, 5.002),  # as in Liberation Sans
        ("conv(64, 7)", True, 5.224),
        ("é…×", False, 0.556 + 1 + 0.584),
        ("\u5377\u79ef", False, 2),  # as wide as they are high
        ("a\u0301", False, 0.556),
        ("", False, 0),
    ],
)
def test_widths_of_texts(text, bold, width):
    assert text_width(text, 10, bold) == pytest.approx(10 * width)


def test_texts_have_their_natural_widths_in_helvetica(network, program):
    texts = list(svg_of(network(RESIDUAL), 2).iter(f"{SVG}text"))
    assert texts
    for text in texts:
        bold = text.get("font-weight") == "bold"
        natural = text_width("".join(text.itertext()), float(text.get("font-size")), bold)
        assert float(text.get("textLength")) == pytest.approx(natural, abs=0.01)


@pytest.mark.parametrize(("name", "depth"), [("resnet50_fpn", 2), ("googlenet", 1)])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_both_programs_make_boxes_of_the_same_size(name, depth, direction):
    dot = drawing(load(name).compiled, depth, direction=direction)
    sizes = [
        {
            item["name"]: (float(item["width"]), float(item["height"]))
            for item in rendering.place(rendering.Graphviz(path, 100), dot).layout["objects"]
            if item.get("shape") == "plain"
        }
        for path in PROGRAMS
    ]
    for other in sizes[1:]:
        assert other.keys() == sizes[0].keys()
        for name, size in sizes[0].items():
            assert other[name] == pytest.approx(size, abs=0.001)


def test_fills_reach_the_line_around_their_box(network, program):
    svg = svg_of(
        network("""
network net {
  input x: f32[B = 1, 8]
  output y = x -> first: linear(8) -> relu -> second: linear(301)
}
""")
    )
    for box in svg.iter(f"{SVG}g"):
        shapes = box.findall(f"{SVG}polygon")
        if box.get("class") != "box" or not shapes:
            continue
        edges = {
            (min(xs), max(xs))
            for shape in shapes
            for xs in [[float(x) for x in re.findall(r"(\S+),", shape.get("points"))]]
        }
        lefts, rights = zip(*edges, strict=True)
        assert max(lefts) - min(lefts) <= 0.5  # half of the width of the line
        assert max(rights) - min(rights) <= 0.5


def test_cells_of_images_may_grow(network):
    dot = drawing(network(RESIDUAL).compiled, 2)
    assert FREE in dot
    assert FIXED not in dot
