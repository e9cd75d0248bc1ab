"""Inputs of a network: free dims, default sizes for reports, and conditions of `where`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archspec.diagnostics.model import Edit, Fix
from archspec.graph.model import Structure
from archspec.semantics.expansion.not_bound import bound_below_inputs
from archspec.semantics.expansion.requirements import sizes_text
from archspec.semantics.expansion.shape_patterns import dtype_of, is_ellipsis, name_free, size_of
from archspec.semantics.program.definitions import BlockDefinition
from archspec.semantics.values.context import GraphContext, Reported, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import evaluate
from archspec.semantics.values.model import POISON, Poison
from archspec.semantics.values.operators import is_condition, plain
from archspec.semantics.values.single_tensors import as_one
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.condition import (
    TRUE,
    All,
    Condition,
    allowed_size,
    beginning_at_zero,
    conjunction,
    zero_allowed,
)
from archspec.types.condition import (
    evaluate as true_for,
)
from archspec.types.dim import Dim
from archspec.types.sizes import next_size
from archspec.types.solver import VerdictKind
from archspec.types.tensor import TensorType


@dataclass
class Inputs:
    """The contents of a network's input statements."""

    definition: BlockDefinition
    sizes: dict[str, int] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    """The location of each default size."""
    given: Condition = TRUE
    where_span: Span | None = None
    statements: tuple[ast.Input, ...] = ()
    structures: tuple[Structure, ...] = ()


def network_inputs(
    context: GraphContext, definition: BlockDefinition, statements: Sequence[ast.Input]
) -> Inputs:
    """Make the input nodes, bind names and free dims, and evaluate `where`."""
    found = Inputs(definition, statements=tuple(statements))
    builder = context.builder
    failed = False
    for statement in statements:
        for item in statement.items:
            try:
                type_ = _input_type(context, item, found)
                name_free(context, item.name, item.span)
            except SpecError as error:
                context.session.report(error)
                failed = True
                continue
            tensor = as_one(builder.add_input(item.name, type_, item.span))
            context.environment.bind(item.name, tensor, item.span)
    if failed:
        raise Reported()
    found.structures = (None,) * len(builder.nodes)
    clauses = [expression for statement in statements for expression in statement.where]
    context.builder.decided += [(clause, context.environment) for clause in clauses]
    if clauses:
        found.where_span = clauses[0].span.to(clauses[-1].span)
    found.given = _promised(context, clauses)
    zero = beginning_at_zero(found.given)
    if zero != TRUE:
        context.session.given = zero
        found.given = _promised(context, clauses)  # an `if` may depend on where sizes begin
    _sizes_from_one(context, found)
    if found.where_span is None:
        return found
    if context.session.decide(found.given, found.where_span).kind is VerdictKind.NEVER:
        raise context.error("E0402", "no size satisfies this `where`", found.where_span)
    if not true_for(found.given, found.sizes):
        raise context.error(
            "E0707",
            f"the default sizes, {sizes_text(found.sizes)}, are not allowed by `where`",
            found.where_span,
            fix=_allowed(found),
        )
    return found


def _sizes_from_one(context: GraphContext, found: Inputs) -> None:
    """Reject a default size of 0 for a dim that `where` does not allow to be 0."""
    zero = zero_allowed(found.given)
    for name, size in found.sizes.items():
        if not allowed_size(size, name, zero):
            raise context.error(
                "E0309",
                "the size of a free dim must be a positive integer",
                found.places[name],
                fix=f"to allow 0, write `where {name} >= 0`",
            )


def _allowed(found: Inputs) -> str:
    """A fix: the next size that `where` allows, if changing one dim is enough."""
    near = next_size(found.given, found.sizes, 1024)
    if near is None:
        names = " and ".join(f"`{name} = ..`" for name in found.sizes)
        return f"give {names} a size that `where` allows; a default may be a parameter"
    return f"use another size: `{near[0]} = {near[1]}`"


def _promised(context: GraphContext, clauses: Sequence[ast.Expr]) -> Condition:
    return conjunction(part for clause in clauses for part in _condition(context, clause))


