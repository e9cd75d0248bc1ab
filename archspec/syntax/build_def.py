"""Productions to syntax tree: definitions and their parameters."""

from __future__ import annotations

import re
from typing import Any

from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.context import Context
from archspec.syntax.lexer import Token


def _word(k: Context, token: Token) -> tuple[str, Span]:
    span = k.span(token.start, token.end)
    return span.text, span


_HEAD = re.compile(r"(inline\s+)?(block|network|rule|preset)\s+([A-Za-z_][A-Za-z0-9_]*)")


def missing_definition(k: Context, span: Span, _c: list[Any]) -> ast.Definition | ast.Missing:
    """A damaged definition in place of unreadable text, if its name is known."""
    head = _HEAD.match(span.text)
    if head is None:
        return ast.Missing(span)
    inline, kind, name = bool(head[1]), head[2], head[3]
    place = k.span(span.start + head.start(3), span.start + head.end(3))
    lost = ast.Missing(span)
    if kind == "preset":
        return ast.Preset(span, name, place, lost, damaged=True)
    if kind == "rule":
        return ast.RuleClause(span, name, place, (), None, lost, inline, damaged=True)
    body = ast.Body(span, (ast.ExprStmt(span, lost),))
    return ast.BlockDef(span, name, place, (), body, inline, kind == "network", damaged=True)


# ---------------------------------------------------------------------- uses


def language(k: Context, span: Span, c: list[Any]) -> ast.Language:
    """`language 1`."""
    text = k.span(c[1].start, c[1].end).text
    if not text.isdigit():
        k.error("E0128", "the language version is an integer: `language 1`", span)
        return ast.Language(span, 1)
    return ast.Language(span, int(text))


def use_all(k: Context, span: Span, c: list[Any]) -> ast.Use:
    """`use std.cnn`."""
    return ast.Use(span, tuple(_word(k, token)[0] for token in c[1]), None)


def use_names(k: Context, span: Span, c: list[Any]) -> ast.Use:
    """`use std.cnn { conv_bn_relu }`."""
    names = []
    for token in c[3]:
        text, place = _word(k, token)
        names.append(ast.Name(place, text))
    return ast.Use(span, tuple(_word(k, token)[0] for token in c[1]), tuple(names))


# ---------------------------------------------------------------------- definitions


def block(k: Context, span: Span, c: list[Any]) -> ast.BlockDef:
    """`block name(..) { .. }`."""
    return _block(k, span, c[1:])


def inline_block(k: Context, span: Span, c: list[Any]) -> ast.BlockDef:
    """`inline block name(..) { .. }`."""
    return _block(k, span, c[2:], inline=True)


def network(k: Context, span: Span, c: list[Any]) -> ast.BlockDef:
    """`network name(..) { .. }`."""
    return _block(k, span, c[1:], is_network=True)


def _block(
    k: Context, span: Span, c: list[Any], *, inline: bool = False, is_network: bool = False
) -> ast.BlockDef:
    parameters, damaged = _whole(c[1])
    return ast.BlockDef(
        span, *_word(k, c[0]), _named(k, parameters), c[2], inline, is_network, damaged=damaged
    )


def rule(k: Context, span: Span, c: list[Any]) -> ast.RuleClause:
    """`rule name(..) if guard => value`."""
    return _rule(k, span, c[1:], inline=False)


def inline_rule(k: Context, span: Span, c: list[Any]) -> ast.RuleClause:
    """`inline rule name(..) => value`."""
    return _rule(k, span, c[2:], inline=True)


def _rule(k: Context, span: Span, c: list[Any], *, inline: bool) -> ast.RuleClause:
    parameters, damaged = _whole(c[1])
    name, place = _word(k, c[0])
    return ast.RuleClause(span, name, place, tuple(parameters), c[2], c[4], inline, damaged=damaged)


def signature(k: Context, span: Span, c: list[Any]) -> ast.Signature | ast.RuleClause:
    """`rule name(..): S -> S where ..`."""
    return _signature(k, span, c[1:], inline=False)


