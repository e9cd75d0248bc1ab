"""What all nodes of the syntax tree have in common."""

from __future__ import annotations

from typing import ClassVar


class Node:
    """Equality, hash and text by fields.

    One definition for all classes: writing these methods anew for each class, as `dataclass` does,
    takes longer than reading a file.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    @property
    def parts(self) -> tuple[object, ...]:
        """Its fields without its span: nodes, tuples of them, and plain data."""
        return tuple([getattr(self, name) for name in self.__match_args__ if name != "span"])

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({fields})"
