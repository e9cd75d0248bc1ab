"""Tensors made by calls in PyTorch and Keras, rewritten as declarations."""

from __future__ import annotations

import re

from archspec.diagnostics.model import Edit
from archspec.semantics.foreign.words import INITIALISERS
from archspec.source import Span
from archspec.syntax import ast

_BOUND = re.compile(r"([A-Za-z_]\w*)[ ]*=[ ]*\Z")
_FILLED = re.compile(r"(?:torch|np|tf)\.(ones|zeros|randn|rand|empty)\(([\d, ]+?),?\)")
_SHAPE = re.compile(r"(?:shape=)?\(([\d, ]+)\)")
_INITIALISERS = {"randn": "normal(std=1.0)", "rand": "uniform(low=0.0, high=1.0)", "empty": "zeros"}


IMAGES = "images are [B, C, H, W] here, with the channels on axis 1; in Keras they are last"
"""A note on the input of a network for images."""


def is_image(node: ast.Call) -> bool:
    """Whether an input of Keras has three sizes besides the batch, the last for channels."""
    text = node.span.source.text
    inside = text[node.arguments[0].span.start : node.span.end - 1] if node.arguments else ""
    shape = _SHAPE.match(inside.strip())
    sizes = [size for size in shape[1].split(",") if size.strip()] if shape else []
    return len(sizes) == 3


def declaration(call: str, node: ast.Call) -> tuple[Edit, ...]:
    """The edit that declares the tensor bound by `name = call(..)`; none if it is not simple."""
    source, text = node.span.source, node.span.source.text
    line = text.rfind("\n", 0, node.span.start) + 1
    bound = _BOUND.search(text, line, node.span.start)
    if bound is None or not node.arguments:
        return ()
    inside = text[node.arguments[0].span.start : node.span.end - 1].strip()
    place = Span(source, bound.start(), node.span.end)
    if call in ("param", "variable"):
        return _of_flax(node, bound[1], place)
    if call == "Parameter":
        filled = _FILLED.fullmatch(inside)
        if filled is None:
            return ()
        initialiser = _INITIALISERS.get(filled[1], filled[1])
        return (Edit(place, f"param {bound[1]}: f32[{filled[2].strip()}] = {initialiser}"),)
    shape = _SHAPE.match(inside)
    sizes = [size.strip() for size in shape[1].split(",") if size.strip()] if shape else []
    if not sizes or not all(size.isdecimal() for size in sizes):
        return ()
    if len(sizes) == 3 and int(sizes[2]) < int(sizes[0]):  # in Keras, channels are last
        sizes = [sizes[2], *sizes[:2]]
    return (Edit(place, f"input {bound[1]}: f32[B = 1, {', '.join(sizes)}]"),)


_NAMED = {"stddev": "std", "stdev": "std"}


def _of_flax(node: ast.Call, name: str, place: Span) -> tuple[Edit, ...]:
    """`self.param("p", normal(stddev=0.02), (1, 8))` as a declaration of `p`."""
    values = [one.value for one in node.arguments]
    shape = values[2] if len(values) == 3 else None
    if not isinstance(shape, ast.TupleExpr | ast.ListExpr):
        return ()
    initialiser = values[1]
    arguments = initialiser.arguments if isinstance(initialiser, ast.Call) else ()
    function = initialiser.function if isinstance(initialiser, ast.Call) else initialiser
    word = function.span.text.rpartition(".")[2].removesuffix("_init")
    found = INITIALISERS.get(word.replace("_", ""), word)
    given = [
        f"{_NAMED.get(one.name or 'std', one.name or 'std')}={one.value.span.text}"
        for one in arguments
    ]
    written = f"{found}({', '.join(given)})" if given else found
    if found == "normal" and not given:
        written = "normal(std=0.01)"  # the default of Flax
    sizes = ", ".join(one.span.text for one in shape.items)
    return (Edit(place, f"param {name}: f32[{sizes}] = {written}"),)
