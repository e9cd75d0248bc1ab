"""Recursion of rules: rejected once it has passed the clause that would end it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from archspec.semantics.program.definitions import Definition, RuleDefinition
from archspec.semantics.values.context import Context
from archspec.semantics.values.model import Value
from archspec.source import Span
from archspec.syntax import ast


def has_signature(definition: Definition) -> bool:
    """Whether the definition is a rule with a signature."""
    return isinstance(definition, RuleDefinition) and definition.signature is not None


@contextmanager
def descending(
    context: Context, rule: RuleDefinition, arguments: Mapping[str, Value], span: Span
) -> Iterator[None]:
    """Reject a recursion that has passed its end, while the layer of a rule is applied.

    Raises SpecError if an integer decreases with each call and is below every clause that could end
    the recursion, so that no such clause can be reached.
    """
    opened = context.session.open_rules
    outer = next((values for known, values in reversed(opened) if known is rule), None)
    if outer is not None and all(clause.guard is None for clause in rule.clauses):
        for index, (name, value) in enumerate(arguments.items()):
            _check_reach(context, rule, index, name, value, outer.get(name), span)
    opened.append((rule, arguments))
    try:
        yield
    finally:
        opened.pop()


def _check_reach(
    context: Context,
    rule: RuleDefinition,
    index: int,
    name: str,
    value: Value,
    before: Value | None,
    span: Span,
) -> None:
    if not isinstance(value, int) or not isinstance(before, int) or value >= before:
        return
    patterns = [
        clause.parameters[index].pattern
        for clause in rule.clauses
        if index < len(clause.parameters)
    ]
    ends = [item for item in patterns if isinstance(item, ast.Number)]
    if ends and value < min(item.value for item in ends):
        raise context.error(
            "E0508",
            f"`{name}` is {value} and decreases with each call of `{rule.name}`, "
            f"past the last clause that ends the recursion",
            span,
            secondary=[(item.span, "this clause was skipped") for item in ends[-2:]],
            fix=_how_it_ends(patterns, ends),
        )


def _how_it_ends(patterns: Sequence[object], ends: Sequence[ast.Number]) -> str:
    """A fix for a recursion that passes the clauses which end it."""
    first = patterns.index(ends[0])
    if any(not isinstance(one, ast.Number) for one in patterns[:first]):
        return f"clauses are tried from the top: move the one for {ends[0].value} above the others"
    return f"call it with a value that reaches {ends[-1].value}, or add a clause"
