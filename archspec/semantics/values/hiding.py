"""Parameters and variables that hide a layer of the same name."""

from __future__ import annotations

from archspec.ops.registry import all_ops
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.model import Value, is_data, is_layer
from archspec.syntax import ast


def hiding(context: Context, node: ast.Expr, value: Value, code: str) -> SpecError | None:
    """The error if a layer is needed and `node` names a value that hides one."""
    while isinstance(node, ast.Labelled | ast.Group):
        node = node.inner
    if not isinstance(node, ast.Name) or not context.environment.has_local(node.text):
        return None
    name = node.text
    definition = context.environment.module.definition(name)
    if (definition is None and name not in all_ops()) or is_data(value) or is_layer(value):
        return None
    what = "op" if definition is None else "block"
    return context.error(
        code,
        f"`{name}` is {kind_of(value)} here, and hides the {what} of the same name",
        node.span,
        fix=f"give the parameter another name, such as `use_{name}`",
    )
