"""Names for data and dims: targets of bindings, and shapes that bind or check dims."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.suggest import beginning, rename, renamed
from archspec.diagnostics.wording import counted
from archspec.graph.expression import Size
from archspec.ops.base import Need
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.requirements import require, settle
from archspec.semantics.values.context import Context, Reported, in_graph
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import evaluate, force
from archspec.semantics.values.functions import items_of
from archspec.semantics.values.model import (
    POISON,
    ListValue,
    Poison,
    Value,
    has_poison,
    is_data,
    tensors,
)
from archspec.semantics.values.operators import equality, plain
from archspec.semantics.values.single_tensors import as_any_number, as_one
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim, dim
from archspec.types.tensor import DType


def bind_targets(
    context: Context,
    targets: Sequence[ast.Target],
    value: Value,
    span: Span,
) -> None:
    """Bind names to a value or its parts, and check shapes claimed for them.

    Several targets unpack a value, a single target takes it whole. Raises SpecError if the number
    of parts differs.
    """
    if len(targets) == 1 and not isinstance(targets[0], ast.RestTarget):
        bind_target(context, targets[0], value, span)
        return
    if isinstance(value, Poison):
        poison_targets(context, targets)
        return
    if len(targets) == 1 and isinstance(value, tuple):
        bind_target(context, targets[0], value, span)
        return
    parts = _parts(context, value, span)
    rest = next((i for i, item in enumerate(targets) if isinstance(item, ast.RestTarget)), None)
    fits = len(parts) == len(targets) if rest is None else len(parts) >= len(targets) - 1
    if not targets:
        raise Reported()  # the left side of `=` could not be parsed
    if not fits:
        poison_targets(context, targets)
        wanted = len(targets) if rest is None else f"{len(targets) - 1} or more"
        found = "is 1 part" if len(parts) == 1 else f"are {len(parts)} parts"
        raise context.error("E0316", f"there {found} for {wanted} names", span)
    if rest is None:
        rest = len(targets)
    after = len(targets) - rest - 1
    for target, part in zip(targets[:rest], parts, strict=False):
        bind_target(context, target, part, span)
    if rest == len(targets):
        return
    middle = parts[rest : len(parts) - after]
    whole = as_any_number(middle[0]) if len(middle) == 1 else middle
    bind_target(context, targets[rest], whole, span)
    for target, part in zip(targets[rest + 1 :], parts[len(parts) - after :], strict=True):
        bind_target(context, target, part, span)


def bind_item(
    context: Context,
    targets: Sequence[ast.Target],
    item: Value,
    span: Span,
    iterable: ast.Expr,
) -> None:
    """Bind the names of a `for` or a comprehension to an item of what it goes through."""
    rest = any(isinstance(target, ast.RestTarget) for target in targets)
    if len(targets) < 2 or rest or has_poison(item) or isinstance(item, Tensor):
        bind_targets(context, targets, item, span)
        return
    value = plain(force(context, item, span))
    parts = value.items if isinstance(value, ListValue) else value
    if isinstance(parts, tuple) and len(parts) == len(targets):
        bind_targets(context, targets, value, span)
        return
    poison_targets(context, targets)
    names = ", ".join(target.span.text for target in targets)
    text = iterable.span.text
    fix = None
    if isinstance(iterable, ast.TupleExpr | ast.ListExpr) and len(iterable.items) == len(targets):
        written = f"zip({text[1:-1]})"
        fix = Fix(f"several lists side by side: `{written}`", (Edit(iterable.span, written),))
    elif len(targets) == 2 and not isinstance(parts, tuple):
        written = f"enumerate({text})"
        fix = Fix(f"a number for each item: `{written}`", (Edit(iterable.span, written),))
    if isinstance(parts, tuple):
        message = f"an item of this has {counted(len(parts), 'part')}, for {len(targets)} names"
    else:
        message = f"an item of this is {kind_of(value)}, which is not split into `{names}`"
    raise context.error("E0316", message, iterable.span, fix=fix)


def _parts(context: Context, value: Value, span: Span) -> tuple[Value, ...]:
    if isinstance(value, Tensor):
        return (value,)  # a tuple of one is its element
    value = force(context, value, span)
    return items_of(context, value, span)


def bind_target(context: Context, target: ast.Target, value: Value, span: Span) -> None:
    """Bind one target."""
    if isinstance(target, ast.NestedTarget):
        bind_targets(context, target.items, value, span)
        return
    name_free(context, target.name, target.span)
    context.environment.bind(target.name, value, target.span)
    if target.name.startswith("_"):
        discard(context, value)
    if isinstance(target, ast.NameTarget) and target.claim is not None:
        claim(context, target.claim, value, target.name)


def discard(context: Context, value: Value) -> None:
    """Mark data whose name begins with `_` as intentionally unused."""
    for item in tensors(value) if is_data(value) else ():
        if item.builder is in_graph(context).builder:
            node = item.builder.nodes[item.port.node]
            node.discarded |= {item.port.index}


def poison_targets(context: Context, targets: Sequence[ast.Target]) -> None:
    """Bind all names, including dims of claims, to POISON after an error in their value.

    A name that was bound before means the new value from here on, as in other languages.
    """
    for target in targets:
        if isinstance(target, ast.NestedTarget):
            poison_targets(context, target.items)
            continue
        if target.name in context.environment.names:
            context.environment.names[target.name] = POISON
        else:
            context.environment.bind(target.name, POISON, target.span)
        if isinstance(target, ast.NameTarget) and target.claim is not None:
            poison_dims(context, target.claim)


def poison_dims(context: Context, shape: ast.TypeExpr) -> None:
    """Bind the unknown names of a shape to POISON."""
    for entry in shape.dims:
        name = entry.value.text if isinstance(entry.value, ast.Name) else "_"
        if name not in ("_", "...") and not context.environment.has_local(name):
            context.environment.bind(name, POISON, entry.span)


def name_free(context: Context, name: str, span: Span) -> None:
    """Reject a second binding of a name in one body.

    If it was reported before, the new value counts, so that what follows is checked as it is meant.
    """
    environment = context.environment
    if name != "_" and name in environment.names:
        earlier = environment.spans.get(name)
        if (
            span.source is environment.module.tree.source
            and span.start in environment.module.rebound
        ):
            return
        message = f"`{name}` is bound twice; a name can be bound only once in a body"
        fix, label = "choose another name", "bound here"
        owner = environment.owner if environment.is_body else None
        if owner is not None and earlier in [one.span for one in owner.parameters]:
            fix, label = "choose another name for one of them", "the parameter"
            message = f"`{name}` is a parameter of `{owner.name}`, and cannot be bound in its body"
        raise context.error(
            "E0211",
            message,
            span,
            secondary=[(earlier, label)] if earlier is not None else [],
            fix=_size_of_parameter(earlier, span, name) or fix,
        )


def _axes(count: int) -> str:
    return f"{count or 'no'} {'axis' if count == 1 else 'axes'}"


def _size_of_parameter(earlier: Span | None, span: Span, name: str) -> Fix | None:
    """The fix for `C = 8` in a type, if `C` is a parameter, whose value is the size."""
    if earlier is None or not re.fullmatch(rf"{re.escape(name)}\s*=.*", span.text, re.DOTALL):
        return None
    if not re.match(rf"{re.escape(name)}\s*(:|=|\Z)", earlier.text):
        return None
    words = f"`{name}` is a parameter, whose value is the size: write `{name}`"
    return Fix(words, (Edit(span, name),))


def claim(context: Context, shape: ast.TypeExpr, value: Value, name: str) -> None:
    """Check data against a shape, and bind new names in the shape to the dims.

    Raises SpecError if they do not fit; names not yet bound are then POISON.
    """
    if context.environment.names.get(name) is value:
        context.environment.names[name] = as_one(value)
    try:
        for entry, axis, tensor in _entries(context, shape, value, name):
            _claim_dim(context, entry, axis, tensor, name)
    finally:
        poison_dims(context, shape)


def _entries(
    context: Context, shape: ast.TypeExpr, value: Value, name: str
) -> list[tuple[ast.DimExpr, int, Tensor]]:
    """The entries of a shape with their axes; empty for data that failed."""
    if isinstance(value, Poison):
        return []
    if not isinstance(value, Tensor):
        what = "a tuple" if is_data(value) else kind_of(value)
        raise context.error(
            "E0405", f"`{name}` is {what}, but a shape describes one tensor", shape.span
        )
    if shape.dtype is not None:
        wanted = dtype_of(context, shape)
        if wanted is not value.type.dtype:
            raise context.error(
                "E0406",
                f"`{name}` has element type {value.type.dtype}, not {wanted}",
                shape.span,
                fix=_converted(name, value.type.dtype, wanted),
            )
    axes = _aligned(context, shape, value, name)
    met = zip(shape.dims, axes, strict=True)
    return [(entry, axis, value) for entry, axis in met if axis is not None]


def _converted(name: str, given: DType, wanted: DType) -> str:
    """Advice on data of another element type than a shape has."""
    if name == "labels" and given.is_float:
        return (
            "labels are whole numbers: probabilities of classes, such as one-hot vectors, are for "
            "`soft_cross_entropy`, other numbers are converted by `-> cast(i64)`"
        )
    return f"convert it by `-> cast({wanted})`"


def _aligned(context: Context, shape: ast.TypeExpr, value: Tensor, name: str) -> list[int | None]:
    """For each entry of a shape the axis that it describes; None for `...`."""
    sizes = value.type.shape
    rest = next((i for i, entry in enumerate(shape.dims) if is_ellipsis(entry)), None)
    fits = len(sizes) == len(shape.dims) if rest is None else len(sizes) >= len(shape.dims) - 1
    if not fits:
        wanted = len(shape.dims) if rest is None else f"{len(shape.dims) - 1} or more"
        raise context.error(
            "E0405",
            f"`{name}` has {_axes(len(sizes))}, {value.type.shape_text}, not {wanted}",
            shape.span,
            f"it is {value.type}",
        )
    if rest is None:
        return [*range(len(sizes))]
    after = len(shape.dims) - rest - 1
    return [*range(rest), None, *range(len(sizes) - after, len(sizes))]


def is_ellipsis(entry: ast.DimExpr) -> bool:
    """Whether an entry of a shape is `...`."""
    return isinstance(entry.value, ast.Name) and entry.value.text == "..."


def _claim_dim(context: Context, entry: ast.DimExpr, axis: int, value: Tensor, name: str) -> None:
    expression, size = entry.value, value.type.shape[axis]
    if isinstance(expression, ast.Name):
        if expression.text == "_":
            return
        if not context.environment.has_local(expression.text):
            context.environment.bind(expression.text, plain(size), entry.span)
            if not context.environment.is_body:
                context.environment.record_expression(expression.text, Size(size.constant))
            else:
                _note_measured(context, value, axis, expression.text)
            return
        _note_measured(context, value, axis, expression.text)
    wanted = size_of(context, expression)
    if wanted is None:
        return
    reason = f"`{name}` is declared to be {wanted} here, but it is {size}"
    need = Need(equality(context, size, wanted, entry.span), reason)
    place = in_graph(context)
    require(place, settle(place, need, entry.span, lambda: [_made_at(value)]), value)


def _note_measured(context: Context, value: Tensor, axis: int, name: str) -> None:
    """Record the name of an axis, for provenance, if it is one of the block and not a parameter."""
    node = value.builder.nodes[value.port.node]
    owner = context.environment.owner
    own = context.environment.is_body and value.builder is in_graph(context).builder
    parameters = owner.parameters if owner is not None else ()
    if own and name not in {one.name for one in parameters}:
        node.measured += ((value.port.index, axis, name),)


def _made_at(value: Tensor) -> tuple[Span, str]:
    node = value.builder.nodes[value.port.node]
    return node.origin.span, f"this is {value.type}"


def size_of(context: Context, expression: ast.Expr) -> Dim | None:
    """The value of an entry of a shape; None if an error was reported there."""
    value = plain(force(context, evaluate(context, expression), expression.span))
    if isinstance(value, Poison):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Dim)):
        raise context.error("E0309", f"a dim is an integer, not {kind_of(value)}", expression.span)
    return dim(value)


_DTYPES = {
    "float32": "f32",
    "float16": "f32",
    "float64": "f32",
    "bfloat16": "f32",
    "float": "f32",
    "half": "f32",
    "double": "f32",
    "f16": "f32",
    "f64": "f32",
    "int64": "i64",
    "long": "i64",
    "int": "i64",
    "int32": "i32",
    "boolean": "bool",
    "complex64": "c64",
    "tensor": "f32",
}
"""Element types by their names in other languages; `f32` is the floating type of the module."""


def dtype_of(context: Context, shape: ast.TypeExpr) -> DType:
    """The element type of a shape; the default is f32."""
    text = shape.dtype or "f32"
    try:
        return DType(text)
    except ValueError:
        place = beginning(shape.span, text)
        raise context.error(
            "E0407",
            f"there is no element type `{text}`",
            shape.span,
            fix=renamed(place, _DTYPES.get(text.lower()))
            or rename(place, text, list(DType))
            or "element types are f32, i64, i32, bool and c64",
        ) from None
