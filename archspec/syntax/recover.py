"""Recovery from a token that does not fit: report it once, and continue parsing."""

from __future__ import annotations

from archspec.diagnostics.model import Edit, Fix
from archspec.syntax import limits
from archspec.syntax.grammar import Stack, Value, first_token
from archspec.syntax.keywords import CLOSERS, DEFINITION_WORDS, FOREIGN_DEFINITIONS, RESERVED_WORDS
from archspec.syntax.lexer import Token
from archspec.syntax.mistake import Mistake
from archspec.syntax.mistakes import MISTAKES
from archspec.syntax.reader import Reader
from archspec.syntax.site import Repair, Site

_STOPS = frozenset({"NL", ",", ")", "]", "}", "->", "{", "=>", "=", "then", "else", "$END"})
_DEFINITIONS = DEFINITION_WORDS | {"$END"}
_WORDS = frozenset({"->", "=>", "=", "==", ",", ":", "...", *RESERVED_WORDS})
"""Tokens that a repair can insert into the text; other repairs only serve to continue parsing."""

_QUIET = 3
"""Number of tokens after an error in which another error is considered its consequence."""

_ENOUGH = 2
"""Number of tokens that must fit after a repair."""


def recover(reader: Reader) -> bool:
    """Report the offending token and continue; False if there were too many errors already."""
    k = reader.k
    reader.errors += 1
    if reader.errors > 4 * limits.MAX_ERRORS:
        return False
    site = Site(reader)
    mistake = next(row for row in MISTAKES if row.when(site))
    before = reader.tokens[reader.at - 1] if reader.at else site.token
    damaged = k.is_damaged(site.token.start) or k.is_damaged(before.end)
    repair = mistake.repair(site) if callable(mistake.repair) else mistake.repair
    if repair and (site.fits(repair) < _ENOUGH or (damaged and site.token.depth)):
        # a guess on a damaged line would only cause further false errors
        repair = None
    if not damaged and reader.at >= reader.quiet_until:
        _report(site, mistake, repair)
    if repair:
        _apply(reader, repair)
        reader.quiet_until = reader.at + len(repair.types) + _QUIET
        return True
    reader.quiet_until = reader.at + 1
    return skip(reader)


def _report(site: Site, mistake: Mistake, repair: Repair | None) -> None:
    words = {
        "<word>": site.word()[:40],
        "<before>": site.word(-1)[:40],
        "<meant>": mistake.meant(site) if mistake.meant else "",
    }
    found = mistake.edits(site) if mistake.edits else ()
    words["<edit>"] = found[0].text if found else ""
    message, fix = mistake.message, mistake.fix
    for hole, text in words.items():
        message, fix = message.replace(hole, text), fix.replace(hole, text)
    if mistake.edits and not found and "<edit>" in mistake.fix:
        fix = ""
    edit = _edit(site, repair) if repair and not mistake.edits else None
    if edit and not fix:
        fix = f"write `{' '.join(repair.types)}`" if repair and repair.types else "remove it"
    cure = Fix(fix, (edit,) if edit else found) if fix else None
    points = mistake.points(site) if callable(mistake.points) else mistake.points
    site.reader.k.error(mistake.code, message, site.span(*points), fix=cure)


def _edit(site: Site, repair: Repair) -> Edit | None:
    """The repair as an edit of the text, if it inserts only signs and words."""
    before, here = site.span_before(), site.span()
    if not _WORDS.issuperset(repair.types) or not here.text:
        return None
    text = " ".join(repair.types)
    if repair.replace:
        spaced = text.isalpha() or text in ("=", "->", "=>", "==")
        joined = spaced and before.end == here.start
        return Edit(here, " " * joined + text)
    if text in (",", ":"):
        return Edit(site.reader.k.span(before.end, before.end), text)
    return Edit(site.reader.k.span(here.start, here.start), text + " ")


def _apply(reader: Reader, repair: Repair) -> None:
    at = reader.at
    token = reader.tokens[at]
    place = reader.tokens[at - 1].end if at else token.start
    if repair.replace:
        new = [Token(kind, token.start, token.end, False, token.depth) for kind in repair.types]
        reader.tokens[at : at + 1] = new
    else:
        new = [Token(kind, place, place, False, token.depth) for kind in repair.types]
        reader.tokens[at:at] = new


def skip(reader: Reader) -> bool:
    """Replace the smallest enclosing item by ERROR and skip the rest of it."""
    stack, at = reader.stack.copy(), reader.at
    lost: list[Value] = []
    last = before = stack.last
    inside = _inside(before)
    while (stop := _resume(reader, stack, inside)) is None:
        if not stack.values:
            return False
        lost.append(stack.pop())
        before = stack.last
        inside = _inside(before)
    start = end = reader.tokens[at].start
    if lost:
        first = first_token(lost[-1])
        start = first.start if first else before.end if before else 0
    if stop > at:
        end = reader.tokens[stop - 1].end
    elif last:
        end = last.end
    stack.read([Token("ERROR", start, max(start, end), False, inside)], 0, 1)
    reader.lost.extend(lost)
    reader.stack, reader.at = stack, stop
    return True


def _defines(reader: Reader, at: int) -> bool:
    """Whether a definition begins at a token, including definitions of other languages."""
    token, text = reader.tokens[at], reader.k.source.text
    if token.type in _DEFINITIONS:
        return True
    at_margin = token.start == 0 or text[token.start - 1] == "\n"
    return at_margin and text[token.start : token.end] in FOREIGN_DEFINITIONS


def _inside(before: Token | None) -> int:
    """Number of brackets open after a token."""
    return before.depth - (before.type in CLOSERS) if before else 0


def _resume(reader: Reader, stack: Stack, depth: int) -> int | None:
    """Index of the token to continue with if ERROR comes next, at the given bracket depth."""
    if not stack.takes("ERROR"):
        return None
    behind = stack.copy()
    behind.read([Token("ERROR", 0, 0)], 0, 1)
    checked: dict[str, bool] = {}
    for index in range(reader.at, len(reader.tokens)):
        token = reader.tokens[index]
        inside = token.depth
        if inside < depth:
            return None
        if token.type == "{":
            inside -= 1
        if inside != depth or token.type not in _STOPS:
            continue
        if token.type == "NL" and not depth and not _defines(reader, index + 1):
            continue
        if token.type not in checked:
            checked[token.type] = behind.fits((token.type,)) == 1
        if checked[token.type]:
            return index
    return None
