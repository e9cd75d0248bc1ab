"""Bodies in braces: statements with inputs and outputs, or one point-free chain."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.wording import counted
from archspec.frozen import frozen
from archspec.ops.base import Need
from archspec.semantics.expansion.input_order import exchanged
from archspec.semantics.expansion.requirements import require, settle
from archspec.semantics.expansion.result_faults import explained
from archspec.semantics.expansion.shape_patterns import (
    bind_targets,
    claim,
    poison_dims,
    poison_targets,
)
from archspec.semantics.expansion.sources import data_value
from archspec.semantics.expansion.statements import carry_out
from archspec.semantics.expansion.unpacking_faults import explained_output
from archspec.semantics.program.bound_names import changed_by
from archspec.semantics.values.context import GraphContext, Reported, SpecError
from archspec.semantics.values.display import kind_of, values_in
from archspec.semantics.values.element_budget import bounded
from archspec.semantics.values.evaluation import apply_layer, evaluate, force
from archspec.semantics.values.functions import items_of
from archspec.semantics.values.model import (
    POISON,
    AbsentLayer,
    Poison,
    Value,
    has_poison,
    is_data,
    is_layer,
)
from archspec.semantics.values.operators import is_condition, truth
from archspec.semantics.values.single_tensors import as_any_number
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.condition import TRUE, All, Condition, conjunction
from archspec.types.solver import VerdictKind


@frozen
class Result:
    """An output of a body; `name` is "" if it has no name."""

    name: str
    value: Value
    span: Span


def result_of(results: Sequence[Result]) -> Value:
    """All outputs as data: a single one as itself, several as a tuple."""
    if len(results) == 1:
        return results[0].value
    return tuple(item.value for item in results)


def run_body(
    context: GraphContext,
    body: ast.Body,
    data: Value,
    span: Span,
    *,
    inputs_bound: bool = False,
) -> tuple[Result, ...]:
    """Expand a body on data; `context` has its own scope of names.

    Errors are reported where they occur, and values that depend on them are POISON.
    """
    results: list[Result] = []
    promise = None if inputs_bound else _bind_inputs(context, body, data, span)
    with context.session.promising(*promise) if promise else nullcontext():
        _carry_out_all(context, body, data, results)
    if not results:
        raise _no_output(context, body)
    bounded(context, (item.value for item in results), span)
    return tuple(results)


def _no_output(context: GraphContext, body: ast.Body) -> SpecError:
    for statement in body.statements:
        places = [one.span for one in statement.targets] if isinstance(statement, ast.Bind) else []
        if len(places) == 1 and places[0].text == "output":
            place = places[0]
            message = "this binds the name `output`; an output is declared by `output y = ..`"
            fix = Fix("write `output y = ..`", (Edit(place, "output y"),))
            return context.error("E0704", message, place, fix=fix)
    fix = Fix("declare its result: `output y`")
    last = body.statements[-1] if body.statements else None
    if isinstance(last, ast.Bind) and len(last.targets) == 1:
        name, end = last.targets[0].span.text, last.span.end
        if name.isidentifier():
            margin = "\n" + " " * (last.span.column - 1)
            edit = Edit(Span(last.span.source, end, end), f"{margin}output {name}")
            fix = Fix(f"declare its result: `output {name}`", (edit,))
    return context.error("E0704", "this body has no output", body.span, fix=fix)


def _carry_out_all(
    context: GraphContext, body: ast.Body, data: Value, results: list[Result]
) -> None:
    given = any(isinstance(statement, ast.Output) for statement in body.statements)
    for statement in body.statements:
        try:
            if isinstance(statement, ast.Output):
                _output(context, statement, results)
            elif isinstance(statement, ast.ExprStmt):
                if isinstance(statement.value, ast.Missing) or not (results or given):
                    results.append(_point_free(context, statement, data))
                else:
                    _poison_changed(context, statement)
            elif not isinstance(statement, ast.Input):
                carry_out(context, statement)
        except SpecError as error:
            network = context.builder.kind == "network"
            context.session.report(explained(error, body, statement, network))
            _after_error(context, statement, results)


def _poison_changed(context: GraphContext, statement: ast.ExprStmt) -> None:
    """Forget names that a statement without effect would change."""
    for name in changed_by(statement):
        if context.environment.has_local(name):
            context.environment.bind(name, POISON)


def _after_error(context: GraphContext, statement: ast.Statement, results: list[Result]) -> None:
    if isinstance(statement, ast.Bind):
        poison_targets(context, statement.targets)
    elif isinstance(statement, ast.Output):
        names = statement.names or ("",)
        results.extend(Result(name, POISON, statement.span) for name in names)
    elif isinstance(statement, ast.ExprStmt):
        results.append(Result("", POISON, statement.span))
    elif isinstance(statement, (ast.ParamDecl, ast.BufferDecl, ast.Shared)):
        context.environment.names.setdefault(statement.name, POISON)


# ---------------------------------------------------------------------- inputs


def active_inputs(context: GraphContext, body: ast.Body) -> list[ast.Input]:
    """The input statements that exist in this mode and with these arguments."""
    found: list[ast.Input] = []
    for statement in body.statements:
        if isinstance(statement, ast.Input):
            when = statement.when
            if when is None or truth(context, evaluate(context, when), when.span):
                found.append(statement)
    return found


def _bind_inputs(
    context: GraphContext, body: ast.Body, data: Value, span: Span
) -> tuple[Condition, Span] | None:
    """Bind the names of the inputs; return the condition of `where` and its location."""
    statements = active_inputs(context, body)
    items = [item for statement in statements for item in statement.items]
    if not items:
        return None
    # `_` is bound too, for its type, under a name that cannot be written
    names = [f"_ {at}" if item.name == "_" else item.name for at, item in enumerate(items)]
    targets: list[ast.Target] = [
        ast.RestTarget(item.span, name) if item.rest else ast.NameTarget(item.span, name, None)
        for item, name in zip(items, names, strict=True)
    ]
    if has_poison(data):
        poison_targets(context, targets)
        for item in items:
            if item.type is not None:
                poison_dims(context, item.type)
        return None
    _check_count(context, items, data, span)
    bind_targets(context, targets, data, span)
    for item, name in zip(items, names, strict=True):
        environment = context.environment
        environment.names[name] = as_any_number(environment.local(name))
        if item.type is not None:
            try:
                claim(context, item.type, context.environment.local(name), item.name)
            except SpecError as error:
                if (misplaced := exchanged(context, items, data, span)) is not None:
                    raise misplaced from None
                context.session.report(error)
                context.environment.names[name] = POISON
    return _promise(context, [each for statement in statements for each in statement.where])


def _promise(context: GraphContext, clauses: Sequence[ast.Expr]) -> tuple[Condition, Span] | None:
    """The condition of a `where`, without what always holds; each clause is made a requirement.

    Raises SpecError if no size satisfies a clause, or all of them together.
    """
    session = context.session
    found: list[Condition] = []
    for clause in clauses:
        context.builder.decided.append((clause, context.environment))
        condition = _require(context, clause, "required by `where`")
        parts = condition.parts if isinstance(condition, All) else (condition,)
        found += [
            part
            for part in parts
            if session.decide(part, clause.span).kind is not VerdictKind.ALWAYS
        ]
    if not found:
        return None
    span, whole = clauses[0].span.to(clauses[-1].span), conjunction(found)
    several = len(found) > 1 and not session.integer_symbols
    if several and session.decide(whole, span).kind is VerdictKind.NEVER:
        raise context.error("E0402", "no size satisfies this `where`", span)
    return whole, span


def _check_count(
    context: GraphContext, items: Sequence[ast.InputItem], data: Value, span: Span
) -> None:
    count = len(data) if isinstance(data, tuple) else 1
    least = sum(1 for item in items if not item.rest)
    if len(items) == 1 and (items[0].rest or count >= 1):
        return
    if count < least or (count > least and least == len(items)):
        if context.environment.module.has_syntax_error(items[0].span):
            raise Reported()
        parts = data if isinstance(data, tuple) else ()
        nested = next((len(part) for part in parts if isinstance(part, tuple)), 0)
        raise context.error(
            "E0304",
            f"this takes {counted(least, 'input')}, not {count}",
            span,
            secondary=[(items[0].span, "declared here")],
            notes=(f"a tuple of {nested} inside of the tuple counts as one",) * bool(nested),
            fix="`...t` unpacks a tuple in another: `(x, ...t) -> f`" if nested else None,
        )


def _require(context: GraphContext, expression: ast.Expr, reason: str) -> Condition:
    """Require the condition of an expression if it depends on sizes; return the condition."""
    value = evaluate(context, expression)
    if isinstance(value, Poison):
        return TRUE
    if is_condition(value):
        text = f"`{expression.span.text}` must hold"
        need = Need(value, f"{text}: {reason}", chosen=True)
        require(context, settle(context, need, expression.span))
        return value
    if value is not True:
        raise context.error(
            "E0408",
            f"`{expression.span.text}` does not hold here",
            expression.span,
            notes=values_in(context.environment, expression),
        )
    return TRUE


# ---------------------------------------------------------------------- outputs


def _output(context: GraphContext, statement: ast.Output, results: list[Result]) -> None:
    when = statement.when
    if when is not None and not truth(context, evaluate(context, when), when.span):
        return
    names = statement.names
    if not names and isinstance(statement.value, ast.Name):
        names = (statement.value.text,)
    for at, name in enumerate(names):
        first = next((item.span for item in results if item.name == name), None)
        if name == "_" and len(names) > 1:
            continue
        if first is not None or name in names[:at]:
            raise context.error(
                "E0705",
                f"there are two outputs called `{name}`",
                statement.span,
                secondary=[] if first is None else [(first, "the first")],
            )
    value = data_value(context, statement.value)
    parts = (value,) if len(names) < 2 else _parts(context, value, len(names), statement)
    for name, part in zip(names or ("",), parts, strict=True):
        if name != "_" or len(names) == 1:
            results.append(Result(name, part, statement.span))


def _parts(
    context: GraphContext, value: Value, count: int, statement: ast.Output
) -> tuple[Value, ...]:
    """The part for each name in `output a, b = value`. Raises SpecError if the counts differ."""
    if isinstance(value, Poison):
        return (value,) * count
    parts = items_of(context, value, statement.value.span)
    if len(parts) != count:
        found = "is 1 part" if len(parts) == 1 else f"are {len(parts)} parts"
        message = f"there {found} for {count} names"
        error = context.error("E0316", message, statement.value.span)
        raise explained_output(context, error, statement, value)
    return parts


def _point_free(context: GraphContext, statement: ast.ExprStmt, data: Value) -> Result:
    value = evaluate(context, statement.value)
    if isinstance(value, Poison):
        return Result("", POISON, statement.span)
    if is_data(value):
        return Result("", value, statement.span)
    value = force(context, value, statement.span)
    if not is_layer(value) and not isinstance(value, AbsentLayer):
        raise context.error(
            "E0308", f"expected a layer or data, but this is {kind_of(value)}", statement.span
        )
    result = apply_layer(context, value, data, statement.span)
    return Result("", result, statement.span)
