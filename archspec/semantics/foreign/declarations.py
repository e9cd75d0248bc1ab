"""Tensors made by calls in PyTorch and Keras, rewritten as declarations."""

from __future__ import annotations

import re

from archspec.diagnostics.model import Edit
from archspec.source import Span
from archspec.syntax import ast

_BOUND = re.compile(r"([A-Za-z_]\w*)[ ]*=[ ]*\Z")
_FILLED = re.compile(r"(?:torch|np|tf)\.(ones|zeros|randn|rand|empty)\(([\d, ]+?),?\)")
_SHAPE = re.compile(r"(?:shape=)?\(([\d, ]+)\)")
_INITIALISERS = {"randn": "normal(std=1.0)", "rand": "uniform(low=0.0, high=1.0)", "empty": "zeros"}


def declaration(call: str, node: ast.Call) -> tuple[Edit, ...]:
    """The edit that declares the tensor bound by `name = call(..)`; none if it is not simple."""
    source, text = node.span.source, node.span.source.text
    line = text.rfind("\n", 0, node.span.start) + 1
    bound = _BOUND.search(text, line, node.span.start)
    if bound is None or not node.arguments:
        return ()
    inside = text[node.arguments[0].span.start : node.span.end - 1].strip()
    place = Span(source, bound.start(), node.span.end)
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
