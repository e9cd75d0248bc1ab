"""Expressions for the axes that an einops pattern takes apart and joins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archspec.graph.expression import Expression, Number
from archspec.ops.einops_notation import Plan
from archspec.types.dim import Dim
from archspec_torch.code.products import product, quotient


def product_of(parts: Iterable[Expression | None]) -> Expression | None:
    """The product of all parts; None if one of them is not known."""
    found = []
    for part in parts:
        if part is None:
            return None
        found.append(part)
    return product(found)


def taken_apart(
    before: Sequence[Expression | None],
    taken: Plan,
    given: Mapping[int, Expression],
    by_name: Mapping[str, Expression],
) -> list[Expression | None]:
    """The factors of the axes of the input."""
    parts: list[Expression | None] = []
    for whole, count in zip(before, taken.taken_apart, strict=True):
        places = range(len(parts), len(parts) + count)
        sizes = {
            at: by_name.get(taken.names[at]) or given_size(taken.split[at], given) for at in places
        }
        for at in places:
            others = [size for other, size in sizes.items() if other != at]
            known = [size for size in others if size is not None]
            inferred = at in taken.inferred and whole is not None and len(known) == len(others)
            of_whole = quotient(whole, known) if inferred and whole else None
            is_given = at not in taken.inferred or taken.split[at].constant == 1
            parts.append(of_whole or (sizes[at] if is_given else None))
    return parts


def given_size(size: Dim, given: Mapping[int, Expression]) -> Expression | None:
    """A size in a pattern, by its number if that is `given`; None for one that is no number."""
    number = size.constant
    return None if number is None else given.get(number, Number(number))
