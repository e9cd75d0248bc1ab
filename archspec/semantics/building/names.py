"""Names of the instances in a graph under construction (rules P1 of the language)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.building.shared_instances import SharedInstances
from archspec.source import Span

Owns: TypeAlias = "Callable[[], bool]"
"""Whether the named instance has weights."""

Reserved: TypeAlias = Callable[[str], bool]
"""Whether a target reserves a name, so that no part of a module can have it."""


def nothing_reserved(_: str) -> bool:
    """Reserves no names; used when there is no target."""
    return False


class NamingError(Exception):
    """A name that cannot be used, with the contents of its diagnostic."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        secondary: Sequence[tuple[Span, str]] = (),
        fix: str,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.secondary = list(secondary)
        self.fix = fix


@dataclass(eq=False)
class Counter:
    """The next number of a numbered scope."""

    value: int = 0
    irregular: int = 0
    """How many numbers were skipped or replaced by labels, so that names are not consecutive."""


@dataclass(eq=False)
class NameScope:
    """The scope of names of new instances: a prefix, and a counter if the scope is numbered."""

    builder: GraphBuilder
    prefix: str = ""
    counter: Counter | None = None
    loop: Span | None = None
    """The unlabelled `for` that numbers its children in the surrounding scope."""
    loops: dict[str, Span] = field(default_factory=dict)
    """The first `for` that numbered its children, by prefix."""
    shared: SharedInstances | None = None

    def below(self, path: str, *, numbered: bool) -> NameScope:
        """The scope opened by a label."""
        return NameScope(
            self.builder,
            self.path(path),
            Counter() if numbered else None,
            None,
            self.loops,
            self.shared,
        )

    def for_shared_layer(self) -> NameScope:
        """The same scope for a shared layer, whose instances are kept by name."""
        shared = SharedInstances(self.shared)
        return NameScope(self.builder, self.prefix, self.counter, self.loop, self.loops, shared)

    def again(self, start: int) -> NameScope:
        """The same scope for another use of a shared layer, which gets the same names."""
        counter = None if self.counter is None else Counter(start)
        return NameScope(self.builder, self.prefix, counter, self.loop, self.loops, self.shared)

    def _taken(self, key: str) -> Span | None:
        """Where a key was claimed; None if it is free, or shared and not yet taken in this use."""
        if self.shared is not None and self.shared.is_free(key):
            return None
        return self.builder.keys.get(key)

    def _take_key(self, key: str, span: Span) -> str:
        if self.shared is not None:
            self.shared.take(key)
        self.builder.keys[key] = span
        return key

    def path(self, key: str) -> str:
        """A key below the prefix."""
        return f"{self.prefix}.{key}" if self.prefix else key

    def in_loop(self, span: Span) -> NameScope:
        """The scope of an unlabelled `for`, which numbers its children."""
        if self.counter is not None:
            return self
        return NameScope(self.builder, self.prefix, Counter(), span, self.loops, self.shared)

    def take(self, span: Span, owns: Owns = lambda: True) -> str:
        """The next number. `owns` returns whether the instance has weights, named by the number.

        Raises NamingError if there is no number to take.
        """
        counter = self.counter
        if counter is None:
            raise NamingError(
                "E0603",
                "`_:` takes the next number, but this scope is not numbered",
                span,
                fix="put it in a labelled group: `label: (_: ..)`",
            )
        if self.loop is not None:
            first = self.loops.setdefault(self.prefix, self.loop)
            if first != self.loop and owns():
                raise NamingError(
                    "E0602",
                    "a second unlabelled `for` would number its layers in the same scope",
                    span,
                    secondary=[(first, "the first numbers them here"), (self.loop, "the second")],
                    fix="give one of the two a label: `stage: for ..`",
                )
        while self._taken(self.path(str(counter.value))) is not None:
            counter.value += 1
            counter.irregular += 1
        counter.value += 1
        return str(counter.value - 1)

    def given(self, label: str) -> str:
        """A label written in the spec, recorded if the scope is numbered."""
        if self.counter is not None:
            self.counter.irregular += 1
        return label

    def key_for(
        self,
        reserved: Reserved,
        label: str | None,
        default: str,
        span: Span,
        owns: Owns = lambda: True,
    ) -> str:
        """The key of a new instance. Raises NamingError if its label is taken."""
        if label is not None:
            return self.claim(self.path(label), span)
        if self.counter is not None:
            return self.claim(self.path(self.take(span, owns)), span)
        first, key = self.path(default), self.path(available(default, reserved))
        number = self.builder.numbers.get(first, 0) if self.shared is None else 0
        while self._taken(key) is not None:
            number += 1
            key = f"{first}_{number}"
        self.builder.numbers[first] = max(number, self.builder.numbers.get(first, 0))
        return self._take_key(key, span)

    def claim(self, key: str, span: Span) -> str:
        """Take a key. Raises NamingError if it is not free."""
        taken = self._taken(key)
        if taken == span:
            raise NamingError(
                "E0601",
                f"the label `{key}` is already used by an earlier iteration of the same line",
                span,
                fix='put the loop variable into the label: `"layer{i}": ..`',
            )
        if taken is not None:
            raise NamingError(
                "E0601",
                f"the label `{key}` is already used in this block",
                span,
                secondary=[(taken, "by this")],
                fix="choose another label",
            )
        return self._take_key(key, span)


def available(name: str, reserved: Reserved) -> str:
    """A default name, with a trailing `_` if the target reserves it."""
    return f"{name}_" if reserved(name) else name
