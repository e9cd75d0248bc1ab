"""Layout of definitions and files."""

from __future__ import annotations

from typing import Any

from archspec.fmt.comments import items
from archspec.fmt.doc import BLANK, HARD, Doc, breaks, concat, group, nest
from archspec.fmt.layout import Layout
from archspec.fmt.statements import body, separated, tail, where
from archspec.syntax import ast

_ONE_LINERS = (ast.Use, ast.RuleClause, ast.Signature, ast.Preset)


def module(p: Layout, node: ast.Module) -> Doc:
    """The layout of a file."""
    parts = items(node) or ()
    docs: list[Doc] = []
    for at, part in enumerate(parts):
        if at:
            if _needs_empty_line(parts[at - 1], part) or separated(p, parts[at - 1], part):
                docs.append(BLANK)
            docs.append(HARD)
        docs.append(_definition(p, part))
    end = tail(p, node, parts)
    return concat(*docs, *(end if parts else end[1:]))


def _needs_empty_line(before: Any, after: Any) -> bool:
    """Whether an empty line between two definitions is mandatory."""
    if isinstance(before, ast.Use) or isinstance(after, ast.Use):
        return type(before) is not type(after)
    if isinstance(before, ast.Preset) and isinstance(after, ast.Preset):
        return False
    rules = (ast.RuleClause, ast.Signature)
    same = isinstance(before, rules) and isinstance(after, rules) and before.name == after.name
    return not same


def _definition(p: Layout, node: Any) -> Doc:
    """A definition with its comments; empty lines between these are kept."""
    own = p.comments(node)
    above: list[Doc] = [part for comment in own.apart for part in (comment.text, BLANK, HARD)]
    above += p.above(own.leading, node)
    return concat(*above, _RULES[type(node)](p, node), *p.suffixes(own.trailing))


# ---------------------------------------------------------------------- definitions


def _language(_p: Layout, node: ast.Language) -> Doc:
    return f"language {node.version}"


def _use(p: Layout, node: ast.Use) -> Doc:
    path = "use " + ".".join(node.path)
    if node.names is None:
        return path
    docs = [p.item(name, name.text) for name in node.names]
    return concat(path, " ", p.brackets(node, "{", docs, "}", pad=True))


def _block(p: Layout, node: ast.BlockDef) -> Doc:
    kind = "network " if node.is_network else "block "
    head = _head(p, node, ("inline " if node.inline else "") + kind)
    return concat(head, " ", group(body(p, node.body, whole_lines=breaks(concat(head, " {")))))


def _rule(p: Layout, node: ast.RuleClause) -> Doc:
    guard = [] if node.guard is None else [" if ", p.of(node.guard)]
    head = _head(p, node, ("inline " if node.inline else "") + "rule ", always=True)
    return concat(head, *guard, " => ", p.of(node.value))


def _signature(p: Layout, node: ast.Signature) -> Doc:
    head = _head(p, node, ("inline " if node.inline else "") + "rule ", always=True)
    sides = concat(p.of(node.inputs), " -> ", p.of(node.outputs))
    return group(head, ": ", sides, nest(*where(p, node.where)))


def _preset(p: Layout, node: ast.Preset) -> Doc:
    return concat("preset ", node.name, " = ", p.of(node.value))


def _head(
    p: Layout,
    node: ast.BlockDef | ast.RuleClause | ast.Signature,
    words: str,
    *,
    always: bool = False,
) -> Doc:
    docs = [p.item(item, _parameter(p, item)) for item in node.parameters]
    if not docs and not always:
        return words + node.name
    return concat(words, node.name, p.brackets(node, "(", docs, ")"))


def _parameter(p: Layout, node: ast.Parameter) -> Doc:
    parts: list[Doc] = [node.pattern.span.text if node.pattern else node.name or ""]
    if node.type is not None:
        parts += [": ", _type(node.type)]
    if node.domain is not None:
        parts += [" in ", p.of(node.domain)]
    if node.default is not None:
        parts += [" = ", p.of(node.default)]
    return concat(*parts)


def _type(node: ast.ParamType) -> str:
    return node.name if node.argument is None else f"{node.name}[{_type(node.argument)}]"


_RULES: dict[type, Any] = {
    ast.Language: _language,
    ast.Use: _use,
    ast.BlockDef: _block,
    ast.RuleClause: _rule,
    ast.Signature: _signature,
    ast.Preset: _preset,
}
