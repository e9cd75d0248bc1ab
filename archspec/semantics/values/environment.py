"""Names in sight: a chain of local scopes over a file's definitions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from archspec.semantics.values.model import Value
from archspec.source import Span

if TYPE_CHECKING:
    from archspec.semantics.program.modules import ModuleScope


class Environment:
    """Local names (arguments, bindings, dims), innermost first, then the file's."""

    __slots__ = ("module", "names", "parent", "spans")

    def __init__(self, module: ModuleScope, parent: Environment | None = None) -> None:
        self.module = module
        self.parent = parent
        self.names: dict[str, Value] = {}
        self.spans: dict[str, Span] = {}

    def child(self) -> Environment:
        """A scope inside this one."""
        return Environment(self.module, self)

    def bind(self, name: str, value: Value, span: Span | None = None) -> None:
        """Bind a name here; `_` binds nothing. The caller has checked that it is free."""
        if name == "_":
            return
        self.names[name] = value
        if span is not None:
            self.spans[name] = span

    @property
    def count(self) -> int:
        """How many local names are in sight."""
        total, scope = 0, self
        while scope.parent is not None:
            total, scope = total + len(scope.names), scope.parent
        return total + len(scope.names)

    def has_local(self, name: str) -> bool:
        """Whether a local name is in sight."""
        scope: Environment | None = self
        while scope is not None:
            if name in scope.names:
                return True
            scope = scope.parent
        return False

    def local(self, name: str) -> Value:
        """The value of a local name. Raises KeyError."""
        scope: Environment | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        raise KeyError(name)


LIKE = 0.7
"""How like two names are (0 to 1) when one was probably meant for the other."""


_RANK = re.compile("[123]d$")
"""How torch ends the names of layers, `Conv2d`; here one op serves all ranks."""

MAX_LIKE = 60
"""Characters of names that are compared: it takes long for long ones."""


def suggestion(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant."""
    if len(name) > MAX_LIKE:
        return None
    pool = sorted({candidate for candidate in candidates if len(candidate) <= MAX_LIKE})
    close = difflib.get_close_matches(name, pool, n=3, cutoff=0.6)
    for candidate in close:
        ratio = difflib.SequenceMatcher(None, name, candidate).ratio()
        if ratio >= LIKE or candidate.startswith(name) or name.startswith(candidate):
            return candidate
        if sorted(candidate) == sorted(name):
            return candidate
    folded = {candidate.replace("_", "").lower(): candidate for candidate in pool}
    plain = name.replace("_", "").lower()
    return folded.get(plain) or folded.get(_RANK.sub("", plain))


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """The same as words for a fix, or None."""
    found = suggestion(name, candidates)
    return f"did you mean `{found}`?" if found else None


def counted(number: int, what: str) -> str:
    """`no inputs`, `1 input`, `2 inputs`."""
    return f"{number or 'no'} {what}" + ("" if number == 1 else "s")
