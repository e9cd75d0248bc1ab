"""Warnings about sums and products before `->` whose last operand seems to be meant (W0703)."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.model import Edit, Fix, Severity, Sink, diagnostic
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.program.definitions import ModuleScope
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import walk


def check_precedence(scope: ModuleScope, sink: Sink) -> None:
    """Report (W0703) a sum before `->` of which only the last term is meant to be passed on."""
    for definition in scope.tree.definitions:
        gates: set[str] = set()
        for item in walk(definition):
            if isinstance(item, ast.Bind):
                gates.update(_gate(item))
            if not isinstance(item, ast.Chain):
                continue
            if (last := _repeated_term(item.stages[0])) is not None:
                _warn_of_sum(item, last, sink)
            elif (data := _complement(item)) is not None:
                _warn_of_complement(item, data, sink)
            elif (data := _gated(item, gates)) is not None:
                _warn_of_product(item, data, sink)


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
    op = _op(last)
    return first.right if op is not None and op.in_unit_interval() else None


def _op(stage: ast.Expr) -> type[Op] | None:
    """The op that a stage of a chain names."""
    while isinstance(stage, ast.Labelled):
        stage = stage.inner
    function = stage.function if isinstance(stage, ast.Call) else stage
    return all_ops().get(function.text) if isinstance(function, ast.Name) else None


def _gate(statement: ast.Bind) -> Iterator[str]:
    """The name of a gate, `g = x -> .. -> sigmoid`."""
    value, targets = statement.value, statement.targets
    if isinstance(value, ast.Chain) and len(targets) == 1:
        op = _op(value.stages[-1])
        if op is not None and op.in_unit_interval() and isinstance(targets[0], ast.NameTarget):
            yield targets[0].name


def _gated(chain: ast.Chain, gates: set[str]) -> ast.Name | None:
    """The data of `g * x -> linear(8)`, if `g` is a gate and the layers behind it have weights."""
    first = chain.stages[0]
    if not isinstance(first, ast.Binary) or first.operator != "*":
        return None
    left, right = first.left, first.right
    if not isinstance(left, ast.Name) or not isinstance(right, ast.Name):
        return None
    ops = [op for stage in chain.stages[1:] if (op := _op(stage)) is not None]
    weighted = any(op.parameters is not Op.parameters for op in ops)
    return right if weighted and left.text in gates and right.text not in gates else None


def _warn_of_product(chain: ast.Chain, data: ast.Name, sink: Sink) -> None:
    head = chain.stages[0].span
    message = f"`->` takes all of `{head.text[:40]}`, so the gate is applied before the layers"
    note = "if this is intended, put the product in parentheses"
    before = head.source.text[head.start : data.span.start].strip()
    words = f"for a gate on their result write `{before} ({data.text} -> ..)`"
    _warn(chain, data, message, words, sink, (note,))


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
