"""Statements that compute sizes only."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from archspec_torch.code.statements import Part


def with_facts(parts: Sequence[Part], known: set[str]) -> list[Part]:
    """The parts, where what one side computes of sizes alone is computed in any case.

    Such a line costs nothing, and TorchScript follows its variable from one `if` to the next.
    """
    found: list[Part] = []
    made = set(known)
    for part in parts:
        own = part.left or part.right
        one_sided = not part.shared and not (part.left and part.right)
        while one_sided and own and _is_fact(own[0].text) and own[0].read <= {*made, *BUILT_IN}:
            made |= own[0].made
            side = [own[0]]
            found.append(Part(side, [], always=True) if part.left else Part([], side, always=True))
            own = own[1:]
        part = Part(own, []) if one_sided and part.left else Part([], own) if one_sided else part
        if part.statements:
            found.append(part)
            made |= part.made()
    return found


BUILT_IN = frozenset({"self", "min", "max"})


def _is_fact(text: str) -> bool:
    """Whether it assigns what is computed of shapes and numbers only, without division."""
    tree = ast.parse(text).body[0]
    return isinstance(tree, ast.Assign) and _of_sizes(tree.value)


def _of_sizes(node: ast.expr) -> bool:
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return name == "self" or attribute in ("shape", "device", "dtype")
        case ast.Subscript(value=ast.Attribute() as shape, slice=ast.Constant()):
            return _of_sizes(shape)
        case ast.Tuple(elts=items):
            return all(map(_of_sizes, items))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _of_sizes(operand)
        case ast.BinOp(left=left, right=right, op=ast.Add() | ast.Sub() | ast.Mult()):
            return _of_sizes(left) and _of_sizes(right)
        case ast.Call(func=ast.Name(id="min" | "max"), args=arguments):
            return all(map(_of_sizes, arguments))
    return False
