"""Checks on heads of definitions: unique names, and agreement between the clauses of a rule."""

from __future__ import annotations

from archspec.diagnostics.model import Sink, diagnostic
from archspec.diagnostics.wording import counted
from archspec.semantics.program.definitions import RuleDefinition
from archspec.syntax import ast


def check_names(parameters: tuple[ast.Parameter, ...], sink: Sink) -> None:
    """Report names that appear twice in a head."""
    seen: dict[str, ast.Parameter] = {}
    for parameter in parameters:
        if parameter.name is None or parameter.name == "_":
            continue
        if parameter.name in seen:
            sink.report(
                diagnostic(
                    "E0208",
                    f"`{parameter.name}` appears twice in this head",
                    parameter.span,
                    secondary=[(seen[parameter.name].span, "first here")],
                    fix="use another name and a guard: `rule f(a, b) if a == b => ..`",
                )
            )
        seen[parameter.name] = parameter


def check_clauses(rule: RuleDefinition, sink: Sink) -> None:
    """Report clauses with different numbers or names of parameters; skip misread heads."""
    readable = [item for item in rule.clauses if not _has_syntax_error(rule, item)]
    first = readable[0] if readable else rule.clauses[0]
    for clause in readable[1:]:
        if len(clause.parameters) != len(first.parameters):
            sink.report(
                diagnostic(
                    "E0209",
                    f"this clause of `{rule.name}` takes "
                    f"{counted(len(clause.parameters), 'argument')}, "
                    f"but the first one takes {len(first.parameters)}",
                    clause.name_span,
                    secondary=[(first.name_span, "the first clause")],
                )
            )
        for own, shared in zip(clause.parameters, rule.parameters, strict=False):
            if own.name not in (None, "_", shared.name):
                sink.report(
                    diagnostic(
                        "E0209",
                        f"clauses of one rule use the same names: this is `{own.name}`, "
                        f"elsewhere it is `{shared.name}`",
                        own.span,
                        secondary=[(shared.span, "named here")],
                    )
                )


def _has_syntax_error(rule: RuleDefinition, clause: ast.RuleClause) -> bool:
    return clause.damaged or rule.module.has_syntax_error(clause.name_span)
