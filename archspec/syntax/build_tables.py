"""Turn `arch.lark` into the tables that the parser runs on.

Run `python -m archspec.syntax.build_tables` after a change of the grammar. Importing Lark and
building the tables takes longer than a whole `archspec show`, hence the tables are shipped as
plain JSON and only this module imports Lark.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Reduce, Shift

GRAMMAR = Path(__file__).with_name("arch.lark")
TABLES = Path(__file__).with_name("tables.json")


class _NoLexer(Lexer):
    """Lark wants a lexer; the tables do not need one."""

    def __init__(self, _conf: object) -> None:
        pass

    def lex(self, _lexer_state: object, _parser_state: object) -> Iterator[Any]:
        """Nothing to read."""
        return iter(())


def build(grammar: str) -> dict[str, Any]:
    """The tables of a grammar, as JSON data.

    `rules` has one row per production: name of what it produces, number of symbols, action.
    `actions` has per state the positive number of the state to shift to or the negative number of
    the rule to reduce by, minus one. `gotos` likewise for what rules produce.
    """
    lark: Any = Lark(
        grammar,
        parser="lalr",
        lexer=_NoLexer,
        start=["module", "template"],
        maybe_placeholders=False,
    )
    words = {t.name: t.pattern.value for t in lark.terminals if t.pattern is not None}
    table = lark.parser.parser._parse_table
    rules = _rules(table.states.values())
    rule_number = {rule: index for index, rule in enumerate(rules)}
    produced = {rule.origin.name for rule in rules}
    state_number = _numbering(table)
    actions: list[dict[str, int]] = []
    gotos: list[dict[str, int]] = []
    for state in state_number:
        action, goto = {}, {}
        for name, (kind, to) in sorted(table.states[state].items()):
            if name in produced:
                goto[name] = state_number[to]
            else:
                shift = kind is Shift
                action[words.get(name, name)] = state_number[to] if shift else -rule_number[to] - 1
        actions.append(action)
        gotos.append(goto)
    return {
        "rules": [[r.origin.name, len(r.expansion), r.alias or ""] for r in rules],
        "start": {name: state_number[state] for name, state in sorted(table.start_states.items())},
        "end": {name: state_number[state] for name, state in sorted(table.end_states.items())},
        "actions": actions,
        "gotos": gotos,
    }


def _numbering(table: Any) -> dict[int, int]:
    """State -> number in order of first visit, so that equal grammars give equal files."""
    order = {state: None for _, state in sorted(table.start_states.items())}
    queue = list(order)
    for state in queue:
        for _, (kind, to) in sorted(table.states[state].items()):
            if kind is Shift and to not in order:
                order[to] = None
                queue.append(to)
    return {state: number for number, state in enumerate(order)}


def _rules(states: Iterable[dict[str, tuple[object, Any]]]) -> list[Any]:
    """Every rule that some state reduces by, in a fixed order."""
    found = {to for state in states for kind, to in state.values() if kind is Reduce}
    return sorted(found, key=lambda rule: (rule.origin.name, rule.order, str(rule)))


def render(tables: dict[str, Any]) -> str:
    """The text of the tables' file: one state a line, so that a change can be read."""
    lines = ["{"]
    for key in ("rules", "actions", "gotos"):
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in tables[key])
        lines.append(f'"{key}":[\n{rows}\n],')
    lines.append(f'"start":{json.dumps(tables["start"])},')
    lines.append(f'"end":{json.dumps(tables["end"])}')
    return "\n".join([*lines, "}"]) + "\n"


if __name__ == "__main__":
    TABLES.write_text(render(build(GRAMMAR.read_text("utf-8"))), "utf-8")
