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


def _dims(shape: ast.TypeExpr) -> set[str]:
    return {entry.value.text for entry in shape.dims if isinstance(entry.value, ast.Name)}
