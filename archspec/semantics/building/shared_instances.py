"""The instances of shared layers, by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from archspec.semantics.building.instance_paths import NamedInstance
from archspec.source import Span


@dataclass(eq=False)
class SharedInstances:
    """The instances of a shared layer by name, each with all its forms.

    `parent` is that of an enclosing shared layer, in which this layer is instantiated anew at
    each use.
    """

    parent: SharedInstances | None = None
    forms: dict[str, list[NamedInstance]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """Names taken in the current use."""
    uses: list[Span] = field(default_factory=list)
    """The places of the uses so far, the current one last."""

    def begin(self, span: Span) -> None:
        """Begin a use at a place."""
        self.used.clear()
        self.uses.append(span)

    def is_free(self, key: str) -> bool:
        """Whether the key belongs to the shared layer and is not yet taken in the current use."""
        if key in self.forms:
            return key not in self.used
        return self.parent is not None and self.parent.is_free(key)

    def take(self, key: str) -> None:
        """Take a key in the current use."""
        self.used.add(key)
        self.forms.setdefault(key, [])
        if self.parent is not None:
            self.parent.take(key)

    def known(self, key: str) -> list[NamedInstance]:
        """All forms of an instance so far."""
        found = self.forms.get(key)
        if found or self.parent is None:
            return found or []
        return self.parent.known(key)

    def record(self, owner: NamedInstance) -> None:
        """Record a new form of an instance."""
        self.forms.setdefault(owner.path, []).append(owner)
        if self.parent is not None:
            self.parent.record(owner)
