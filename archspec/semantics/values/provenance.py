"""The expressions that values were written as, over the names of the block being specialised.

An expression is read in its scope without evaluation: literals, names and arithmetic. A name is a
parameter of the block itself or a size that it binds. A name of an inline block is replaced by the
argument of that block (`Environment.written`), any other name by its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from archspec.graph.expression import (
    OPERATIONS,
    Expression,
    Name,
    Number,
    Operation,
    Outside,
    evaluated,
    has_names,
)
from archspec.semantics.program.definitions import Definition, RuleDefinition
from archspec.semantics.values.model import POISON, BlockLayer, Environment, Given, ListValue, Value
from archspec.syntax import ast
from archspec.types.dim import Dim
from archspec.types.initialiser import INITIALISERS

DEEPEST = 12
"""Maximum nesting of operators and calls; deeper expressions do not help a reader."""


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
        case ast.Unary() | ast.Binary() | ast.TupleExpr() | ast.ListExpr() | ast.IfValue():
            sign, nodes = _parts(node)
            known = sign in OPERATIONS
            return _operation(sign, nodes, environment, depth) if known else None
        case ast.Call(function=ast.Name(text=name)) if not environment.has_local(name):
            return _called(name, node, environment, depth)
        case ast.Index(base=base, indices=(at,)):
            found = _written_item(base, at, environment, depth)
            if found is not None:
                return found
    return as_number(folded(node, environment, depth))


def _written_item(
    base: ast.Expr, at: ast.Expr, environment: Environment, depth: int
) -> Expression | None:
    """The item of a list whose items are known as they were written."""
    whole, place = as_written(base, environment, depth + 1), folded(at, environment, depth + 1)
    if not isinstance(whole, Operation) or whole.sign != "tuple" or type(place) is not int:
        return None
    count = len(whole.operands)
    return whole.operands[place] if -count <= place < count else None


def _parts(
    node: ast.Unary | ast.Binary | ast.TupleExpr | ast.ListExpr | ast.IfValue,
) -> tuple[str, Sequence[ast.Expr]]:
    """The sign and the operands of an operation."""
    match node:
        case ast.Unary(operator=sign, operand=operand):
            return "neg" if sign == "-" else sign, (operand,)
        case ast.Binary(operator=sign, left=left, right=right):
            return sign, (left, right)
        case ast.IfValue(condition=condition, then=then, otherwise=otherwise):
            return "if", (condition, then, otherwise)
    return "tuple", node.items


def _called(name: str, node: ast.Call, environment: Environment, depth: int) -> Expression | None:
    """The expression of a call: of a function, or of a rule that is one expression."""
    rule = environment.module.definition(name)
    if isinstance(rule, RuleDefinition):
        return _of_rule(rule, node, environment, depth)
    values = [item.value for item in node.arguments]
    found = _operation(name, values, environment, depth) if name in OPERATIONS else None
    return found or as_number(folded(node, environment, depth))


def _of_rule(
    rule: RuleDefinition, node: ast.Call, environment: Environment, depth: int
) -> Expression | None:
    """The right side of a rule without conditions, over what its parameters are given."""
    if len(rule.clauses) > 1 or rule.clauses[0].guard is not None:
        return None
    parameters = rule.clauses[0].parameters
    values = [item.value for item in node.arguments if item.name is None]
    if len(values) != len(parameters) or len(values) != len(node.arguments):
        return None
    inside = Environment(rule.module)
    inside.owner = environment.owner
    for parameter, value in zip(parameters, values, strict=True):
        if parameter.pattern is not None or parameter.name is None:
            return None
        written = as_written(value, environment, depth + 1)
        if written is not None:
            inside.record_expression(parameter.name, written)
        number = folded(value, environment, depth + 1)
        inside.bind(parameter.name, POISON if number is None else number)
    return as_written(rule.clauses[0].value, inside, depth + 1)


def folded(node: ast.Expr, environment: Environment, depth: int = 0) -> Value | None:
    """The value of what is composed of known numbers and lists of them; None for others."""
    if depth > DEEPEST:
        return None
    parts: list[Value | None] = []
    match node:
        case ast.Number(value=value):
            return value
        case ast.Group(inner=inner):
            return folded(inner, environment, depth + 1)
        case ast.Name(text=text):
            known = environment.local(text) if environment.has_local(text) else None
            return known if isinstance(known, (int, float, ListValue)) else None
        case ast.Binary(operator=sign, left=left, right=right) if sign in OPERATIONS:
            parts = [folded(one, environment, depth + 1) for one in (left, right)]
            return _folded_operation(sign, parts)
        case ast.Call(function=ast.Name(text=name), arguments=arguments):
            parts = [folded(item.value, environment, depth + 1) for item in arguments]
            if len(parts) == 1 and isinstance(parts[0], ListValue) and name in OF_LISTS:
                return _folded_list(name, parts[0])
            return _folded_operation(name, parts) if name in OPERATIONS else None
        case ast.Index(base=base, indices=(at,)):
            found = folded(base, environment, depth + 1)
            return _item(found, at, environment) if isinstance(found, ListValue) else None
    return None


OF_LISTS: Mapping[str, Callable[[Any], Any]] = {"sum": sum, "len": len, "max": max, "min": min}


def _folded_list(name: str, values: ListValue) -> Value | None:
    numbers = all(isinstance(item, (int, float)) for item in values.items)
    found = OF_LISTS[name](values.items) if (numbers and values.items) or name == "sum" else None
    return found if isinstance(found, (int, float)) else None


def _folded_operation(sign: str, parts: Sequence[Value | None]) -> Value | None:
    numbers = [Number(part) for part in parts if isinstance(part, (int, float))]
    if len(numbers) < len(parts):
        return None
    found = evaluated(Operation(sign, tuple(numbers)), {})
    return found if isinstance(found, (int, float)) else None


def _item(values: ListValue, at: ast.Expr, environment: Environment) -> Value | None:
    if not isinstance(at, ast.Range):
        place = folded(at, environment)
        is_inside = isinstance(place, int) and -len(values.items) <= place < len(values.items)
        return values.items[place] if is_inside and isinstance(place, int) else None
    start = 0 if at.start is None else folded(at.start, environment)
    stop = len(values.items) if at.stop is None else folded(at.stop, environment)
    if isinstance(start, int) and isinstance(stop, int) and min(start, stop) >= 0:
        return ListValue(values.items[start:stop])
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
    if scope.inline_call is not None:
        written = _inline_argument(text, scope, scope.inline_call, depth)
        return written or as_number(value)
    return Name(text) if scope.is_body else as_number(value)


def _inline_argument(
    text: str, scope: Environment, layer: BlockLayer, depth: int
) -> Expression | None:
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


def as_number(value: Value | None) -> Expression | None:
    """A number or a string as an expression; None for other values."""
    return Number(value) if isinstance(value, (int, float, str)) else None


Decision: TypeAlias = "tuple[ast.Expr, Environment]"
"""A condition that the body of a block evaluated, and its environment."""


def conditions_of(decisions: Iterable[Decision], owner: object) -> tuple[Expression, ...]:
    """The conditions that are about names of the block, each once; `owner` is its definition."""
    found: dict[Expression, None] = {}
    for node, environment in decisions:
        condition = as_written(node, environment) if environment.owner is owner else None
        if condition is not None and has_names(condition):
            found[condition] = None
    return tuple(found)


@cache
def clause_conditions(rule: RuleDefinition) -> tuple[Expression, ...]:
    """The conditions of the clauses of a rule on its parameters: literals and guards."""
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
            if has_names(condition):
                found[condition] = None
    return tuple(found)


def numbers_in(environment: Environment) -> dict[str, Any]:
    """The numbers and sizes bound in a body."""
    kinds = (int, float, Dim)
    return {name: value for name, value in environment.names.items() if isinstance(value, kinds)}


def numbers_around(environment: Environment) -> dict[str, Any]:
    """The numbers and sizes of the body that a scope is in, over which its expressions are."""
    scope: Environment | None = environment
    while scope is not None and not scope.is_body:
        scope = scope.parent
    return numbers_in(scope or environment)


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
    given: Sequence[Given], order: Sequence[str], owner: object, variadic: str | None = None
) -> dict[str, Expression]:
    """The expressions of the given arguments by name, if they say more than a number.

    `order` names positional arguments, those after them are items of the list `variadic`; `owner`
    is the definition of the surrounding block.
    Of arguments written in another definition, as in a layer that is an argument, the numbers are
    known, and that they come from outside.
    """
    found: dict[str, Expression] = {}
    for name, item in _by_name(given, order):
        found.pop(name, None)
        if item.node is None or item.environment is None:
            continue
        if item.environment.owner is not owner:
            if isinstance(item.value, int | float) and not isinstance(item.value, bool):
                found[name] = Outside(item.value)
            continue
        expression = as_written(item.node, item.environment)
        if expression is not None and has_names(expression):
            found[name] = expression
        found.update(_of_initialiser(name, item.node, item.environment))
    if variadic is not None:
        items = [item for item in given if item.name is None][len(order) :]
        expression = _of_items(items, owner)
        if expression is not None and has_names(expression):
            found[variadic] = expression
    return found


def _of_items(items: Sequence[Given], owner: object) -> Expression | None:
    """The list that arguments make, of which one may be the list itself."""
    found: list[Expression] = []
    for item in items:
        if item.node is None or item.environment is None or item.environment.owner is not owner:
            return None
        expression = as_written(item.node, item.environment)
        if expression is None:
            return None
        found.append(expression)
    is_list = len(items) == 1 and isinstance(items[0].value, ListValue | tuple)
    return found[0] if is_list else Operation("tuple", tuple(found))


def _of_initialiser(
    name: str, node: ast.Expr, environment: Environment
) -> Iterator[tuple[str, Expression]]:
    """The numbers of an initialiser, as `weight_init.std`."""
    if not isinstance(node, ast.Call) or not isinstance(node.function, ast.Name):
        return
    kind = INITIALISERS.get(node.function.text)
    fields = [*kind.model_fields] if kind is not None else []
    for place, item in enumerate(node.arguments[: len(fields)]):
        expression = as_written(item.value, environment)
        if expression is not None and has_names(expression):
            yield f"{name}.{item.name or fields[place]}", expression


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


def written_later(
    given: tuple[Given, ...], order: Sequence[str], owner: object, variadic: str | None = None
) -> Later:
    """`written_given`, deferred until it is needed."""
    if not any(item.node is not None for item in given):
        return None
    return lambda: written_given(given, order, owner, variadic)


def written_to_block(layer: BlockLayer, owner: object) -> Later:
    """The expressions of a block's arguments, by parameter, deferred."""
    if not any(item.node is not None for item in layer.given):
        return None
    return lambda: written_given(layer.given, parameter_names(layer.definition), owner)


@cache
def parameter_names(definition: Definition) -> tuple[str, ...]:
    """Names of the parameters, in order."""
    return tuple(item.name or "_" for item in definition.parameters)
