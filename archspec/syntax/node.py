"""What all nodes of the syntax tree have in common."""

from __future__ import annotations

from typing import ClassVar


class Node:
    """A place and what stands there."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    @property
    def parts(self) -> tuple[object, ...]:
        """Its fields without its span: nodes, tuples of them, and plain data."""
        return tuple([getattr(self, name) for name in self.__match_args__ if name != "span"])
