"""Errors for calls in foreign notation: data in parentheses, foreign names of attributes."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.suggest import rename
from archspec.ops.base import Op
from archspec.semantics.foreign.applied import applied_to, around
from archspec.semantics.foreign.places import in_place
from archspec.semantics.foreign.rewriting import Rewriter
from archspec.semantics.foreign.words import HOW
from archspec.semantics.program.definitions import BlockDefinition
from archspec.semantics.program.op_attributes import attribute_names, positional
from archspec.semantics.values.bare_words import is_word
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.evaluation import evaluate
from archspec.semantics.values.model import Value, has_poison, is_data
from archspec.syntax import ast
from archspec.types.dim import Dim

INFERRED = "the number of input channels is inferred, not given"


def refuse_listed(context: Context, op: type[Op], node: ast.Call) -> None:
    """Reject (E0310) `concat([a, b], dim=1)`: a list of data before anything else of the call."""
    first = node.arguments[0].value if node.arguments else None
    if not isinstance(first, ast.ListExpr | ast.TupleExpr) or node.arguments[0].name is not None:
        return
    for item in first.items:
        value = evaluate(context, item.inner if isinstance(item, ast.Spread) else item)
        if is_data(value) and not has_poison(value):
            raise data_in_call(context, node, node.arguments[0])


def refuse_open_shape(context: Context, op: type[Op], node: ast.Call) -> None:
    """Reject (E0301) `zeros(B, 64)`: a shape is a list."""
    order = positional(op)
    if order[:1] != ("shape",) or op.variadic is not None:
        return
    sizes: list[ast.Argument] = []
    for argument in node.arguments:
        if argument.name is not None or isinstance(argument.value, ast.Spread):
            break
        if sizes and isinstance(argument.value, ast.Name) and is_word(argument.value.text):
            break
        value = evaluate(context, argument.value)
        if not isinstance(value, int | Dim) or isinstance(value, bool):
            break
        sizes.append(argument)
    if sizes and len(sizes) == len(node.arguments) and order[1:2] == ("value",):
        sizes.pop()  # `full([3], 1)`
    if not sizes:
        return
    place = sizes[0].span.to(sizes[-1].span)
    fix = Fix(f"write `{op.name}([{place.text}])`", (Edit(place, f"[{place.text}]"),))
    message = f"the shape of `{op.name}` is a list, in brackets"
    raise context.error("E0301", message, place, fix=fix)


def refuse_unknown(context: Context, op: type[Op], node: ast.Call) -> None:
    """Reject (E0302) an unknown attribute of an op, with the call in this notation as a fix."""
    if op.open_attributes is not None or all(item.name is None for item in node.arguments):
        return
    names = attribute_names(op)
    for argument in node.arguments:
        if argument.name is None or argument.name in names or argument.name == op.variadic:
            continue
        place = argument.name_span or argument.span
        written = Rewriter(lambda text: is_word(text) or text in ("true", "false")).own(node, op)
        if argument.name == "dim" and _gives_size_of_parts(node, names):
            written = None
        if written is None and op.name in HOW:
            fix: Fix | None = Fix(HOW[op.name])
        elif written is not None:
            fix = Fix(f"write `{written}`", (Edit(node.span, in_place(written, node.span)),))
        else:
            instead = op.instead_of(argument.name)
            fix = Fix(instead) if instead else rename(place, argument.name, names)
        raise context.error(
            "E0302",
            f"`{op.name}` has no attribute `{argument.name}`",
            place,
            notes=_attributes(op, argument.name, names),
            fix=fix,
        )


def _gives_size_of_parts(node: ast.Call, names: Sequence[str]) -> bool:
    """Whether this is `split(width, dim=2)` as in PyTorch, where the width is that of a part."""
    first = node.arguments[0]
    is_size = not isinstance(first.value, ast.ListExpr | ast.Number)
    return "parts" in names and first.name is None and is_size


def _attributes(op: type[Op], name: str, names: Sequence[str]) -> tuple[str, ...]:
    """Notes on the attributes of an op, for a call with another attribute."""
    if name in _INFERRED_NAMES and op.inferred is not None:
        return (INFERRED,)
    if name == "inplace":
        return ("there are no in-place operations",)
    if op.variadic is not None:
        return (f"its {op.variadic} is given by position: `{op.name}(a, b, ..)`",)
    return (f"it has {', '.join(names)}",) if names else ()


_INFERRED_NAMES = frozenset(
    {"in_channels", "in_features", "num_features", "num_channels", "normalized_shape", "input_size"}
)


def argument_value(context: Context, node: ast.Call, argument: ast.Argument) -> Value:
    """The value of an argument. If data is called in it, the error covers the outer call, too."""
    try:
        return evaluate(context, argument.value)
    except SpecError as error:
        item = error.item
        if item is None or item.code != "E0310" or item.fix is None or not item.fix.edits:
            raise
        raise SpecError(around(item, node, argument)) from None


def refuse_data(context: Context, node: ast.Call) -> None:
    """Reject (E0310) a layer called with data."""
    for argument in node.arguments:
        if not isinstance(argument.value, ast.Spread):
            value = argument_value(context, node, argument)
            if is_data(value) and not has_poison(value):
                raise data_in_call(context, node, argument)


def data_in_call(context: Context, node: ast.Call, argument: ast.Argument) -> SpecError:
    """The error for data in parentheses, with the correct notation as a fix."""
    name = node.function.text if isinstance(node.function, ast.Name) else ""
    known = Rewriter(lambda text: is_word(text) or text in ("true", "false"))
    written = _of_two(node, name) or known.of_same_name(node, name)
    data = [argument]
    for other in node.arguments:
        if other.span.start > argument.span.start and not isinstance(other.value, ast.Spread):
            try:
                value = evaluate(context, other.value)
            except SpecError:
                continue
            if is_data(value) and not has_poison(value):
                data.append(other)
    return context.error(
        "E0310",
        "data is not passed in parentheses, which contain attributes",
        argument.value.span,
        "this is data",
        notes=_taken_by_input(context, node),
        fix=_as_chain(written, node) if written is not None else applied_to(node, data),
    )


def _as_chain(written: str, node: ast.Call) -> Fix:
    return Fix(f"write `{written}`", (Edit(node.span, in_place(written, node.span)),))


_BOUNDS = {"max": ("maximum", "low"), "min": ("minimum", "high")}
"""The op that takes the larger of two tensors, and the bound of `clamp` for a number."""


def _of_two(node: ast.Call, name: str) -> str | None:
    """`max(x, 0)` as `x -> clamp(low=0)`, `max(x, y)` as `(x, y) -> maximum`."""
    if name not in _BOUNDS or len(node.arguments) != 2:
        return None
    if any(item.name is not None for item in node.arguments):
        return None
    op, bound = _BOUNDS[name]
    one, other = (item.value for item in node.arguments)
    if _is_number(one):
        one, other = other, one
    data = Rewriter(lambda text: True).data
    if _is_number(other):
        return f"{data(one)} -> clamp({bound}={other.span.text})"
    return f"({data(one)}, {data(other)}) -> {op}"


def _is_number(node: ast.Expr) -> bool:
    while isinstance(node, ast.Unary | ast.Group):
        node = node.operand if isinstance(node, ast.Unary) else node.inner
    return isinstance(node, ast.Number)


def _taken_by_input(context: Context, node: ast.Call) -> tuple[str, ...]:
    definition = context.environment.module.definition(node.function.span.text)
    if not isinstance(definition, BlockDefinition) or not definition.parameters:
        return ()
    return ("a block takes data by `input x: [B, C]` in its body, not by a parameter",)
