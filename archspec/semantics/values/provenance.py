"""The expressions that values were written as, over the names of the block being specialised.

An expression is read in its scope without evaluation: literals, names and arithmetic. A name is a
parameter of the block itself or a size that it binds. A name of an inline block is replaced by the
argument of that block (`Environment.written`), any other name by its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from archspec.graph.expression import OPERATIONS, Expression, Name, Number, Operation, says_more
from archspec.semantics.program.definitions import Definition, RuleDefinition
from archspec.semantics.values.model import POISON, BlockLayer, Environment, Given, Value
from archspec.syntax import ast
from archspec.types.dim import Dim

DEEPEST = 8
"""Maximum nesting of operators and calls; deeper expressions are no help to a reader."""


def as_written(node: ast.Expr, environment: Environment, depth: int = 0) -> Expression | None:
    """The expression of a syntax tree; None if it is not composed of numbers."""
    if depth > DEEPEST:
        return None
    match node:
        case ast.Number(value=value):
            return Number(value)
        case ast.Text(parts=(str(text),)):
            return Number(text)
        case ast.Name(text=text):
            return _name(text, environment, depth)
        case ast.Group(inner=inner):
            return as_written(inner, environment, depth + 1)
        case ast.Unary(operator=sign, operand=operand):
            return _operation("neg" if sign == "-" else sign, (operand,), environment, depth)
        case ast.Binary(operator=sign, left=left, right=right) if sign in OPERATIONS:
            return _operation(sign, (left, right), environment, depth)
        case ast.TupleExpr(items=items) | ast.ListExpr(items=items):
            return _operation("tuple", items, environment, depth)
        case ast.Call(function=ast.Name(text=name), arguments=arguments) if (
            name in OPERATIONS and not environment.has_local(name)
        ):
            return _operation(name, [item.value for item in arguments], environment, depth)
    return None


def _operation(
    sign: str, nodes: Sequence[ast.Expr], environment: Environment, depth: int
) -> Expression | None:
    operands = []
    for node in nodes:
        operand = as_written(node, environment, depth + 1)
        if operand is None:
            return None
        operands.append(operand)
    return Operation(sign, tuple(operands))


def _name(text: str, environment: Environment, depth: int) -> Expression | None:
    scope: Environment | None = environment
    while scope is not None:
        if text in scope.names:
            return _bound(text, scope, depth)
        scope = scope.parent
    return Number(text == "true") if text in ("true", "false") else None


def _bound(text: str, scope: Environment, depth: int) -> Expression | None:
    """The expression of a name in the scope that binds it."""
    value = scope.names[text]
    if scope.written is not None and text in scope.written:
        written = scope.written[text]
        if isinstance(written, ast.Node):
            written = as_written(written, scope, depth + 1)
        return written or as_number(value)
    if scope.handed is not None:
        written = _handed(text, scope, scope.handed, depth)
        return written or as_number(value)
    return Name(text) if scope.is_body else as_number(value)


def _handed(text: str, scope: Environment, layer: BlockLayer, depth: int) -> Expression | None:
    """The argument of an inline block for a parameter."""
    found = None
    for name, item in _by_name(layer.given, parameter_names(layer.definition)):
        if name == text:
            found = item
    if found is None or found.node is None or found.environment is None:
        return None
    if found.environment.owner is not scope.owner:
        return None
    return as_written(found.node, found.environment, depth + 1)


def as_number(value: Value) -> Expression | None:
    """A number or a string as an expression; None for other values."""
    return Number(value) if isinstance(value, (int, float, str)) else None


Decision: TypeAlias = "tuple[ast.Expr, Environment]"
"""A condition that the body of a block evaluated, and its environment."""


def conditions_of(decisions: Iterable[Decision], owner: object) -> tuple[Expression, ...]:
    """The conditions that are about names of the block, each once; `owner` is its definition."""
    found: dict[Expression, None] = {}
    for node, environment in decisions:
        condition = as_written(node, environment) if environment.owner is owner else None
        if condition is not None and says_more(condition):
            found[condition] = None
    return tuple(found)


@cache
def clause_conditions(rule: RuleDefinition) -> tuple[Expression, ...]:
    """What the clauses of a rule ask of its parameters: literals in their heads, and guards."""
    place = Environment(rule.module)
    place.is_body = True
    names = parameter_names(rule)
    place.names.update(dict.fromkeys(names, POISON))
    found: dict[Expression, None] = {}
    for clause in rule.clauses:
        patterns = zip(names, clause.parameters, strict=False)
        written = [
            Operation("==", (Name(name), literal))
            for name, item in patterns
            if item.pattern is not None and (literal := as_written(item.pattern, place)) is not None
        ]
        guard = as_written(clause.guard, place) if clause.guard is not None else None
        for condition in (*written, *([guard] if guard is not None else ())):
            if says_more(condition):
                found[condition] = None
    return tuple(found)


def numbers_in(environment: Environment) -> dict[str, Any]:
    """The numbers and sizes bound in a body."""
    kinds = (int, float, Dim)
    return {name: value for name, value in environment.names.items() if isinstance(value, kinds)}


@cache
def defaults_of(definition: Definition) -> dict[str, Expression]:
    """The numeric defaults of parameters, in terms of the parameters before them."""
    place = Environment(definition.module)
    place.is_body = True
    found: dict[str, Expression] = {}
    for parameter in definition.parameters:
        name = parameter.name or "_"
        default = as_written(parameter.default, place) if parameter.default is not None else None
        if default is not None:
            kind = parameter.type.name if parameter.type is not None else ""
            if kind == "float" and isinstance(default, Number):
                default = Number(float(default.value))
            found[name] = default
        place.names[name] = POISON
    return found


def written_given(
    given: Iterable[Given], order: Sequence[str], owner: object
) -> dict[str, Expression]:
    """The expressions of the given arguments by name, if they say more than a number.

    `order` names positional arguments; `owner` is the definition of the surrounding block.
    Arguments written in another definition, such as a layer passed as an argument, are left out.
    """
    found: dict[str, Expression] = {}
    for name, item in _by_name(given, order):
        found.pop(name, None)
        if item.node is None or item.environment is None or item.environment.owner is not owner:
            continue
        expression = as_written(item.node, item.environment)
        if expression is not None and says_more(expression):
            found[name] = expression
    return found


def _by_name(given: Iterable[Given], order: Sequence[str]) -> Iterator[tuple[str, Given]]:
    position = 0
    for item in given:
        if item.name is not None:
            yield item.name, item
        elif position < len(order):
            yield order[position], item
            position += 1


Later: TypeAlias = "Callable[[], Mapping[str, Expression]] | None"
"""Finds the expressions of arguments when called; None if there are none."""


def written_later(given: tuple[Given, ...], order: Sequence[str], owner: object) -> Later:
    """`written_given`, deferred until it is needed."""
    if not any(item.node is not None for item in given):
        return None
    return lambda: written_given(given, order, owner)


def written_to_block(layer: BlockLayer, owner: object) -> Later:
    """The expressions of a block's arguments, by parameter, deferred."""
    if not any(item.node is not None for item in layer.given):
        return None
    return lambda: written_given(layer.given, parameter_names(layer.definition), owner)


@cache
def parameter_names(definition: Definition) -> tuple[str, ...]:
    """Names of the parameters, in order."""
    return tuple(item.name or "_" for item in definition.parameters)
