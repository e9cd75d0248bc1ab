"""Checks of calls as written, including those in unused code.

An attribute may be given twice, be unknown, be a surplus positional one or, in a chain, be missing,
and a literal may be invalid. Errors that depend on other values are found when the call is
expanded; errors already reported there are not repeated.
"""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.binding import coerce, namesake
from archspec.semantics.arguments.layer_calls import (
    initialiser_attribute,
    refuse_twice,
)
from archspec.semantics.arguments.matching import by_name
from archspec.semantics.arguments.op_arguments import (
    attributes_in_order,
    literal_fault,
    missing_attribute,
)
from archspec.semantics.arguments.refused_calls import refuse_unknown
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope, RuleDefinition
from archspec.semantics.program.op_attributes import positional
from archspec.semantics.program.written_calls import WrittenCall
from archspec.semantics.values.bare_words import INITIALISER_NAMES, choices, takes_initialiser
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.functions import FUNCTIONS, refuse_count, refuse_names
from archspec.semantics.values.model import POISON, Given, ListValue, OpLayer, Poison, Value
from archspec.syntax import ast
from archspec.types.initialiser import INITIALISERS

Parts = tuple[ast.Argument, ...]


def check_written(context: Context, scope: ModuleScope) -> None:
    """Report errors in the calls of a file that do not depend on the values of their arguments."""
    sink = context.session.sink
    for call in scope.calls:
        if sink.is_full:
            return
        if sink.touches(call.node.span, _is_literal) or _takes_a_chain(call.node):
            continue
        try:
            _check(context, scope, call)
        except SpecError as error:
            context.session.report(error)


def _is_literal(item: Diagnostic) -> bool:
    """Whether an error is about `True` or `False`, which says nothing of the call around it."""
    return item.primary is not None and item.primary.span.text in ("True", "False")


def _check(context: Context, scope: ModuleScope, call: WrittenCall) -> None:
    name, *calls = _taken_apart(call.node)
    definition = scope.definition(name)
    if isinstance(definition, BlockDefinition | RuleDefinition):
        if not definition.damaged:
            _check_definition(context, definition, calls, call)
    elif definition is None and name in FUNCTIONS and calls and not call.is_stage:
        _check_function(context, name, call.node)
    elif definition is None and name in INITIALISER_NAMES - all_ops().keys():
        _check_initialiser(context, name, calls)
    elif definition is None and name in all_ops():
        _check_op(context, all_ops()[name], calls, call)


def _takes_a_chain(node: ast.Expr) -> bool:
    """Whether the first argument is a chain, which may be data: `tanh(x -> f)`."""
    arguments = node.arguments if isinstance(node, ast.Call) else ()
    return bool(arguments) and isinstance(arguments[0].value, ast.Chain)


def _taken_apart(node: ast.Expr) -> tuple[str, *tuple[Parts, ...]]:
    """The name that is called, and the arguments of each call, first call first."""
    calls: list[Parts] = []
    while isinstance(node, ast.Call):
        calls.append(node.arguments)
        node = node.function
    assert isinstance(node, ast.Name)
    return (node.text, *reversed(calls))


def _calls(node: ast.Expr) -> list[ast.Call]:
    """The call nodes that `_taken_apart` unpacks."""
    found: list[ast.Call] = []
    while isinstance(node, ast.Call):
        found.append(node)
        node = node.function
    return found[::-1]


def _check_function(context: Context, name: str, node: ast.Expr) -> None:
    if not isinstance(node, ast.Call) or any(_is_spread(item) for item in node.arguments):
        return
    refuse_names(context, name, node)
    if name not in all_ops():
        refuse_count(context, name, len(node.arguments), node.span)


def _is_spread(argument: ast.Argument) -> bool:
    return isinstance(argument.value, ast.Spread)


def _check_initialiser(context: Context, name: str, calls: list[Parts]) -> None:
    for arguments in calls[:1]:
        if any(_is_spread(item) for item in arguments):
            return
        own = tuple(Given(item.name, POISON, item.span) for item in arguments)
        for index, item in _positions(arguments, 0):
            initialiser_attribute(context, name, item, index)
        order = tuple(INITIALISERS[name].model_fields)
        refuse_twice(context, name, own, order, [item.name for item in own].count(None))


