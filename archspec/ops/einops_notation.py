"""Patterns in einops notation: parsing them, and planning the steps on a shape.

`b c (h p) w -> b h w (c p)`: a name is an axis, parentheses contain axes that are merged into one,
`...` matches any axes, `1` for an axis of size 1. As in einops (Rogozhnikov 2022).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.ops.base import Check, OpError
from archspec.ops.shape import exact_division
from archspec.types.dim import Dim, dim, product
from archspec.types.tensor import TensorType

Item: TypeAlias = "str | int"
"""A named axis, a number that is an axis of that size, or ELLIPSIS."""

ELLIPSIS = "..."
_TOKEN = re.compile(r"\s*(->|\.\.\.|[^\W\d]\w*|\d+|[(),]|$)")


@frozen
class Group:
    """One axis of the tensor: its parts, outermost first. `bare` if without parentheses."""

    items: tuple[Item, ...]
    bare: bool


Side: TypeAlias = tuple[Group, ...]


@frozen
class Plan:
    """The steps of a pattern, in the order in which a backend applies them.

    Reshape to `split` (one axis for each name), reduce over the axes `reduce`, permute by `order`,
    insert new axes (`insert`: position and size, ascending), reshape to `merge`.

    `taken_apart` gives for each axis of the input into how many axes of `split` it is split,
    `joined` for each axis of `merge` how many axes it merges; `inferred` are those of `split` whose
    size was not given, and `names` the names of all of them.
    """

    split: tuple[Dim, ...]
    reduce: tuple[int, ...]
    order: tuple[int, ...]
    insert: tuple[tuple[int, Dim], ...]
    merge: tuple[Dim, ...]
    taken_apart: tuple[int, ...] = ()
    joined: tuple[int, ...] = ()
    inferred: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()


def tokens(op: str, pattern: str) -> list[str]:
    """The words and signs of a pattern. Raises OpError at a sign that is not in the notation."""
    found: list[str] = []
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None:
            raise _unreadable(op, f"cannot read `{pattern[at:].lstrip()[0]}` in its pattern")
        if match.group(1):
            found.append(match.group(1))
        at = match.end()
    return found


def _unreadable(op: str, message: str, fix: str | None = None) -> OpError:
    return OpError(f"`{op}` {message}", attribute="pattern", fix=fix)


def read(op: str, pattern: str) -> tuple[Side, Side]:
    """Both sides of a pattern. Raises OpError if it does not follow the notation."""
    words = tokens(op, pattern)
    if words.count("->") != 1:
        raise _unreadable(op, "needs one `->` in its pattern", '`"b c h w -> b h w c"`')
    middle = words.index("->")
    left, right = _side(op, words[:middle]), _side(op, words[middle + 1 :])
    if any(ELLIPSIS in group.items and not group.bare for group in left):
        raise _unreadable(op, "cannot take `...` in parentheses on the left")
    if ELLIPSIS in names(right) and ELLIPSIS not in names(left):
        raise _unreadable(op, "has `...` on the right of its pattern, but not on the left")
    return left, right


def _side(op: str, words: Sequence[str]) -> Side:
    groups: list[Group] = []
    inside: list[Item] | None = None
    for word in words:
        if word == "(":
            if inside is not None:
                raise _unreadable(op, "has parentheses within parentheses in its pattern")
            inside = []
        elif word == ")":
            if inside is None:
                raise _unreadable(op, "has a `)` without its `(` in its pattern")
            groups.append(Group(tuple(inside), bare=False))
            inside = None
        elif word == ",":
            raise _unreadable(op, "takes one tensor, so its pattern has no comma")
        elif inside is not None:
            inside.append(_item(op, word))
        else:
            groups.append(Group((_item(op, word),), bare=True))
    if inside is not None:
        raise _unreadable(op, "has a `(` without its `)` in its pattern")
    _no_repeats(op, groups)
    return tuple(groups)


def _item(op: str, word: str) -> Item:
    if not word.isdecimal():
        return word
    if len(word) > 18 or int(word) == 0:
        raise _unreadable(op, f"cannot have an axis of size {word[:18]} in its pattern")
    return int(word)


def _no_repeats(op: str, groups: Sequence[Group]) -> None:
    seen: set[str] = set()
    for name in (item for group in groups for item in group.items if isinstance(item, str)):
        if name in seen:
            fix = f"equal sizes need two names, too, such as `{name}1` and `{name}2`"
            raise _unreadable(op, f"has `{name}` twice on one side of its pattern", fix)
        seen.add(name)


def names(side: Side) -> list[str]:
    """The names on one side, in order, including ELLIPSIS."""
    return [item for group in side for item in group.items if isinstance(item, str)]


# ---------------------------------------------------------------------- expansion


def _expand_left(op: str, side: Side, given: TensorType) -> tuple[Side, tuple[str, ...]]:
    """The left side with `...` replaced by new axes, whose names are returned."""
    missing = given.rank - len(side)
    if ELLIPSIS not in names(side):
        if missing:
            raise OpError(
                f"`{op}` has {len(side)} axes on the left of its pattern, but its input is "
                f"{given.shape_text}",
                attribute="pattern",
            )
        return side, ()
    if missing + 1 < 0:
        raise OpError(
            f"`{op}` has at least {len(side) - 1} axes on the left of its pattern, but its input "
            f"is {given.shape_text}",
            attribute="pattern",
        )
    inner = tuple(f"...{index}" for index in range(missing + 1))
    groups: list[Group] = []
    for group in side:
        if ELLIPSIS in group.items:
            groups.extend(Group((name,), bare=True) for name in inner)
        else:
            groups.append(group)
    return tuple(groups), inner


def _expand_right(side: Side, inner: tuple[str, ...]) -> Side:
    groups: list[Group] = []
    for group in side:
        if ELLIPSIS not in group.items:
            groups.append(group)
        elif group.bare:
            groups.extend(Group((name,), bare=True) for name in inner)
        else:
            at = group.items.index(ELLIPSIS)
            items = (*group.items[:at], *inner, *group.items[at + 1 :])
            groups.append(Group(items, bare=False))
    return tuple(groups)


def _named(side: Side, prefix: str, sizes: dict[str, Dim]) -> list[list[str]]:
    """The groups as names; a number gets a new name, and 1 is left out."""
    result: list[list[str]] = []
    for group in side:
        parts: list[str] = []
        for item in group.items:
            if isinstance(item, str):
                parts.append(item)
            elif item != 1:
                name = f"{item} {prefix}{len(sizes)}"
                sizes[name] = dim(item)
                parts.append(name)
        result.append(parts)
    return result


# ---------------------------------------------------------------------- planning


def plan(
    op: str, check: Check, pattern: str, axes: Sequence[tuple[str, int | Dim]], given: TensorType
) -> Plan:
    """The steps of `pattern` for an input, with the sizes in `axes`; needs are added to `check`.

    Raises OpError if the pattern does not fit the input, or does not determine a size.
    """
    left, right = read(op, pattern)
    left, inner = _expand_left(op, left, given)
    right = _expand_right(right, inner)
    sizes = _given_sizes(op, axes, {*names(left), *names(right)}, check)
    sources = _named(left, "left", sizes)
    targets = _named(right, "right", sizes)
    given_sizes = set(sizes)
    for axis, (parts, size) in enumerate(zip(sources, given.shape, strict=True)):
        _resolve(op, check, axis, parts, size, sizes)
    order = [name for parts in sources for name in parts]
    wanted = [name for parts in targets for name in parts]
    for name in wanted:
        if name not in sizes:
            raise OpError(
                f"`{op}` needs the size of `{name}`, which is new on the right of its pattern",
                attribute="pattern",
                fix=f"give it: `{name}=2`",
            )
    kept = [name for name in order if name in wanted]
    return Plan(
        tuple(sizes[name] for name in order),
        tuple(index for index, name in enumerate(order) if name not in wanted),
        tuple(kept.index(name) for name in wanted if name in kept),
        tuple((index, sizes[name]) for index, name in enumerate(wanted) if name not in kept),
        tuple(product(sizes[name] for name in parts) for parts in targets),
        tuple(map(len, sources)),
        tuple(map(len, targets)),
        frozenset(index for index, name in enumerate(order) if name not in given_sizes),
        tuple(order),
    )


def _given_sizes(
    op: str, axes: Sequence[tuple[str, int | Dim]], known: set[str], check: Check
) -> dict[str, Dim]:
    sizes: dict[str, Dim] = {}
    for name, size in axes:
        if name not in known:
            raise OpError(f"`{op}` has no axis `{name}` in its pattern", attribute=name)
        sizes[name] = dim(size)
        number = sizes[name].constant
        if number is not None and number < 1:
            raise OpError(f"`{op}` needs a positive size for `{name}`", attribute=name)
        check.require_nonnegative(
            sizes[name] - 1, f"`{op}` needs a positive size for `{name}`", of=None
        )
    return sizes


def _resolve(
    op: str, check: Check, axis: int, parts: Sequence[str], size: Dim, sizes: dict[str, Dim]
) -> None:
    """Find the one unknown size among `parts`, which make up an axis of `size`."""
    unknown = [name for name in parts if name not in sizes]
    known = product(sizes[name] for name in parts if name in sizes)
    if len(unknown) > 1:
        raise OpError(
            f"`{op}` can infer one size on axis {axis} from `{size}`, but "
            f"{' and '.join(f'`{name}`' for name in unknown)} are "
            f"{'both' if len(unknown) == 2 else 'all'} unknown",
            attribute="pattern",
            fix=f"give all but one of them: `{unknown[0]}=..`",
        )
    if unknown:
        sizes[unknown[0]] = exact_division(op, check, size, known, attribute="pattern")
        return
    if size.constant is not None and known.constant is not None and size != known:
        raise OpError(
            f"`{op}` needs {known} on axis {axis}, but it is {size}", attribute="pattern", input=0
        )
    check.require_equal(size, known, f"`{op}` needs {known} on axis {axis}")


def difference(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """The names that are in `left` only, in order."""
    return [name for name in left if name not in right]