def inline_signature(k: Context, span: Span, c: list[Any]) -> ast.Signature | ast.RuleClause:
    """`inline rule name(..): S -> S`."""
    return _signature(k, span, c[2:], inline=True)


def _signature(
    k: Context, span: Span, c: list[Any], *, inline: bool
) -> ast.Signature | ast.RuleClause:
    sides: ast.Expr = c[3]
    name, place = _word(k, c[0])
    if not isinstance(sides, ast.Chain) or len(sides.stages) != 2:
        if not isinstance(sides, ast.Missing):
            k.error(
                "E0129",
                "a signature is written `rule name(..): [B, C] -> [B, C]`",
                sides.span,
                fix="a clause has `=>` between its head and its right side",
            )
        lost = ast.Missing(sides.span)  # it may be a clause with a syntax error
        return ast.RuleClause(span, name, place, (), None, lost, inline, damaged=True)
    parameters, damaged = _whole(c[1])
    named = _named(k, parameters)
    where = tuple(c[4])
    return ast.Signature(span, name, place, named, *sides.stages, where, inline, damaged=damaged)


def preset(k: Context, span: Span, c: list[Any]) -> ast.Preset:
    """`preset name = network(..)`."""
    return ast.Preset(span, *_word(k, c[1]), c[3])


# ---------------------------------------------------------------------- parameters


def _whole(items: list[ast.Parameter]) -> tuple[list[ast.Parameter], bool]:
    """The readable parameters, and whether there were unreadable ones."""
    whole = [item for item in items if item.name is not None or item.pattern is not None]
    return whole, len(whole) < len(items)


def _named(k: Context, items: list[ast.Parameter]) -> tuple[ast.Parameter, ...]:
    """The parameters of anything but a rule's clause, all of which must have names."""
    for item in items:
        if item.pattern is not None:
            k.error(
                "E0130",
                "a parameter must be a name; only the clauses of a rule match literals",
                item.span,
            )
    return tuple(item for item in items if item.pattern is None)


def _parameter(
    span: Span,
    head: ast.Expr,
    kind: ast.ParamType | None = None,
    domain: ast.Expr | None = None,
    default: ast.Expr | None = None,
) -> ast.Parameter:
    if isinstance(head, ast.Name) and head.text not in ("true", "false"):
        return ast.Parameter(span, head.text, None, kind, domain, default)
    assert isinstance(head, ast.Name | ast.Number | ast.Text)
    return ast.Parameter(span, None, head, kind, domain, default)


def missing_parameter(_k: Context, span: Span, _c: list[Any]) -> ast.Parameter:
    """A parameter without name and pattern in place of unreadable text."""
    return ast.Parameter(span, None)


def parameter_bare(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x`."""
    return _parameter(span, c[0])


def parameter_default(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x = 1`."""
    return _parameter(span, c[0], default=c[2])


def parameter_domain(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x in 1..`."""
    return _parameter(span, c[0], domain=c[2])


def parameter_domain_default(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x in 1.. = 4`."""
    return _parameter(span, c[0], domain=c[2], default=c[4])


def parameter_typed(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x: int`."""
    return _parameter(span, c[0], c[2])


def parameter_typed_default(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x: int = 1`."""
    return _parameter(span, c[0], c[2], default=c[4])


def parameter_typed_domain(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x: int in 1..`."""
    return _parameter(span, c[0], c[2], domain=c[4])


def parameter_full(_k: Context, span: Span, c: list[Any]) -> ast.Parameter:
    """`x: int in 1.. = 4`."""
    return _parameter(span, c[0], c[2], domain=c[4], default=c[6])


def negative_number(k: Context, span: Span, c: list[Any]) -> ast.Number:
    """`-1` as a pattern."""
    text = k.span(c[1].start, c[1].end).text
    return ast.Number(span, -int(text) if text.isdigit() else -float(text))


def type_plain(k: Context, span: Span, c: list[Any]) -> ast.ParamType:
    """`int`."""
    return ast.ParamType(span, _word(k, c[0])[0])


def type_of(k: Context, span: Span, c: list[Any]) -> ast.ParamType:
    """`list[int]`."""
    return ast.ParamType(span, _word(k, c[0])[0], c[2])
