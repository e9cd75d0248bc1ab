"""The names of data in a definition, from the syntax tree: comparisons of data are no decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from archspec.ops.registry import all_ops
from archspec.semantics.program.definitions import Definition, RuleDefinition
from archspec.syntax import ast
from archspec.syntax.visit import target_names, walk

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def compares_data(node: ast.Binary, names: Collection[str], definition: Definition) -> bool:
    """Whether it is a comparison whose result is a tensor, not a condition on values.

    `names` are the `data_names` of the definition.
    """
    return node.operator in COMPARISONS and is_data(node, names, definition)


def data_names(definition: Definition) -> Collection[str]:
    """The names that are bound to data wherever the definition binds them."""
    data: set[str] = set()
    others: set[str] = set()
    trees: Sequence[ast.Node] = (
        definition.clauses if isinstance(definition, RuleDefinition) else (definition.node,)
    )
    for tree in trees:
        for node in walk(tree):
            match node:
                case (
                    ast.InputItem(name=name) | ast.ParamDecl(name=name) | ast.BufferDecl(name=name)
                ):
                    data.add(name)
                case ast.Bind(targets=targets, value=value):
                    found = data if is_data(value, data - others, definition) else others
                    found.update(target_names(targets))
                case ast.For(targets=targets) | ast.Comprehension(targets=targets):
                    others.update(target_names(targets))
                case ast.Parameter(name=str(name)):
                    others.add(name)
    return data - others


def is_data(node: ast.Node, names: Collection[str], definition: Definition) -> bool:
    """Whether an expression is certainly data, given names of data."""
    stack = [node]  # sums can be long
    while stack:
        match stack.pop():
            case ast.Binary(left=left, right=right):
                stack += [left, right]
            case ast.Group(inner=inner) | ast.Unary(operand=inner):
                stack.append(inner)
            case ast.Chain(stages=(first, *_)):
                stack.append(first)
            case part if _part_is_data(part, names, definition):
                return True
    return False


def _part_is_data(node: ast.Node, names: Collection[str], definition: Definition) -> bool:
    match node:
        case ast.Name(text=text):
            return text in names
        case ast.TupleExpr(items=items):
            return bool(items) and all(is_data(item, names, definition) for item in items)
        case ast.Comprehension(is_tuple=True, element=ast.Chain()):
            return True
        case ast.IfLayer(then=then, otherwise=ast.Body() as otherwise):
            return all(_yields_data(body, names, definition) for body in (then, otherwise))
        case ast.Call(function=ast.Name(text=text)):
            return _is_source(text, definition)
        case _:
            return False


def _is_source(name: str, definition: Definition) -> bool:
    """Whether it is an op without inputs, so that a call of it is data and not a layer."""
    op = all_ops().get(name)
    return op is not None and op.arity == (0, 0) and definition.module.definition(name) is None


def _yields_data(body: ast.Body, names: Collection[str], definition: Definition) -> bool:
    results = [one for one in body.statements if isinstance(one, ast.ExprStmt | ast.Output)]
    return bool(results) and all(is_data(one.value, names, definition) for one in results)