def _condition(context: GraphContext, expression: ast.Expr) -> list[Condition]:
    value = evaluate(context, expression)
    if isinstance(value, Poison) or value is True:
        return []
    if not is_condition(value):
        shown = "false for all sizes" if value is False else kind_of(value)
        fix = "write a condition for each size: `where H % 2 == 0, W % 2 == 0`"
        raise context.error(
            "E0708",
            f"`where` needs a condition on sizes, but this is {shown}",
            expression.span,
            fix=fix if isinstance(value, Dim) else None,
        )
    return list(value.parts) if isinstance(value, All) else [value]


def _input_type(context: GraphContext, item: ast.InputItem, found: Inputs) -> TensorType:
    if item.rest or item.type is None:
        raise context.error(
            "E0702",
            f"an input of a network needs a shape, but `{item.name}` has none",
            item.span,
            fix=f"`input {item.name}: f32[B = 1, 3, H = 224, W = 224]`",
        )
    sizes = tuple(_input_dim(context, entry, found, item.type) for entry in item.type.dims)
    return TensorType(dtype_of(context, item.type), sizes)


def _input_dim(
    context: GraphContext, entry: ast.DimExpr, found: Inputs, whole: ast.TypeExpr
) -> Dim:
    if is_ellipsis(entry) or (isinstance(entry.value, ast.Name) and entry.value.text == "_"):
        raise context.error("E0702", "a network declares each dim of its inputs", entry.span)
    if isinstance(entry.value, ast.Name):
        name = entry.value.text
        if entry.default is not None or not context.environment.has_local(name):
            return _free_dim(context, entry, name, found, whole)
    size = size_of(context, entry.value)
    if size is None:
        raise Reported()  # otherwise errors would mention a size that the spec does not contain
    if size.constant is not None and size.constant < 1:
        fix = "a free size needs a name and a default: `B = 1`"
        edits = _sizes_for_reports(context, whole)
        message = f"this dim would be {size.constant}"
        raise context.error("E0402", message, entry.span, fix=Fix(fix, edits))
    return size


def _sizes_for_reports(context: GraphContext, whole: ast.TypeExpr) -> tuple[Edit, ...]:
    """The edits that give each unnamed free size of an input a name and a default."""
    edits: list[Edit] = []
    for at, entry in enumerate(whole.dims):
        text = entry.span.text
        is_name = isinstance(entry.value, ast.Name) and text.isidentifier() and text != "None"
        if entry.default is not None or text.isdecimal():
            continue
        name = text if is_name else "BCHW"[at] if at < 4 else f"D{at}"
        if is_name and context.environment.has_local(name) and name not in _unsized(whole):
            continue
        if is_name or text in ("None", "-1", "?"):
            size = 1 if at == 0 else 224 if name in ("H", "W") else 16
            edits.append(Edit(entry.span, f"{name} = {size}"))
    return tuple(edits)


def _unsized(whole: ast.TypeExpr) -> set[str]:
    return {item.span.text for item in whole.dims if item.default is None}


def _free_dim(
    context: GraphContext, entry: ast.DimExpr, name: str, found: Inputs, whole: ast.TypeExpr
) -> Dim:
    if entry.default is None:
        if (below := bound_below_inputs(context, name, entry.span)) is not None:
            raise below
        edits = _sizes_for_reports(context, whole)
        context.environment.bind(name, POISON, entry.span)
        message = f"the free dim `{name}` of a network needs a default size"
        fix = f"`{name} = 1` for a batch, otherwise a typical size"
        if name == "None":
            message = "a free size needs a name and a default: `B = 1`"
            fix = "write `B = 1`"
        raise context.error("E0702", message, entry.span, fix=Fix(fix, edits))
    name_free(context, name, entry.span)
    default = plain(evaluate(context, entry.default))
    if not isinstance(default, int) or isinstance(default, bool) or default < 0:
        if isinstance(default, Poison):
            default = 1
        else:
            message = "the size of a free dim must be a positive integer"
            words = "the element type is written before the bracket: `f32[B = 1, 8]`"
            said = words if name in ("dtype", "type") else None
            raise context.error("E0309", message, entry.default.span, fix=said)
    context.environment.bind(name, Dim.symbol(name), entry.span)
    found.sizes[name] = default
    found.places[name] = entry.default.span
    return Dim.symbol(name)