# ---------------------------------------------------------------------- ops


def _check_op(context: Context, op: type[Op], calls: list[Parts], call: WrittenCall) -> None:
    order, position = positional(op), 0
    for node in _calls(call.node):
        refuse_unknown(context, op, node)
    given: tuple[Given, ...] = ()
    for arguments in calls:
        if any(_is_spread(item) for item in arguments):
            return
        own = tuple(
            Given(item.name, _of_op(context, op, item, order, index), item.span)
            for index, item in _positions(arguments, position)
        )
        position += sum(1 for item in own if item.name is None)
        refuse_twice(context, op.name, own, order, position, op.variadic)
        given = (*given, *own)
    sorted_ = attributes_in_order(context, OpLayer(op, given), ())
    if op.variadic is not None:
        return
    for name, item in sorted_.items():
        known = name not in op.regions and not _is_open(item.value)
        fault = literal_fault(context, op, name, sorted_) if known else None
        if fault is not None:
            context.session.report(fault)
    needed = (*op.regions, *(key for key, info in op.model_fields.items() if info.is_required()))
    for name in needed if call.is_stage else ():
        if name not in sorted_ and name != op.open_attributes:
            layer = "the layer " if name in op.regions else ""
            if not layer:
                raise missing_attribute(context, op, name, call.node.span)
            message = f"`{op.name}` needs {layer}`{name}`"
            raise context.error("E0303", message, call.node.span)


def _positions(arguments: Parts, start: int) -> list[tuple[int, ast.Argument]]:
    """The arguments, each with its position among the positional ones."""
    found: list[tuple[int, ast.Argument]] = []
    for item in arguments:
        found.append((start, item))
        start += item.name is None
    return found


def _of_op(
    context: Context, op: type[Op], argument: ast.Argument, order: tuple[str, ...], index: int
) -> Value:
    name = argument.name or (order[index] if index < len(order) else "")
    if takes_initialiser(op, name):
        return POISON
    node = argument.value
    if isinstance(node, ast.Name) and node.text in choices(op, name):
        return POISON  # or a local name, whose value decides
    return _literal(node)


def _is_open(value: Value) -> bool:
    if isinstance(value, ListValue):
        return any(_is_open(item) for item in value.items)
    return isinstance(value, Poison)


# ---------------------------------------------------------------------- blocks and rules


def _check_definition(
    context: Context,
    definition: BlockDefinition | RuleDefinition,
    calls: list[Parts],
    call: WrittenCall,
) -> None:
    parameters = {item.name or "_": item for item in definition.parameters}
    position = 0
    given: tuple[Given, ...] = ()
    for arguments in calls:
        if any(_is_spread(item) for item in arguments):
            return
        own = tuple(Given(item.name, _literal(item.value), item.span) for item in arguments)
        position += sum(1 for item in own if item.name is None)
        refuse_twice(context, definition.name, own, [*parameters], position)
        given = (*given, *own)
    found = by_name(context, definition, given)
    for name, parameter in parameters.items():
        if name in found:
            item = found[name]
            if parameter.type is not None and not _is_open(item.value):
                what = f"`{name}` of `{definition.name}`"
                coerce(context, item.value, parameter.type, item.span, what)
        elif parameter.default is None and call.is_stage:
            raise context.error(
                "E0303",
                f"`{definition.name}` needs `{name}`",
                call.node.span,
                secondary=[(parameter.span, "declared here")],
                fix=namesake(definition.name, call.node.span),
            )


# ---------------------------------------------------------------------- literals


def _literal(node: ast.Expr) -> Value:
    """The value of a literal; POISON for other expressions."""
    match node:
        case ast.Number(value=value):
            return value
        case ast.Unary(operator="-", operand=ast.Number(value=value)):
            return -value
        case ast.Name(text="true" | "false" as word):
            return word == "true"
        case ast.Text(parts=(str(text),)):
            return text
        case ast.ListExpr(items=items):
            return ListValue(tuple(map(_literal, items)))
    return POISON
