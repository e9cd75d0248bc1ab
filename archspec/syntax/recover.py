"""What the parser does when a token does not fit: say so once, and read on."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax import limits
from archspec.syntax.engine import Engine
from archspec.syntax.lexer import Token
from archspec.syntax.mistake import Mistake
from archspec.syntax.mistakes import MISTAKES
from archspec.syntax.site import Repair, Site, accepted
from archspec.syntax.words import DEFINITION_WORDS, RESERVED_WORDS

_STOPS = frozenset({"NL", ",", ")", "]", "}", "->", "{", "=>", "=", "then", "else", "$END"})
_DEFINITIONS = DEFINITION_WORDS | {"$END"}
_WORDS = frozenset({"->", "=>", "=", "==", ",", ":", *RESERVED_WORDS})
"""What a repair can put into the text; other repairs put something in only to read on."""

_QUIET = 3
"""Tokens behind an error in which another one is taken for its consequence."""

_ENOUGH = 2
"""Tokens that must fit behind a repair."""


def recover(engine: Engine) -> bool:
    """Report the offending token and go on; False when there were too many errors already."""
    k = engine.k
    engine.errors += 1
    if engine.errors > 4 * limits.MAX_ERRORS:
        return False
    site = Site(engine)
    mistake = next(row for row in MISTAKES if row.when(site))
    before = engine.tokens[engine.at - 1] if engine.at else site.token
    damaged = k.is_damaged(site.token.start) or k.is_damaged(before.end)
    repair = mistake.repair
    if repair and (site.fits(repair) < _ENOUGH or (damaged and site.token.depth)):
        # what is guessed on a damaged line would only lead to more that looks wrong
        repair = None
    if not damaged and engine.at >= engine.quiet_until:
        _report(site, mistake, repair)
    if repair:
        _apply(engine, repair)
        engine.quiet_until = engine.at + len(repair.types) + _QUIET
        return True
    engine.quiet_until = engine.at + 1
    return skip(engine)


def _report(site: Site, mistake: Mistake, repair: Repair | None) -> None:
    words = {
        "<word>": site.word()[:40],
        "<before>": site.word(-1)[:40],
        "<meant>": mistake.meant(site) if mistake.meant else "",
    }
    message, fix = mistake.message, mistake.fix
    for hole, text in words.items():
        message, fix = message.replace(hole, text), fix.replace(hole, text)
    edit = _edit(site, repair) if repair else None
    if edit and not fix:
        fix = f"write `{' '.join(repair.types)}`" if repair and repair.types else "leave it out"
    cure = Fix(fix, (edit,) if edit else ()) if fix else None
    site.engine.k.error(mistake.code, message, site.span(*mistake.points), fix=cure)


def _edit(site: Site, repair: Repair) -> Edit | None:
    """The repair as a change of the text, if it puts in signs and words only."""
    before, here = site.span_before(), site.span()
    if not _WORDS.issuperset(repair.types) or not here.text:
        return None
    text = " ".join(repair.types)
    if repair.replace:
        joined = text.isalpha() and before.end == here.start
        return Edit(here, " " * joined + text)
    if text in (",", ":"):
        return Edit(site.engine.k.span(before.end, before.end), text)
    return Edit(site.engine.k.span(here.start, here.start), text + " ")


def _apply(engine: Engine, repair: Repair) -> None:
    at = engine.at
    token = engine.tokens[at]
    place = engine.tokens[at - 1].end if at else token.start
    if repair.replace:
        new = [Token(kind, token.start, token.end, False, token.depth) for kind in repair.types]
        engine.tokens[at : at + 1] = new
    else:
        new = [Token(kind, place, place, False, token.depth) for kind in repair.types]
        engine.tokens[at:at] = new


def skip(engine: Engine) -> bool:
    """Put ERROR in place of the smallest enclosing item and skip the rest of it."""
    actions = engine.tables.actions
    for index in range(len(engine.states) - 1, -1, -1):
        state = actions[engine.states[index]].get("ERROR", 0)
        if state <= 0:
            continue
        states = [*engine.states[: index + 1], state]
        stop = _resume(engine, states, engine.items[index].inside)
        if stop is None:
            continue
        popped = index + 1 < len(engine.states)
        start = engine.items[index + 1].start if popped else engine.tokens[engine.at].start
        end = engine.tokens[stop - 1].end if stop > engine.at else engine.items[-1].end
        engine.pop(len(engine.states) - index - 1)
        depth = engine.items[-1].inside
        engine.shift(state, Token("ERROR", start, max(start, end), False, depth))
        engine.at = stop
        return True
    return False


def _resume(engine: Engine, states: list[int], depth: int) -> int | None:
    """Index of the token to go on with after ERROR, at the given depth of brackets."""
    checked: dict[str, bool] = {}
    for index in range(engine.at, len(engine.tokens)):
        token = engine.tokens[index]
        inside = token.depth
        if inside < depth:
            return None
        if token.type == "{":
            inside -= 1
        if inside != depth or token.type not in _STOPS:
            continue
        if token.type == "NL" and not depth and engine.tokens[index + 1].type not in _DEFINITIONS:
            continue
        if token.type not in checked:
            checked[token.type] = accepted(engine, states, (token.type,)) == 1
        if checked[token.type]:
            return index
    return None
