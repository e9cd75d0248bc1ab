"""The inputs of a block in another order: `(labels, logits) -> cross_entropy`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.shape_patterns import is_ellipsis
from archspec.semantics.values.context import GraphContext, SpecError
from archspec.semantics.values.model import Value
from archspec.source import Span
from archspec.syntax import ast


def exchanged(
    context: GraphContext, items: Sequence[ast.InputItem], data: Value, span: Span
) -> SpecError | None:
    """The error for two inputs that fit their declarations if they are exchanged, if any do.

    Only element types and numbers of axes are compared.
    """
    parts = data if isinstance(data, tuple) else (data,)
    if len(parts) < 2 or any(item.rest for item in items[: len(parts)]):
        return None
    for one, other in combinations(range(min(len(parts), len(items))), 2):
        first, second = items[one], items[other]
        if _fits(first, parts[one]) and _fits(second, parts[other]):
            continue
        if _fits(first, parts[other]) and _fits(second, parts[one]):
            return _error(context, [item.name for item in items[: len(parts)]], one, other, span)
    return None


def _fits(item: ast.InputItem, value: Value) -> bool:
    if not isinstance(value, Tensor):
        return False
    if item.type is None:
        return True
    wanted, dims = item.type.dtype, item.type.dims  # without a dtype, the block takes any
    rest = any(map(is_ellipsis, dims))
    rank = value.type.rank
    return wanted in (None, str(value.type.dtype)) and (
        rank >= len(dims) - 1 if rest else rank == len(dims)
    )


def _error(
    context: GraphContext, names: Sequence[str], one: int, other: int, span: Span
) -> SpecError:
    order = ", ".join(names)
    fix = Fix(f"exchange inputs {one + 1} and {other + 1}")
    text = span.source.text
    found = _BEFORE.search(text, max(0, span.start - 300), span.start)
    written = [part.strip() for part in found[1].split(",")] if found is not None else []
    if found is not None and len(written) == len(names):
        written[one], written[other] = written[other], written[one]
        new = ", ".join(written)
        place = Span(span.source, found.start(1), found.end(1))
        fix = Fix(f"write `({new}) -> {context.builder.name}`", (Edit(place, new),))
    return context.error(
        "E0405",
        f"`{context.builder.name}` takes its inputs in the order {order}",
        span,
        fix=fix,
    )


_BEFORE = re.compile(r"\(([^()]*)\)\s*->\s*(?:\w+\s*:\s*)?\Z")
"""A tuple of data before the name of a layer."""
