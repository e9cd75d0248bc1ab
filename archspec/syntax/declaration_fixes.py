"""Fixes for declarations in another form: of buffers and of initialisers."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.context import Equation, Item


def buffer_of_numbers(item: Equation) -> Fix | None:
    """`buffer m: f32[3] = tensor([1.0, 2.0, 3.0])` for a list without a type."""
    sizes: list[int] = []
    numbers: list[ast.Expr] = [item.right]
    while numbers and all(isinstance(one, ast.ListExpr) for one in numbers):
        lists = [one for one in numbers if isinstance(one, ast.ListExpr)]
        sizes.append(len(lists[0].items))
        if any(len(one.items) != sizes[-1] for one in lists):
            return None
        numbers = [inner for one in lists for inner in one.items]
    if not isinstance(item.left, ast.Name) or not sizes or not numbers:
        return None
    if not all(isinstance(one, ast.Number) for one in numbers):
        return None
    kind = "f32" if any("." in one.span.text or "e" in one.span.text for one in numbers) else "i64"
    shape = f"{kind}[{', '.join(map(str, sizes))}]"
    start, end = item.right.span.start, item.right.span.end
    source = item.right.span.source
    edits = (
        Edit(Span(source, item.left.span.end, item.left.span.end), f": {shape}"),
        Edit(Span(source, start, start), "tensor("),
        Edit(Span(source, end, end), ")"),
    )
    words = f"write `buffer {item.left.text}: {shape} = tensor([..])`"
    if len(sizes) > 1:
        return Fix(words, edits)
    shape = f"{kind}[{sizes[0]}, 1, 1]"
    words += f"; for the channels of an image `{shape} = tensor([..]) -> reshape({sizes[0]}, 1, 1)`"
    image = (
        Edit(edits[0].span, f": {shape}"),
        edits[1],
        Edit(edits[2].span, f") -> reshape({sizes[0]}, 1, 1)"),
    )
    return Fix(words, edits, image)


_DRAWN = {
    "zeros": "zeros",
    "empty": "zeros",
    "ones": "ones",
    "randn": "normal(std=1.0)",
    "normal": "normal(std=1.0)",
    "rand": "uniform(0.0, 1.0)",
}
"""Functions of PyTorch and NumPy that make a tensor of a given shape, as initialisers."""


def parameter_of_tensor(item: Equation) -> Fix | None:
    """`param w: f32[3, 4] = zeros` for `w = zeros(3, 4)` or `torch.zeros(3, 4)`, without a type."""
    value = item.right
    if not isinstance(item.left, ast.Name):
        return None
    if isinstance(value, ast.Number):
        shape, initial = "f32[]", f"constant({float(value.value)})"
    elif isinstance(value, ast.Call):
        function = value.function
        word = function.name if isinstance(function, ast.Attribute) else function.span.text
        sizes = [one.value for one in value.arguments if one.name is None]
        if len(sizes) == 1 and isinstance(sizes[0], ast.ListExpr | ast.TupleExpr):
            sizes = [*sizes[0].items]
        plain = all(isinstance(one, ast.Number | ast.Name | ast.Binary) for one in sizes)
        if word not in _DRAWN or not sizes or not plain:
            return None
        shape, initial = f"f32[{', '.join(one.span.text for one in sizes)}]", _DRAWN[word]
    else:
        return None
    source, end = item.left.span.source, item.left.span.end
    edits = (Edit(Span(source, end, end), f": {shape}"), Edit(value.span, initial))
    return Fix(f"write `param {item.left.text}: {shape} = {initial}`", edits)


def init_meant(item: Item) -> Fix | None:
    """`init linear.weight = f` for `init linear = f` and `init f(linear.weight)`."""
    written, bare = "", False
    if isinstance(item, Equation) and isinstance(item.left, ast.Name):
        written = f"{item.left.text}.weight = {item.right.span.text}"
    elif isinstance(item, ast.Call) and item.arguments and item.arguments[0].name is None:
        first, *rest = item.arguments
        bare = isinstance(first.value, ast.Attribute)
        others = ", ".join(one.span.text for one in rest)
        function = item.function.span.text.removesuffix("_")
        written = f"{first.span.text} = {function}{f'({others})' if others else ''}"
    if not written or (isinstance(item, ast.Call) and not bare):
        return None
    return Fix(f"write `init {written}`", (Edit(item.span, written),))
