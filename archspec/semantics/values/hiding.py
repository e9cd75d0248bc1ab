"""Parameters, inputs and variables that hide a layer or an initialiser of the same name."""

from __future__ import annotations

from archspec.ops.registry import all_ops
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.model import Value, is_data, is_layer
from archspec.syntax import ast
from archspec.types.initialiser import INITIALISERS


def hiding(
    context: Context, node: ast.Expr, value: Value, code: str, *, called: bool = False
) -> SpecError | None:
    """The error if a layer is needed and `node` names a value that hides one.

    A tensor counts only where it is called: elsewhere it may be meant.
    """
    while isinstance(node, ast.Labelled | ast.Group):
        node = node.inner
    if not isinstance(node, ast.Name) or not context.environment.has_local(node.text):
        return None
    hidden = _named(context, node.text)
    if hidden is None or is_layer(value) or (is_data(value) and not called):
        return None
    owner = "tensor" if is_data(value) else "parameter"
    other = f"{node.text}_data" if is_data(value) else f"use_{node.text}"
    return context.error(
        code,
        f"`{node.text}` is {kind_of(value)} here, and hides the {hidden} of the same name",
        node.span,
        fix=f"give the {owner} another name, such as `{other}`",
    )


def _named(context: Context, name: str) -> str | None:
    """What the name means where nothing hides it."""
    if context.environment.module.definition(name) is not None:
        return "block"
    if name in all_ops():
        return "op"
    return "initialiser" if name in INITIALISERS else None
