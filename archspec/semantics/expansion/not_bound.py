"""Names that are bound in a body, but not where they are used."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope
from archspec.semantics.values.context import Context, SpecError
from archspec.source import Span
from archspec.syntax import ast


def not_bound(context: Context, node: ast.Name) -> SpecError:
    """E0210 for a name that is bound below, or is an input that does not exist in this mode."""
    declared = _conditional_input(context.environment.module, node)
    before = bound_below_inputs(context, node.text, node.span)
    if before is not None:
        return before
    if declared is None:
        return context.error(
            "E0210",
            f"`{node.text}` is used before it is bound",
            node.span,
            fix="move the line that binds it above this one",
        )
    place, statement, condition = declared
    if len(statement.items) > 1:
        return context.error(
            "E0210",
            f"`{node.text}` is an input only `when {condition}`, as all inputs of its statement",
            node.span,
            secondary=[(place, "declared here")],
            fix=_apart(statement, node.text),
        )
    return context.error(
        "E0210",
        f"`{node.text}` is used where it does not exist: it is an input only `when {condition}`",
        node.span,
        secondary=[(place, "declared here")],
        fix=f"use it in an output: `output y = .. when {condition}`; what takes several steps is a "
        f"block: `output y, z = (x, {node.text}) -> steps when {condition}`",
    )


def bound_below_inputs(context: Context, name: str, place: Span) -> SpecError | None:
    """E0210 for a name that the body binds, in an input: inputs are declared before that."""
    for body in _bodies(context.environment.module, place):
        inputs = [one for one in body.statements if isinstance(one, ast.Input)]
        if not any(one.span.start <= place.start < one.span.end for one in inputs):
            continue
        for statement in body.statements:
            if isinstance(statement, ast.Bind):
                for target in statement.targets:
                    if isinstance(target, ast.NameTarget) and target.name == name:
                        return _below_inputs(context, statement, target, place)
    return None


def _below_inputs(
    context: Context, statement: ast.Bind, target: ast.NameTarget, place: Span
) -> SpecError:
    value = statement.value
    edits: tuple[Edit, ...] = ()
    if len(statement.targets) == 1:
        simple = isinstance(value, ast.Name | ast.Number | ast.Call | ast.Index)
        edits = (Edit(place, value.span.text if simple else f"({value.span.text})"),)
    return context.error(
        "E0210",
        f"an input is declared before the body binds `{target.name}`",
        place,
        secondary=[(target.span, "bound here")],
        fix=Fix("write its value, of parameters only, in the input", edits),
    )


def _apart(statement: ast.Input, name: str) -> Fix:
    """The fix that declares an input by a statement of its own, without `when`."""
    others = [item.span.text for item in statement.items if item.name != name]
    own = [item.span.text for item in statement.items if item.name == name]
    first, last = statement.items[0].span, statement.items[-1].span
    margin = "\n" + " " * (statement.span.column - 1)
    written = f"{', '.join(own)}{margin}input {', '.join(others)}"
    return Fix(f"declare `{name}` by an `input` of its own", (Edit(first.to(last), written),))


def _conditional_input(module: ModuleScope, node: ast.Name) -> tuple[Span, ast.Input, str] | None:
    """The declaration of an input with `when` of this name, its statement and its condition."""
    for body in _bodies(module, node.span):
        for statement in body.statements:
            if isinstance(statement, ast.Input) and statement.when is not None:
                for item in statement.items:
                    if item.name == node.text:
                        return item.span, statement, statement.when.span.text
    return None


def _bodies(module: ModuleScope, place: Span) -> Iterator[ast.Body]:
    """The bodies of the definitions that contain a place."""
    for definition in module.own.values():
        if isinstance(definition, BlockDefinition) and _contains(definition, place):
            yield definition.node.body


def _contains(definition: BlockDefinition, span: Span) -> bool:
    whole = definition.node.span
    return whole.source is span.source and whole.start <= span.start and span.end <= whole.end
