"""Names in sight: a chain of local scopes over a file's definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.semantics.values.model import Value
from archspec.source import Span

if TYPE_CHECKING:
    from archspec.semantics.program.definitions import ModuleScope


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
