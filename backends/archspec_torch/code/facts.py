"""Statements that compute sizes only."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from archspec_torch.code.statements import Part, Statement

DIVISIONS = (ast.Div, ast.FloorDiv, ast.Mod)
"""Operators that may fail."""


def with_facts(parts: Sequence[Part], optional: Collection[str] = ()) -> list[Part]:
    """The parts, in which computations of sizes on one side are moved out of the `if`.

    Such a line costs nothing, and TorchScript then knows its variable after the `if`. Those that
    read `optional` variables, which may be None, are not moved.
    """
    found: list[Part] = []
    sizes: set[str] = set()
    for part in parts:
        if part.shared or (part.left and part.right):
            sizes |= _made(part.left, sizes) if part.shared else set()
            found.append(part)
            continue
        own, first = part.left or part.right, bool(part.left)
        while own and own[0].read.isdisjoint(optional) and _is_fact(own[0], sizes):
            sizes |= own[0].made
            found.append(_on(first, own[:1], always=True))
            own = own[1:]
        if own:
            found.append(_on(first, own))
    return found


def _on(first: bool, own: list[Statement], always: bool = False) -> Part:
    return Part(own, [], always=always) if first else Part([], own, always=always)


def _made(statements: Sequence[Statement], sizes: Collection[str]) -> set[str]:
    return {name for one in statements if _is_fact(one, sizes, DIVISIONS) for name in one.made}


def _is_fact(
    statement: Statement, sizes: Collection[str], more: tuple[type[ast.operator], ...] = ()
) -> bool:
    """Whether it assigns a value computed only from sizes and numbers.

    Allowed operators are those that never fail, and `more`.
    """
    if any(line.comment or line.tensors for line in statement.lines):
        return False
    tree = ast.parse(statement.text).body[0]
    return isinstance(tree, ast.Assign) and _of_sizes(tree.value, sizes, more)


def _of_sizes(node: ast.expr, sizes: Collection[str], more: tuple[type[ast.operator], ...]) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in sizes
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return name == "self" or attribute in ("shape", "device", "dtype")
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant()):
            return _of_sizes(node.value, sizes, more)
        case ast.Tuple(elts=items):
            return all(_of_sizes(item, sizes, more) for item in items)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _of_sizes(operand, sizes, more)
        case ast.BinOp(left=left, right=right, op=operator):
            sides = _of_sizes(left, sizes, more) and _of_sizes(right, sizes, more)
            return sides and isinstance(operator, (ast.Add, ast.Sub, ast.Mult, *more))
        case ast.Call(func=ast.Name(id="min" | "max"), args=arguments):
            return all(_of_sizes(item, sizes, more) for item in arguments)
    return False
