"""The base class of all nodes of the syntax tree."""

from __future__ import annotations

from typing import ClassVar


class Node:
    """A construct and its span."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    @property
    def parts(self) -> tuple[object, ...]:
        """Its fields except the span: nodes, tuples of nodes, and plain data."""
        return tuple([getattr(self, name) for name in self.__match_args__ if name != "span"])
