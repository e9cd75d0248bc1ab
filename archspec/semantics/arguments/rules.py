"""Rules and presets: the clause chosen for a call, and the network of a preset."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.semantics.arguments.binding import bind_arguments
from archspec.semantics.program.definitions import (
    BlockDefinition,
    Definition,
    PresetDefinition,
    RuleDefinition,
)
from archspec.semantics.values.context import Context, ModeWatch, Remembered, Reported
from archspec.semantics.values.display import call_text, kind_of
from archspec.semantics.values.evaluation import evaluate, evaluates_calls_of, force
from archspec.semantics.values.model import (
    POISON,
    BlockLayer,
    Environment,
    Poison,
    Value,
)
from archspec.semantics.values.operators import compare, plain, truth
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim


@evaluates_calls_of(RuleDefinition)
def rule_value(context: Context, layer: BlockLayer, span: Span) -> Value:
    """The value of a rule's right side for these arguments, evaluated once.

    Raises SpecError if no clause matches them, OutOfBudget if a recursion has no end.
    """
    rule = layer.definition
    assert isinstance(rule, RuleDefinition)
    arguments = bind_arguments(context, layer, span)
    session = context.session
    key = (rule, session.keys.all_of(tuple(arguments.values())), session.given)
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
            result = force(inner, evaluate(inner.within(environment), clause.value), span)
    finally:
        session.active_rules.pop(key, None)
    session.rule_results[key] = Remembered(result, watch.depends)
    return result


def select_clause(
    context: Context, rule: RuleDefinition, arguments: Mapping[str, Value], span: Span
) -> tuple[ast.RuleClause, Environment]:
    """The first clause that matches the arguments, with its names bound."""
    values = list(arguments.values())
    for clause in rule.clauses:
        environment = Environment(rule.module)
        environment.owner, environment.is_body = rule, True
        if not _matches(context, clause, values, environment):
            continue
        guard = clause.guard
        if guard is not None:
            inner = context.within(environment)
            if not truth(inner, evaluate(inner, guard), guard.span):
                continue
        return clause, environment
    if rule.damaged or rule.name in rule.module.missed:
        raise Reported()
    raise context.error(
        "E0504",
        f"no clause of `{rule.name}` matches `{call_text(rule.name, arguments)}`",
        span,
        secondary=[(clause.name_span, "this clause was tried") for clause in rule.clauses[:4]],
        fix=f"add a clause for it: `rule {call_text(rule.name, arguments)} => ..`",
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
        literal = evaluate(context.within(environment), pattern)
        actual = plain(force(context, value, parameter.span))
        if isinstance(actual, (Dim, int)) and not isinstance(actual, bool):
            same = compare(context, "==", actual, literal, parameter.span)
            if not truth(context, same, parameter.span):
                return False
        elif context.session.keys.of(actual) != context.session.keys.of(literal):
            return False
    return True


_UNDER_WAY = Remembered(POISON, False)
"""Marks a preset that is being evaluated and must not be used."""


def resolve_preset(context: Context, layer: BlockLayer, span: Span) -> Value:
    """The network of a preset, with its attributes filled in."""
    definition = layer.definition
    if not isinstance(definition, PresetDefinition):
        return layer
    key = ("preset", definition)
    session = context.session
    if key not in session.rule_results:
        inner = context.expanding(definition.name, span)
        session.rule_results[key] = _UNDER_WAY
        found = Remembered(POISON, False)  # kept if evaluation fails
        try:
            with ModeWatch(session) as watch:
                value = evaluate(
                    inner.within(Environment(definition.module)), definition.node.value
                )
            found = Remembered(value, watch.depends)
        finally:
            session.rule_results[key] = found
    if session.rule_results[key] is _UNDER_WAY:
        raise context.error("E0503", f"the preset `{definition.name}` refers to itself", span)
    value = session.recall(session.rule_results[key])
    if isinstance(value, Poison):
        return value
    if not isinstance(value, BlockLayer) or not _is_network(value.definition):
        raise context.error(
            "E0703",
            f"a preset must be a network, but `{definition.name}` is {kind_of(value)}",
            definition.node.value.span,
        )
    return BlockLayer(value.definition, (*value.given, *layer.given), layer.span)


def _is_network(definition: Definition) -> bool:
    return isinstance(definition, BlockDefinition) and definition.node.is_network
