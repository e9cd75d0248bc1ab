"""Lists of modules that are longer in one of two variants: the other items are appended.

Then the variants have the common items in common: `self.layer.append(..)` may be under an `if`, and
the last item is `self.layer[-1]` in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec.frozen import frozen
from archspec_torch.classes.draft import Draft
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import (
    Argument,
    Call,
    call,
    code,
    constructed,
    listing,
    with_texts,
)

LIST = re.compile(r"self\.\w+ = ")


@frozen
class _Items:
    """How one list is written: the number of items that it begins with, and that follow them.

    `last` is the number of items that are counted from the end.
    """

    first: int
    count: int
    last: int


def with_common_items(
    group: Sequence[Draft], other: Sequence[Draft]
) -> tuple[list[Draft], list[Draft]]:
    """Both groups, with lists that begin with what is common to both."""
    lists = [_lists(one[0]) for one in (group, other)]
    found: tuple[dict[str, _Items], dict[str, _Items]] = {}, {}
    for target in lists[0].keys() & lists[1].keys():
        texts = [[constructed(item.code) for item in one[target]] for one in lists]
        first = _common(*texts)
        last = _common(*([*reversed(text[first:])] for text in texts))
        if len(texts[0]) != len(texts[1]) and first + last:
            for items, text in zip(found, texts, strict=True):
                items[target] = _Items(first, len(text), last)
    return [_written(one, found[0]) for one in group], [_written(one, found[1]) for one in other]


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    """The number of equal items at the beginning."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(two)))


def _lists(draft: Draft) -> dict[str, tuple[Argument, ...]]:
    """The items of the lists of modules that a draft writes out, by the text before them."""
    found = {}
    for line in draft.init:
        items = _items(line)
        if items is not None:
            found[str(line.code[0])] = items
    return found


def _items(line: Line) -> tuple[Argument, ...] | None:
    match line.code:
        case (str(text), Call("nn.ModuleList", (Argument(code=(Call("", items, "[]", ","),)),))):
            plain = all(isinstance(item.code[0], Call) and item.code[0].comma for item in items)
            return items if LIST.fullmatch(text) and not line.indent and plain else None
    return None


def _written(draft: Draft, lists: dict[str, _Items]) -> Draft:
    if not lists:
        return draft
    return draft.with_blocks(lambda name, lines: _lines(lines, lists))


def _lines(lines: Sequence[Line], lists: dict[str, _Items]) -> Iterator[Line]:
    for line in lines:
        target = line.code[0] if line.code and isinstance(line.code[0], str) else ""
        items = _items(line) if target in lists else None
        if items is None:
            yield replace(line, code=with_texts(line.code, lambda text: _from_end(text, lists)))
            continue
        first = lists[target].first
        yield replace(line, code=code(target, call("nn.ModuleList", listing(items[:first]))))
        for item in items[first:]:
            yield replace(line, code=call(f"{target.removesuffix(' = ')}.append", item))


def _from_end(text: str, lists: dict[str, _Items]) -> str:
    """Text in which the last items of these lists are counted from the end."""
    for target, items in lists.items():
        name = target.removesuffix(" = ")

        def index(found: re.Match[str], items: _Items = items, name: str = name) -> str:
            at = int(found[1])
            return f"{name}[{at - items.count if at >= items.count - items.last else at}]"

        text = re.sub(rf"(?<![\w.]){re.escape(name)}\[(\d+)\]", index, text)
    return text
