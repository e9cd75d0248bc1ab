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
    return Fix(f"write `buffer {item.left.text}: {shape} = tensor([..])`", edits)


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
