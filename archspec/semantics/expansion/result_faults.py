"""Errors in the result of a body that the rest of the body explains."""

from __future__ import annotations

from dataclasses import replace

from archspec.diagnostics.model import Diagnostic, Edit, Fix
from archspec.semantics.values.context import SpecError
from archspec.source import Span
from archspec.syntax import ast

_SHAPE = "f32[B = 1, 3, H = 224, W = 224]"


def explained(
    error: SpecError, body: ast.Body, statement: ast.Statement, network: bool
) -> SpecError:
    """The error of an output or of a body without statements, with the data to apply it to."""
    item = error.item
    if item is None or not isinstance(statement, ast.Output | ast.ExprStmt):
        return error
    inputs = [name for one in body.statements if isinstance(one, ast.Input) for name in _names(one)]
    is_layer = item.message == "an output must be data, but this is a layer"
    takes_nothing = item.code == "E0304" and item.message.endswith("not 0")
    if is_layer and len(inputs) == 1:
        return SpecError(replace(item, fix=_applied(statement, inputs[0])))
    if inputs or not (is_layer or takes_nothing) or not (network or is_layer):
        return error
    return SpecError(_without_input(item, statement, network))


def _names(node: ast.Input) -> list[str]:
    return [item.name for item in node.items]


def _applied(statement: ast.Output | ast.ExprStmt, name: str) -> Fix:
    value = statement.value.span
    edit = Edit(Span(value.source, value.start, value.start), f"{name} -> ")
    return Fix(f"apply it: `{name} -> f`", (edit,))


def _without_input(
    item: Diagnostic, statement: ast.Output | ast.ExprStmt, network: bool
) -> Diagnostic:
    value, whole = statement.value.span, statement.span
    line = f"input x: {_SHAPE}" if network else "input x"
    margin = "\n" + " " * (whole.column - 1)
    result = "" if isinstance(statement, ast.Output) else "output "
    edits = (
        Edit(Span(whole.source, whole.start, whole.start), f"{line}{margin}{result}"),
        Edit(Span(value.source, value.start, value.start), "x -> "),
    )
    if not result:
        own = Fix(f"declare an input, `{line}`, and apply the layer to it", edits)
    else:
        both = Edit(edits[0].span, f"{edits[0].text}x -> ")
        own = Fix(f"declare an input, `{line}`, and apply the layer to it", (both,))
    message = f"this {'network' if network else 'body'} has no `input` for its first layer"
    return replace(item, message=message, fix=own)
