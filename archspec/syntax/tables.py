"""The parser's tables, read once from the file that `build_tables` wrote."""

from __future__ import annotations

import json
import os
from functools import cache

from archspec.frozen import frozen


@frozen
class Tables:
    """LALR(1) tables.

    `actions[state]` maps the type of a token to the state to shift to (positive) or to the rule
    to reduce by (`-rule - 1`); `gotos[state]` maps what was produced to the next state. A rule is
    (what it produces, number of symbols, action; "" passes the only symbol on).
    """

    rules: tuple[tuple[str, int, str], ...]
    actions: tuple[dict[str, int], ...]
    gotos: tuple[dict[str, int], ...]
    start: dict[str, int]
    end: dict[str, int]


@cache
def load() -> Tables:
    """The tables; about a millisecond the first time."""
    with open(os.path.join(os.path.dirname(__file__), "tables.json"), "rb") as file:
        data = json.load(file)
    return Tables(
        tuple((name, size, action) for name, size, action in data["rules"]),
        tuple(data["actions"]),
        tuple(data["gotos"]),
        data["start"],
        data["end"],
    )
