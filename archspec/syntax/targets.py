"""Sorts `chain = chain` into targets, shapes and plain expressions, once its role is known."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax import ast
from archspec.syntax.context import Context, Dots, Equation, Item


def plain(k: Context, item: Item, place: str) -> ast.Expr:
    """An item where only an expression is allowed."""
    if isinstance(item, Dots):
        k.error("E0124", "`...` comes before what it spreads: `...name`", item.span)
        return ast.Missing(item.span)
    if isinstance(item, Equation):
        if ":=" in k.source.text[item.left.span.end : item.right.span.start]:
            return ast.Missing(item.span)  # the sign was reported
        k.error(
            "E0121",
            f"`=` is not allowed in {place}",
            item.span,
            fix="write `==` to compare, `name: layer` to label; names are bound in statements",
        )
        return ast.Missing(item.span)
    return item


def as_type(k: Context, node: ast.Expr) -> ast.TypeExpr | None:
    """A shape, if `node` is written like one: `[B, N]`, `f32[B, N]`, `f32[]`."""
    if isinstance(node, ast.ListExpr):
        items = k.raw_items.pop(id(node), (node, list(node.items)))[1]
        return ast.TypeExpr(node.span, None, tuple(_dim(k, item) for item in items))
    if isinstance(node, ast.Index) and isinstance(node.base, ast.Name):
        items = k.raw_items.pop(id(node), (node, list(node.indices)))[1]
        return ast.TypeExpr(node.span, node.base.text, tuple(_dim(k, item) for item in items))
    return None


def _dim(k: Context, item: Item) -> ast.DimExpr:
    if isinstance(item, Dots):
        return ast.DimExpr(item.span, ast.Name(item.span, "..."))
    if not isinstance(item, Equation):
        return ast.DimExpr(item.span, item)
    if not isinstance(item.left, ast.Name | ast.Missing) or item.spread:
        k.error("E0122", "in a shape, `=` gives a free dim its default size: `H = 224`", item.span)
        return ast.DimExpr(item.span, ast.Missing(item.span))
    return ast.DimExpr(item.span, item.left, item.right)


def as_target(k: Context, node: Item) -> ast.Target | None:
    """One target of a binding; None, after reporting an error, if it can't be one."""
    if isinstance(node, ast.Name):
        return ast.NameTarget(node.span, node.text)
    if isinstance(node, ast.Spread) and isinstance(node.inner, ast.Name):
        return ast.RestTarget(node.span, node.inner.text)
    if isinstance(node, ast.Labelled):
        return _claimed(k, node)
    if isinstance(node, ast.TupleExpr | ast.Group):
        items = node.items if isinstance(node, ast.TupleExpr) else (node.inner,)
        targets = [as_target(k, item) for item in items]
        return ast.NestedTarget(node.span, tuple(t for t in targets if t is not None))
    if isinstance(node, ast.Attribute) and node.base.span.text == "self":
        place = k.span(node.span.start, node.span.end - len(node.name))
        k.error(
            "E0120",
            "there is no `self`: a layer or value is bound to a plain name",
            k.span(node.span.start, node.base.span.end),
            fix=Fix(f"write `{node.name}`", (Edit(place, ""),)),
        )
        return ast.NameTarget(node.span, node.name)
    if not isinstance(node, ast.Missing):
        _refuse(k, node)
    return None


def _refuse(k: Context, node: Item) -> None:
    k.error(
        "E0120",
        "only names can be on the left of `=`: `y = ..`, `a, b = ..`, `y: [B, N] = ..`",
        node.span,
        fix=_without_change(node),
    )


def _without_change(node: Item) -> str | None:
    """What is written instead of a change of a weight or of a part of a tensor."""
    if isinstance(node, ast.Index):
        return (
            "data is not changed in place: the result is a new name, "
            "`y = (condition, x) -> where(otherwise=0.0)`, or `(a, b) -> concat(axis=1)` of its "
            "parts"
        )
    if isinstance(node, ast.Attribute) and node.name in ("weight", "bias"):
        weight = node.span.text
        if node.base.span.text == "init":
            return f"an initial value is declared: `init conv.{node.name} = zeros`"
        return (
            f'for one tensor in two layers write `tie "{weight}" = "other.{node.name}"`, '
            f"for an initial value `init {weight} = zeros`"
        )
    if isinstance(node, ast.Attribute):
        return (
            "a layer of a block is not replaced: what differs is an argument of the block, such "
            "as `resnet50(classes=10)`, or the block is written anew with the other layer"
        )
    return None


_TYPES = frozenset({"int", "float", "bool", "str", "string", "layer", "tensor", "list", "tuple"})
"""Types in annotations of other languages."""


def label_word(label: ast.Label) -> str | None:
    """The plain word of a label, including `_`; None for a string with interpolations."""
    if label.template is None:
        return "_"
    parts = label.template.parts
    quoted = label.span.text.startswith('"')
    return parts[0] if not quoted and len(parts) == 1 and isinstance(parts[0], str) else None


def _claimed(k: Context, node: ast.Labelled) -> ast.Target | None:
    word = label_word(node.label)
    claim = as_type(k, node.inner)
    if word is None:
        k.error(
            "E0120", "a string cannot be bound: only names can be on the left of `=`", node.span
        )
        return None
    if claim is None and not isinstance(node.inner, ast.Missing):
        fix = Fix(f"to label a layer, put the label on the right: `name = x -> {word}: layer`")
        message = f"after `{word}:` on the left of `=` there must be a shape such as `[B, C, H, W]`"
        if node.inner.span.text.lower() in _TYPES or isinstance(node.inner, ast.Attribute):
            place = k.span(node.label.span.end, node.inner.span.end)
            fix = Fix(f"a name is bound without a type: `{word} = ..`", (Edit(place, ""),))
        k.error("E0122", message, node.inner.span, fix=fix)
    return ast.NameTarget(node.span, word, claim)


def _cut(node: ast.Index, words: str) -> Fix:
    """The fix that writes `x[..., i]` as `x -> select(axis=-1, index=i)`."""
    if len(node.indices) != 2 or node.indices[0].span.text != "...":
        return Fix(words)
    if not isinstance(node.base, ast.Name):
        return Fix(words)
    written = f"({node.base.text} -> select(axis=-1, index={node.indices[1].span.text}))"
    line = node.span.source.text[node.span.end :].partition("\n")[0].strip()
    before = node.span.source.text[: node.span.start].rstrip()[-1:]
    if before in ("=", "(", ",") and line in ("", ")"):
        written = written[1:-1]
    return Fix(words, (Edit(node.span, written),))


def report_misplaced_items(k: Context) -> None:
    """Report items that looked like a shape but are not part of one."""
    for node, items in k.raw_items.values():
        if k.covers(node.span):
            continue
        if not items:
            at = node.span.end
            k.error("E0125", "an index is missing between `[` and `]`", k.span(at - 2, at))
        if isinstance(node, ast.Index) and any(isinstance(item, Dots) for item in items):
            dots = next(item for item in items if isinstance(item, Dots))
            fix = "data: `x -> select(axis=-1, index=0)`, `x -> slice(axis=-1, start=a, stop=b)`"
            k.error("E0124", "tensors are not indexed with `...`", dots.span, fix=_cut(node, fix))
            continue
        for item in items:
            if isinstance(item, Equation | Dots):
                plain(k, item, "a list")
    k.raw_items.clear()
