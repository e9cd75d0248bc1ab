"""Warnings about sums before `->` that look as if only their last term were passed on (W0703)."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix, Severity, Sink, diagnostic
from archspec.semantics.program.definitions import ModuleScope
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import walk

_PROBABILITIES = frozenset({"sigmoid", "hard_sigmoid", "softmax"})
"""Ops with results in [0, 1], of which `1 - p` is the complement."""


def check_precedence(scope: ModuleScope, sink: Sink) -> None:
    """Report (W0703) a sum before `->` of which only the last term is meant to be passed on."""
    for definition in scope.tree.definitions:
        for item in walk(definition):
            if not isinstance(item, ast.Chain):
                continue
            if (last := _repeated_term(item.stages[0])) is not None:
                _warn_of_sum(item, last, sink)
            elif (data := _complement(item)) is not None:
                _warn_of_complement(item, data, sink)


def _repeated_term(node: ast.Expr) -> ast.Name | None:
    """The last term of a sum or difference, if it is a name that another term is, too."""
    if not isinstance(node, ast.Binary) or node.operator not in ("+", "-"):
        return None
    last = node.right
    if not isinstance(last, ast.Name):
        return None
    terms: list[ast.Expr] = []
    left = node.left
    while isinstance(left, ast.Binary) and left.operator in ("+", "-"):
        terms.append(left.right)
        left = left.left
    terms.append(left)
    found = any(isinstance(term, ast.Name) and term.text == last.text for term in terms)
    return last if found else None


def _warn_of_sum(chain: ast.Chain, last: ast.Name, sink: Sink) -> None:
    first, head = chain.stages[0], chain.stages[0].span
    is_difference = isinstance(first, ast.Binary) and first.operator == "-"
    what = "subtracted from" if is_difference else "added to"
    message = f"`{last.text}` is {what} itself here: `->` takes all of `{head.text[:40]}`"
    before = head.source.text[head.start : last.span.start].strip()
    words = f"for a sum with a result write `{before} ({last.text} -> ..)`"
    _warn(chain, last, message, words, sink)


def _complement(chain: ast.Chain) -> ast.Expr | None:
    """The data of `1 - x -> sigmoid`; `1 - (x -> sigmoid)` is more probable."""
    first, last = chain.stages[0], chain.stages[-1]
    if not isinstance(first, ast.Binary) or first.operator != "-":
        return None
    if not isinstance(first.left, ast.Number) or first.left.value != 1:
        return None
    function = last.function if isinstance(last, ast.Call) else last
    named = isinstance(function, ast.Name) and function.text in _PROBABILITIES
    return first.right if named else None


def _warn_of_complement(chain: ast.Chain, data: ast.Expr, sink: Sink) -> None:
    head, last = chain.stages[0].span, chain.stages[-1].span.text
    message = f"`->` takes all of `{head.text[:40]}`, so this is `{last[:40]}` of a difference"
    note = "if this is intended, put the difference in parentheses"
    words = f"for the complement write `1 - ({data.span.text[:30]} -> ..)`"
    _warn(chain, data, message, words, sink, (note,))


def _warn(
    chain: ast.Chain,
    operand: ast.Expr,
    message: str,
    words: str,
    sink: Sink,
    notes: tuple[str, ...] = (),
) -> None:
    """Report it, with the edits that put the chain from the operand on into parentheses."""
    source, start, end = chain.span.source, operand.span.start, chain.span.end
    edits = (Edit(Span(source, start, start), "("), Edit(Span(source, end, end), ")"))
    sink.report(
        diagnostic(
            "W0703",
            message,
            chain.stages[0].span,
            notes=notes,
            fix=Fix(words, edits),
            severity=Severity.WARNING,
        )
    )
