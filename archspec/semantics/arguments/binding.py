"""Arguments of definitions, and rules: which clause answers a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archspec.diagnostics.suggest import did_you_mean
from archspec.semantics.arguments.layer_calls import data_in_parentheses, initialiser_value
from archspec.semantics.arguments.matching import by_name
from archspec.semantics.program.definitions import (
    BlockDefinition,
    Definition,
    PresetDefinition,
    RuleDefinition,
)
from archspec.semantics.values.context import Context, ModeWatch, Remembered, Reported
from archspec.semantics.values.display import call_text
from archspec.semantics.values.environment import Environment
from archspec.semantics.values.functions import RangeValue
from archspec.semantics.values.model import (
    POISON,
    BlockLayer,
    ListValue,
    Poison,
    Value,
    is_data,
    is_layer,
)
from archspec.semantics.values.operators import compare, is_number, kind_of, plain, truth
from archspec.semantics.values.words import all_words, word_meant
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser

# ---------------------------------------------------------------------- arguments


def bind_arguments(context: Context, layer: BlockLayer, span: Span) -> dict[str, Value]:
    """The value of each parameter, checked against its type and domain, defaults filled in.

    Raises SpecError for an argument that is missing, unknown, or of the wrong kind.
    """
    definition = layer.definition
    parameters = definition.parameters
    given = by_name(context, definition, layer.given)
    environment = Environment(definition.module)
    bound: dict[str, Value] = {}
    for parameter in parameters:
        name = parameter.name or "_"
        item = given.get(name)
        if item is not None:
            value = _coerced(context, item.value, parameter, item.span, definition, environment)
        elif parameter.default is not None:
            inner = context.within(environment)
            value = _default(inner, parameter.type, parameter.default)
            value = _coerced(
                inner, value, parameter, parameter.default.span, definition, environment
            )
        else:
            raise context.error(
                "E0303",
                f"`{definition.name}` needs `{name}`",
                span,
                secondary=[(parameter.span, "declared here")],
            )
        bound[name] = value
        environment.bind(name, value, parameter.span)
    return bound


def body_environment(definition: Definition, arguments: Mapping[str, Value]) -> Environment:
    """The names that a body sees first: its parameters, with their arguments."""
    environment = Environment(definition.module)
    for parameter in definition.parameters:
        name = parameter.name or "_"
        environment.bind(name, arguments[name], parameter.span)
    return environment


def _default(context: Context, kind: ast.ParamType | None, node: ast.Expr) -> Value:
    if kind is not None and kind.name == "init":
        return initialiser_value(context, node)
    return context.evaluate(node)


def _coerced(
    context: Context,
    value: Value,
    parameter: ast.Parameter,
    span: Span,
    definition: Definition,
    environment: Environment,
) -> Value:
    what = f"`{parameter.name}` of `{definition.name}`"
    if parameter.type is not None:
        value = coerce(context, value, parameter.type, span, what)
    elif is_data(value) and not isinstance(value, Poison):
        raise data_in_parentheses(context, definition.name, span)
    if parameter.domain is not None:
        _check_domain(context.within(environment), value, parameter.domain, span, what)
    return value


def coerce(context: Context, value: Value, kind: ast.ParamType, span: Span, what: str) -> Value:
    """The value as one of the declared type. Raises SpecError when it is none."""
    if isinstance(value, Poison):
        return value
    if kind.name == "str" and isinstance(value, BlockLayer):  # `each`; an op is no string
        value = word_meant(all_words(), value)
    if kind.name != "layer":
        value = plain(force(context, value, span))
    if kind.name == "list":
        return _coerce_list(context, value, kind, span, what)
    if kind.name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    test = _TYPES.get(kind.name)
    if test is None:
        raise context.error(
            "E0305",
            f"there is no type `{kind.name}`",
            kind.span,
            fix=did_you_mean(kind.name, [*_TYPES, "list"])
            or "types are int, float, bool, str, layer, dim, init, value and list[..]",
        )
    if test(value):
        return value
    if isinstance(value, Dim) and kind.name == "int":
        if value.symbols <= context.session.integer_symbols:
            return value
        raise context.error(
            "E0403",
            f"{what} must be a fixed number, but `{value}` depends on a free size",
            span,
            fix="make the size a parameter, or declare the parameter as `dim`",
        )
    message = f"{what} must be {_WORDS[kind.name]}, not {kind_of(value)}"
    fix = f"without quotes: `{value}`" if kind.name == "layer" and isinstance(value, str) else None
    raise context.error("E0305", message, span, fix=fix)


def _coerce_list(
    context: Context, value: Value, kind: ast.ParamType, span: Span, what: str
) -> Value:
    if isinstance(value, RangeValue):
        value = ListValue(value.items(context, span))
    if isinstance(value, tuple) and not is_data(value):
        value = ListValue(value)
    if not isinstance(value, ListValue):
        raise context.error("E0305", f"{what} must be a list, not {kind_of(value)}", span)
    if kind.argument is None:
        return value
    return ListValue(
        tuple(
            coerce(context, item, kind.argument, span, f"element {index} of {what}")
            for index, item in enumerate(value.items)
        )
    )


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Value], bool]] = {
    "int": _is_int,
    "float": is_number,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "layer": is_layer,
    "dim": lambda value: _is_int(value) or isinstance(value, Dim),
    "init": lambda value: isinstance(value, Initialiser),
    "value": lambda value: not is_data(value),
}
_WORDS = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "a string",
    "layer": "a layer",
    "dim": "a size",
    "init": "an initialiser",
    "value": "a value",
}


def _check_domain(context: Context, value: Value, domain: ast.Expr, span: Span, what: str) -> None:
    allowed = context.evaluate(domain)
    if isinstance(value, (Poison, Dim)) or isinstance(allowed, Poison):
        return
    if isinstance(allowed, RangeValue):
        fits = allowed.contains(value)
    elif isinstance(allowed, ListValue):
        keys = context.session.keys
        fits = keys.of(value) in {keys.of(item) for item in allowed.items}
    else:
        raise context.error("E0305", "a domain is a range or a list", domain.span)
    if not fits:
        raise context.error(
            "E0305",
            f"{what} is {value}, which is outside its domain `{domain.span.text}`",
            span,
            secondary=[(domain.span, "declared here; `a..b` leaves b out")],
        )


# ---------------------------------------------------------------------- rules


def force(context: Context, value: Value, span: Span) -> Value:
    """The value of a call of a rule that yields one; anything else as it is.

    A rule with a signature yields a layer, so it is not expanded to find out.
    """
    if not isinstance(value, BlockLayer) or not isinstance(value.definition, RuleDefinition):
        return value
    if value.definition.signature is not None:
        return value
    result = rule_value(context, value, span)
    return value if _is_layer_result(result) else result


def _is_layer_result(result: Value) -> bool:
    return is_layer(result) or isinstance(result, Poison)


def rule_value(context: Context, layer: BlockLayer, span: Span) -> Value:
    """What the right side of a rule's clause is for these arguments, evaluated once.

    Raises SpecError when no clause takes them, OutOfBudget when a recursion has no end.
    """
    rule = layer.definition
    assert isinstance(rule, RuleDefinition)
    arguments = bind_arguments(context, layer, span)
    session = context.session
    key = (id(rule), session.keys.all_of(tuple(arguments.values())), session.given)
    known = session.rule_results.get(key)
    if known is not None:
        return session.recall(known)
    if key in session.active_rules:
        raise context.error(
            "E0503",
            f"`{rule.name}` calls itself with the same arguments, so it never ends",
            span,
        )
    inner = context.expanding(call_text(rule.name, arguments), span).outside()
    session.active_rules[key] = None
    try:
        with ModeWatch(session) as watch:
            clause, environment = select_clause(inner, rule, arguments, span)
            result = force(inner, inner.within(environment).evaluate(clause.value), span)
    finally:
        session.active_rules.pop(key, None)
    session.rule_results[key] = Remembered(result, watch.depends)
    return result


def select_clause(
    context: Context, rule: RuleDefinition, arguments: Mapping[str, Value], span: Span
) -> tuple[ast.RuleClause, Environment]:
    """The first clause that takes the arguments, with its names bound."""
    values = list(arguments.values())
    for clause in rule.clauses:
        environment = Environment(rule.module)
        if not _matches(context, clause, values, environment):
            continue
        guard = clause.guard
        if guard is not None:
            inner = context.within(environment)
            if not truth(inner, inner.evaluate(guard), guard.span):
                continue
        return clause, environment
    if rule.damaged or rule.name in rule.module.missed:
        raise Reported()
    raise context.error(
        "E0504",
        f"no clause of `{rule.name}` fits `{call_text(rule.name, arguments)}`",
        span,
        secondary=[(clause.name_span, "tried this") for clause in rule.clauses[:4]],
    )


def _matches(
    context: Context, clause: ast.RuleClause, values: list[Value], environment: Environment
) -> bool:
    for parameter, value in zip(clause.parameters, values, strict=False):
        pattern = parameter.pattern
        if pattern is None:
            if parameter.name is not None:
                environment.bind(parameter.name, value, parameter.span)
            continue
        literal = context.within(environment).evaluate(pattern)
        actual = plain(force(context, value, parameter.span))
        if isinstance(actual, (Dim, int)) and not isinstance(actual, bool):
            same = compare(context, "==", actual, literal, parameter.span)
            if not truth(context, same, parameter.span):
                return False
        elif context.session.keys.of(actual) != context.session.keys.of(literal):
            return False
    return True


_UNDER_WAY = Remembered(POISON, False)
"""Stands for a preset whose value is being found out, so that it must not be asked for."""


def resolve_preset(context: Context, layer: BlockLayer, span: Span) -> Value:
    """The network that a preset stands for, with its attributes filled in."""
    definition = layer.definition
    if not isinstance(definition, PresetDefinition):
        return layer
    key = ("preset", id(definition))
    session = context.session
    if key not in session.rule_results:
        inner = context.expanding(definition.name, span)
        session.rule_results[key] = _UNDER_WAY
        found = Remembered(POISON, False)  # unless it is said below what it is
        try:
            with ModeWatch(session) as watch:
                value = inner.within(Environment(definition.module)).evaluate(definition.node.value)
            found = Remembered(value, watch.depends)
        finally:
            session.rule_results[key] = found
    if session.rule_results[key] is _UNDER_WAY:
        raise context.error("E0503", f"the preset `{definition.name}` stands for itself", span)
    value = session.recall(session.rule_results[key])
    if isinstance(value, Poison):
        return value
    if not isinstance(value, BlockLayer) or not _is_network(value.definition):
        raise context.error(
            "E0703",
            f"a preset stands for a network, but `{definition.name}` is {kind_of(value)}",
            definition.node.value.span,
        )
    return BlockLayer(value.definition, (*value.given, *layer.given), layer.span)


def _is_network(definition: Definition) -> bool:
    return isinstance(definition, BlockDefinition) and definition.node.is_network
