"""Methods and sizes of tensors, `x.view(b, -1)` and `x.shape[1]`, and their counterparts here."""

from __future__ import annotations

from dataclasses import replace

from archspec.diagnostics.model import Edit, Fix
from archspec.ops.registry import all_ops
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.foreign.places import in_place
from archspec.semantics.foreign.rewriting import Rewriter
from archspec.semantics.foreign.words import HOW
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.evaluation import evaluate
from archspec.semantics.values.model import Value
from archspec.syntax import ast

_SIZES = "sizes have names in the type of an input: `input x: [B, C, H, W]`"
_WORDS = {
    "shape": _SIZES,
    "size": _SIZES,
    "dim": "the number of axes is that of the type of the input: `input x: [B, C, H, W]`",
    "ndim": "the number of axes is that of the type of the input: `input x: [B, C, H, W]`",
    "numel": "the number of elements is the product of the sizes: `B * C * H * W`",
    "device": "remove it: a spec does not mention devices",
    "dtype": "the element type is that of the input: `input x: f32[B, C]`",
    "to": "remove it, or convert by `x -> cast(f32)`",
    "repeat": 'write `x -> repeat("b n d -> b (r n) d", r=2)`, or `x -> expand(..)` for sizes of 1',
    **dict.fromkeys(
        ("half", "bfloat16", "double"),
        "remove it: `f32` is the type of the module, "
        "which is converted as a whole after the build: `model.half()`",
    ),
    **dict.fromkeys(("cuda", "cpu"), "remove it: a spec does not mention devices"),
    "at": "tensors are not changed: choose elements with `(mask, x) -> where(otherwise=0.0)`, or "
    "join parts with `concat`",
    "append": "lists cannot be changed: write the whole list, `[a, b]`, or `[...list, c]`",
    "tile": 'write `x -> repeat("b n d -> b (r n) d", r=2)`',
    "astype": "convert with `x -> cast(f32)`",
    "type": "convert with `x -> cast(f32)`",
    "channels": _SIZES,
    "num_channels": _SIZES,
    "in_channels": _SIZES,
    "item": "a tensor has no values before the network runs",
    "backward": "gradients belong to training, not to the architecture",
    "requires_grad": "a constant is a `buffer`, and `frozen(layer)` is not trained",
    "weight": "the weights of a layer cannot be read; declare a tensor of weights with `param`",
}


_TRANSPOSED = ("T", "mT", "H", "mH")
"""Attributes of tensors that are their transposes."""


def method_called(context: Context, base: Value, node: ast.Call) -> SpecError:
    """The error for a method of data: `x.permute(0, 2, 1)` is `x -> permute(0, 2, 1)`."""
    function = node.function
    assert isinstance(function, ast.Attribute)
    if function.name == "size" and len(node.arguments) == 1:
        asked = _index_of(node.arguments[0].value)
        if asked is not None:
            return size_asked(context, base, node, asked)
    return _refused(context, node, None)


def method_of_called(context: Context, node: ast.Call, error: SpecError) -> SpecError:
    """The same if the object is an error itself: `x.view(b, -1).transpose(1, 2)`."""
    item, function = error.item, node.function
    assert isinstance(function, ast.Attribute)
    if item is None or item.code not in ("E0309", "E0310") or item.fix is None:
        return error
    if len(item.fix.edits) != 1 or item.fix.edits[0].span != function.base.span:
        return error
    text = item.fix.edits[0].text
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    whole = _refused(context, node, text)
    if whole.item is None or whole.item.fix is None or not whole.item.fix.edits:
        return error
    return SpecError(replace(item, fix=whole.item.fix))


def size_asked(context: Context, base: Value, node: ast.Expr, axis: int) -> SpecError:
    """The error for `.shape` of data, with the name of the size."""
    name = _size(context, base, axis)
    message = "data has no `.shape`: sizes have names, from the type of the input"
    if isinstance(node, ast.Call):
        message = "data has no `.size(..)`: sizes have names, from the type of the input"
    fix = Fix(f"write `{name}`", (Edit(node.span, name),)) if name else Fix(_SIZES)
    return context.error("E0309", message, node.span, fix=fix)


