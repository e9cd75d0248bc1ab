"""The names that a body or a binding binds."""

from __future__ import annotations

from archspec.syntax import ast


def bound_in(body: ast.Body) -> frozenset[str]:
    """Every name bound anywhere in a body; order is checked during expansion."""
    found: set[str] = set()
    for statement in body.statements:
        if isinstance(statement, ast.Input):
            for item in statement.items:
                found.add(item.name)
                if item.type is not None:
                    found |= _dims(item.type)
        elif isinstance(statement, (ast.ParamDecl, ast.BufferDecl, ast.Shared)):
            found.add(statement.name)
        elif isinstance(statement, ast.Bind):
            found |= targets_of(statement.targets)
    return frozenset(found)


def targets_of(targets: tuple[ast.Target, ...]) -> frozenset[str]:
    """Every name bound by these targets, with the dims of their shapes."""
    found: set[str] = set()
    for target in targets:
        if isinstance(target, ast.NestedTarget):
            found |= targets_of(target.items)
            continue
        found.add(target.name)
        if isinstance(target, ast.NameTarget) and target.claim is not None:
            found |= _dims(target.claim)
    return frozenset(found)


def changed_by(statement: ast.Statement) -> frozenset[str]:
    """Names that a statement without a result would change in Python.

    These are names bound in the body of a loop or choice, and a list that something is appended to.
    """
    found: set[str] = set()
    stack: list[ast.Statement] = [statement]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Bind) and item is not statement:
            found |= targets_of(item.targets)
        elif isinstance(item, ast.ExprStmt):
            if (name := appended_to(item)) is not None:
                found.add(name)
            for body in bodies_of(item):
                stack.extend(body.statements)
    return frozenset(found)


def bodies_of(statement: ast.Statement) -> tuple[ast.Body, ...]:
    """The bodies of a loop or choice that is a statement."""
    value = statement.value if isinstance(statement, ast.ExprStmt) else None
    if isinstance(value, ast.For):
        return (value.body,)
    if isinstance(value, ast.IfLayer):
        return (value.then,) if value.otherwise is None else (value.then, value.otherwise)
    return ()


def appended_to(statement: ast.Statement) -> str | None:
    """The list in `xs.append(x)` and `append(xs, x)`, as far as it has a name."""
    call = statement.value if isinstance(statement, ast.ExprStmt) else None
    if not isinstance(call, ast.Call):
        return None
    function: ast.Expr = call.function
    if isinstance(function, ast.Attribute) and function.name in ("append", "extend", "insert"):
        return function.base.text if isinstance(function.base, ast.Name) else None
    if isinstance(function, ast.Name) and function.text == "append" and call.arguments:
        first = call.arguments[0].value
        return first.text if isinstance(first, ast.Name) else None
    return None


def _dims(shape: ast.TypeExpr) -> set[str]:
    return {entry.value.text for entry in shape.dims if isinstance(entry.value, ast.Name)}
