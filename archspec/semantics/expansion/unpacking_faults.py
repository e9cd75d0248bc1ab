"""Errors of `a, b = x -> f` where the layer yields another number of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.wording import counted
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.program.definitions import BlockDefinition
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.model import Value
from archspec.source import Span
from archspec.syntax import ast


def explained(context: Context, error: SpecError, node: ast.Bind, value: Value) -> SpecError:
    """The error of a binding, with the names of what the last layer yields."""
    item = error.item
    rest = any(isinstance(target, ast.RestTarget) for target in node.targets)
    if item is None or item.code != "E0316" or rest:
        return error
    found = _yielded(context, node.value, value, len(node.targets))
    if found is None:
        return error
    message, stage, names = found
    count = len(value) if isinstance(value, tuple) else 1
    place = node.targets[0].span.to(node.targets[-1].span)
    fix = _parts(stage, len(node.targets)) or _unbound(value, node)
    fix = fix or _all(node.targets, names, count, place)
    primary = replace(item.primary, span=place) if item.primary is not None else None
    notes = (*item.notes, *_of_body(stage))
    return SpecError(replace(item, message=message, primary=primary, notes=notes, fix=fix))


def explained_output(
    context: Context, error: SpecError, statement: ast.Output, value: Value
) -> SpecError:
    """The error of `output a, b = x -> f`, with the names of what the last layer yields."""
    found = _yielded(context, statement.value, value, len(statement.names))
    if error.item is None or found is None:
        return error
    message, stage, _ = found
    fix = _parts(stage, len(statement.names))
    notes = (*error.item.notes, *_of_body(stage))
    return SpecError(replace(error.item, message=message, notes=notes, fix=fix))


def _yielded(
    context: Context, node: ast.Expr, value: Value, wanted: int
) -> tuple[str, ast.Expr, tuple[str, ...]] | None:
    """The message for a chain that yields another number, its last stage, and the names."""
    if not isinstance(node, ast.Chain):
        return None
    stage = node.stages[-1]
    while isinstance(stage, ast.Labelled | ast.Group):
        stage = stage.inner
    count = len(value) if isinstance(value, tuple) else 1
    function = stage.function if isinstance(stage, ast.Call) else stage
    names: tuple[str, ...] = ()
    if isinstance(stage, ast.ListExpr):
        what = "the list"
    elif isinstance(function, ast.Name):
        what, names = f"`{function.text}`", _names(context, function.text, count)
    else:
        return None
    found = counted(count, "tensor")
    listed = f" ({', '.join(names)})" if count > 1 and len(names) == count else ""
    verb = "is" if wanted == 1 else "are"
    message = f"{what} yields {found}{listed}, but there {verb} {counted(wanted, 'name')}"
    return message, stage, names


def _of_body(stage: ast.Expr) -> tuple[str, ...]:
    """A note for an op whose results depend on the layer that it applies."""
    function = stage.function if isinstance(stage, ast.Call) else stage
    op = all_ops().get(function.text) if isinstance(function, ast.Name) else None
    if op is None or op.yields_region is None:
        return ()
    return (f"this depends on what its layer yields: `archspec explain {op.name}`",)


def _names(context: Context, name: str, count: int) -> tuple[str, ...]:
    if context.environment.has_local(name):
        return ()
    definition = context.environment.module.definition(name)
    if isinstance(definition, BlockDefinition):
        body = definition.node.body.statements
        return tuple(one for item in body if isinstance(item, ast.Output) for one in item.names)
    op = all_ops().get(name) if definition is None else None
    return op.output_names[:count] if op is not None else ()


def _parts(stage: ast.Expr, wanted: int) -> Fix | None:
    """`split(64)` as in PyTorch, where the number is the size of each part."""
    if not isinstance(stage, ast.Call) or not isinstance(stage.function, ast.Name):
        return None
    op: type[Op] | None = all_ops().get(stage.function.text)
    first = stage.arguments[0] if stage.arguments else None
    if op is None or "parts" not in op.model_fields or first is None:
        return None
    if not isinstance(first.value, ast.Number) or first.name not in (None, "parts"):
        return None
    words = f"a number is that of the equal parts, and not their size: `{op.name}({wanted})`"
    return Fix(words, (Edit(first.value.span, str(wanted)),))


def _unbound(value: Value, node: ast.Bind) -> Fix | None:
    """One tensor whose first axis has as many positions as there are names."""
    count = len(node.targets)
    if not isinstance(value, Tensor) or value.type.rank < 2 or count < 2:
        return None
    if value.type.shape[0].constant != count:
        return None
    end = node.value.span.end
    edit = Edit(Span(node.value.span.source, end, end), " -> unbind(0)")
    return Fix(f"for the {count} positions of its first axis write `-> unbind(0)`", (edit,))


def _all(
    targets: Sequence[ast.Target], names: Sequence[str], count: int, place: Span
) -> Fix | None:
    """The names that are written, flat, with `_` for results that have none."""
    written = [one for target in targets for one in _flat(target)]
    if len(written) > count:
        kept = [one for one in written if one != "_"]
        if not kept or (len(kept) > count and len(names) != count):
            return None
        if len(kept) > count:
            text = ", ".join(kept[:count])
            words = f"its results are {', '.join(names)}: write `{text} = ..`"
            return Fix(words, (Edit(place, text),))
        written = kept
    written += ["_"] * (count - len(written))
    text = ", ".join(written)
    words = f"name them all: `{text} = ..`" if count > 1 else f"bind one name: `{text} = ..`"
    return Fix(words, (Edit(place, text),))


def _flat(target: ast.Target) -> list[str]:
    if isinstance(target, ast.NestedTarget):
        return [one for item in target.items for one in _flat(item)]
    return [target.span.text]