def no_method(context: Context, node: ast.Attribute, base: Value | None = None) -> SpecError:
    """The error for `.name` of data."""
    text = node.base.span.text if node.base.span.text.isidentifier() else "x"
    written = Rewriter(lambda name: True).method(ast.Call(node.span, node, ()), text)
    fix: str | Fix | None = _WORDS.get(node.name)
    if node.name in _TRANSPOSED:
        turned = f"{text} -> transpose(-2, -1)"
        is_name = isinstance(node.base, ast.Name)
        edits = (Edit(node.span, in_place(turned, node.span)),) if is_name else ()
        fix = Fix(f"write `{turned}`", edits)
    if node.name == "shape" and isinstance(base, Tensor):
        sizes = ", ".join(f"`{size}`" for size in base.type.shape)
        fix = f"the sizes are {sizes}: write these where they are needed" if sizes else fix
    if fix is None and node.name in all_ops():
        fix = HOW.get(node.name)
    if fix is None and written is not None:
        fix = f"an op is applied with `->`: `{text} -> {written.op}`"
    if fix is None and isinstance(base, tuple):
        fix = (
            f"outputs get names where they are bound, `a, b = x -> block`, or one is selected at "
            f"the block: `x -> block.{node.name}`"
        )
    if fix is None and isinstance(node.base, ast.Name):
        fix = "sizes have names in the type of an input, and ops are applied with `->`"
    if fix is None:
        fix = "an output is selected at its block: `x -> block.output`, or by position: `t[0]`"
    return context.error("E0309", f"data has no `.{node.name}`", node.span, fix=fix)


def size_index(context: Context, node: ast.Index) -> SpecError | None:
    """The error for `x.shape[1]` if x is data, else None."""
    base = node.base
    if not isinstance(base, ast.Attribute) or base.name != "shape" or len(node.indices) != 1:
        return None
    axis = _index_of(node.indices[0])
    value = evaluate(context, base.base)
    if axis is None or not isinstance(value, Tensor):
        return None
    return size_asked(context, value, node, axis)


def _refused(context: Context, node: ast.Call, data: str | None) -> SpecError:
    function = node.function
    assert isinstance(function, ast.Attribute)

    def size(inner: ast.Node) -> str | None:
        return _written_size(context, inner)

    known = context.environment.has_local
    rewriter = Rewriter(lambda name: known(name) or name in ("true", "false"), size)
    written = rewriter.method(node, data)
    words = _WORDS.get(function.name)
    fix: Fix | None = None
    if words is None and written is not None:
        fix = Fix(f"write `{written.text}`", (Edit(node.span, in_place(written.text, node.span)),))
    if fix is None and words is None:
        return no_method(context, function)
    message = f"data has no `.{function.name}`: an op is applied with `->`"
    if words is not None:
        message, fix = f"data has no `.{function.name}`", Fix(words)
    return context.error("E0309", message, function.span, fix=fix)


def _written_size(context: Context, node: ast.Node) -> str | None:
    """The name of the size for `x.size(0)` or `x.shape[0]` inside another call."""
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Attribute):
        function, indices = node.function, [item.value for item in node.arguments]
    elif isinstance(node, ast.Index) and isinstance(node.base, ast.Attribute):
        function, indices = node.base, [*node.indices]
    else:
        return None
    axis = _index_of(indices[0]) if len(indices) == 1 else None
    if function.name not in ("size", "shape") or not isinstance(function.base, ast.Name):
        return None
    if axis is None or not context.environment.has_local(function.base.text):
        return None
    return _size(context, evaluate(context, function.base), axis)


def _index_of(node: ast.Expr) -> int | None:
    match node:
        case ast.Number(value=int(value)):
            return value
        case ast.Unary(operator="-", operand=ast.Number(value=int(value))):
            return -value
    return None


def _size(context: Context, value: Value, axis: int) -> str | None:
    """The size of an axis in the notation of specs, if all its names are visible."""
    if not isinstance(value, Tensor) or not -value.type.rank <= axis < value.type.rank:
        return None
    size = value.type.shape[axis]
    if all(context.environment.has_local(str(symbol)) for symbol in size.symbols):
        return str(size)
    return None
