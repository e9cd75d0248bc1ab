"""Names that are bound in a body, but not where they are used."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope
from archspec.semantics.values.context import Context, SpecError
from archspec.source import Span
from archspec.syntax import ast


def not_bound(context: Context, node: ast.Name) -> SpecError:
    """E0210 for a name that is bound below, or is an input that does not exist in this mode."""
    declared = _conditional_input(context.environment.module, node)
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
    for definition in module.own.values():
        if not isinstance(definition, BlockDefinition) or not _contains(definition, node.span):
            continue
        for statement in definition.node.body.statements:
            if isinstance(statement, ast.Input) and statement.when is not None:
                for item in statement.items:
                    if item.name == node.text:
                        return item.span, statement, statement.when.span.text
    return None


def _contains(definition: BlockDefinition, span: Span) -> bool:
    whole = definition.node.span
    return whole.source is span.source and whole.start <= span.start and span.end <= whole.end
