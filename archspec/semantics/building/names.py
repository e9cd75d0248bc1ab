"""Names of the instances in a graph under construction (rules P1 of the language)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.building.tape import Tape
from archspec.source import Span

Owns: TypeAlias = "Callable[[], bool]"
"""Whether what is named has weights."""

Reserved: TypeAlias = Callable[[str], bool]
"""Whether the parts of a module cannot have a name, as a target says."""


def nothing_reserved(_: str) -> bool:
    """Where no target is asked, every name will do."""
    return False


class NamingError(Exception):
    """A name that cannot be given: what a diagnostic says of it."""

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
    """Numbers passed over and labels given: names that do not follow from the number before."""


@dataclass(eq=False)
class NameScope:
    """Where new instances are named: a prefix, and a counter if the scope is numbered."""

    builder: GraphBuilder
    prefix: str = ""
    counter: Counter | None = None
    loop: Span | None = None
    """The unlabelled `for` that numbers its children in the surrounding scope."""
    loops: dict[str, Span] = field(default_factory=dict)
    """By prefix, the `for` which numbered there first."""
    tape: Tape | None = None

    def below(self, path: str, *, numbered: bool) -> NameScope:
        """The scope that a label opens."""
        return NameScope(
            self.builder,
            self.path(path),
            Counter() if numbered else None,
            None,
            self.loops,
            self.tape,
        )

    def taped(self) -> NameScope:
        """The same scope for something shared, whose instances are kept under their names."""
        tape = Tape(self.tape)
        return NameScope(self.builder, self.prefix, self.counter, self.loop, self.loops, tape)

    def again(self, start: int) -> NameScope:
        """The same scope for one more use of what is shared: it takes the same names."""
        counter = None if self.counter is None else Counter(start)
        return NameScope(self.builder, self.prefix, counter, self.loop, self.loops, self.tape)

    def _taken(self, key: str) -> Span | None:
        """Where a key was claimed; None where it is free, or shared and not used yet this time."""
        if self.tape is not None and self.tape.is_free(key):
            return None
        return self.builder.keys.get(key)

    def _take_key(self, key: str, span: Span) -> str:
        if self.tape is not None:
            self.tape.take(key)
        self.builder.keys[key] = span
        return key

    def path(self, key: str) -> str:
        """A key below the prefix."""
        return f"{self.prefix}.{key}" if self.prefix else key

    def in_loop(self, span: Span) -> NameScope:
        """The scope of an unlabelled `for` here: its children are numbered."""
        if self.counter is not None:
            return self
        return NameScope(self.builder, self.prefix, Counter(), span, self.loops, self.tape)

    def take(self, span: Span, owns: Owns = lambda: True) -> str:
        """The next number. `owns` says whether what takes it has weights, whose name it is.

        Raises NamingError where there is none to be taken.
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
        """A label of the spec's own, noted where the scope is numbered."""
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
        """The key of a new instance. Raises NamingError when its label is taken."""
        if label is not None:
            return self.claim(self.path(label), span)
        if self.counter is not None:
            return self.claim(self.path(self.take(span, owns)), span)
        first, key = self.path(default), self.path(available(default, reserved))
        number = self.builder.numbers.get(first, 0) if self.tape is None else 0
        while self._taken(key) is not None:
            number += 1
            key = f"{first}_{number}"
        self.builder.numbers[first] = max(number, self.builder.numbers.get(first, 0))
        return self._take_key(key, span)

    def claim(self, key: str, span: Span) -> str:
        """Take a key that must be free. Raises NamingError where it is not."""
        taken = self._taken(key)
        if taken == span:
            raise NamingError(
                "E0601",
                f"the label `{key}` is taken by an earlier iteration of the same line",
                span,
                fix='put what differs into the label: `"layer{i}": ..`',
            )
        if taken is not None:
            raise NamingError(
                "E0601",
                f"the label `{key}` is taken in this block",
                span,
                secondary=[(taken, "by this")],
                fix="choose another label",
            )
        return self._take_key(key, span)


def available(name: str, reserved: Reserved) -> str:
    """A derived name, with a `_` behind it where the parts of a module cannot be called so."""
    return f"{name}_" if reserved(name) else name
