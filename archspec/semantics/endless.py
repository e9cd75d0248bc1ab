"""Fixes for a recursion without an end: the missing clause or condition."""

from __future__ import annotations

import re
from dataclasses import replace

from archspec.diagnostics.model import Diagnostic, Fix
from archspec.semantics.program.definitions import (
    BlockDefinition,
    ModuleScope,
    RuleDefinition,
)

_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)


def ended(item: Diagnostic, scope: ModuleScope) -> Diagnostic:
    """The diagnostic for too deep a recursion (E0502), with a fix that ends the recursion."""
    calls = [found for frame in item.expansion if (found := _CALL.fullmatch(frame.what))]
    if item.code != "E0502" or not calls:
        return item
    name = calls[0][1]
    definition = scope.definition(name)
    same = [call[2].split(", ") for call in calls if call[1] == name]
    if not isinstance(definition, BlockDefinition | RuleDefinition):
        return item
    names = [parameter.name or "_" for parameter in definition.parameters]
    pairs = zip(same[0], same[-1], strict=False)
    at = next((index for index, (one, two) in enumerate(pairs) if one != two), 0)
    if not names or at >= len(names):
        return item
    counted = names[at]
    if isinstance(definition, RuleDefinition):
        head = ", ".join("1" if index == at else word for index, word in enumerate(names))
        words = f"add a clause that ends it, before the others: `rule {name}({head}) => ..`"
    else:
        words = (
            f"end it with an `if` around the call: `if {counted} > 1 {{ {name}({counted} - 1) }}`"
        )
    message = f"`{name}` calls itself endlessly: expansions are nested more than 400 deep"
    return replace(item, message=message, fix=Fix(words))


def has_syntax_error(item: Diagnostic, scope: ModuleScope) -> bool:
    """Whether a recursion has no end because of a syntax error in the definition that recurs."""
    if item.code != "E0502" or item.primary is None:
        return False
    place = item.primary.span
    for definition in scope.tree.definitions:
        whole = definition.span
        if whole.source is place.source and whole.start <= place.start < whole.end:
            last = whole.source.position(whole.end)[0]
            return any(whole.line <= line <= last for line in scope.error_lines)
    return False
