"""Names in generated code, independent of the language."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Sequence

from archspec.graph.units import Unit

MOST_GAPS = 100
"""The number of gaps that a numbered sequence may have."""


class Names:
    """Unique names in one function or module.

    Of the reserved words, `keywords` get a number, and `reserved`, the names of other objects in
    the code, an underscore.
    """

    def __init__(
        self,
        taken: Iterable[str] = (),
        reserved: frozenset[str] = frozenset(),
        keywords: Container[str] = frozenset(),
    ) -> None:
        self._reserved, self._keywords = reserved, keywords
        self._taken = {*reserved, *taken}
        self._next: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        """`wanted`, with a number if it is already used; the result is then used."""
        if wanted in self._reserved:
            wanted = f"{wanted}_"  # an underscore is more readable than a number here
        name, number = wanted, self._next.get(wanted, 2)
        while not self.free(name):
            name, number = f"{wanted}_{number}", number + 1
        self._next[wanted] = number
        self._taken.add(name)
        return name

    def take(self, name: str) -> None:
        """Reserve a name unchanged."""
        self._taken.add(name)

    @property
    def taken(self) -> set[str]:
        """All names that are used."""
        return set(self._taken)

    def free(self, name: str) -> bool:
        """Whether a name is not used."""
        return name not in self._taken and name not in self._keywords


def camel_case(text: str, fallback: str = "Block") -> str:
    """The name of a definition as that of a class: `conv_bn_relu` becomes `ConvBnRelu`.

    Numbers remain separate: `squeezenet1_0` becomes `Squeezenet1_0`.
    """
    name = ""
    for part in re.findall(r"[0-9A-Za-z]+", text):
        apart = name[-1:].isdigit() and part[0].isdigit()
        name += ("_" if apart else "") + part[0].upper() + part[1:]
    name = name or fallback
    return f"{fallback}{name}" if name[0].isdigit() else name


def is_numbered(names: Collection[str]) -> bool:
    """Whether they are "0", "1", "2" … in this order, with at most a few gaps."""
    last = -1
    for name in names:
        if not (name.isascii() and name.isdigit()) or str(int(name)) != name or int(name) <= last:
            return False
        last = int(name)
    return last < len(names) + MOST_GAPS


def numbered(labels: Sequence[str]) -> tuple[str, int] | None:
    """Prefix and first number of `layer1`, `layer2`, ...; None for other names."""
    digits = len(labels[0]) - len(labels[0].rstrip("0123456789"))
    if not digits or not labels[0].isascii():
        return None
    prefix, first = labels[0][:-digits], int(labels[0][-digits:])
    expected = [f"{prefix}{first + number}" for number in range(len(labels))]
    return (prefix, first) if expected == list(labels) else None


def suffixes(
    groups: Sequence[Sequence[Unit]], spell: Callable[[str], str] = camel_case
) -> list[str]:
    """Suffixes that distinguish classes of one definition; `groups` has the units of each class.

    The suffix is from the names of its parts, otherwise from an integer argument of the definition,
    otherwise a number. A class without a suffix has "".
    """
    if len(groups) == 1:
        return [""]
    firsts = [group[0] for group in groups]
    owned = [[key.key.split(".")[0] for key in unit.owned] for unit in firsts]
    common = set(owned[0]).intersection(*owned)
    extras = [next((key for key in keys if key not in common), "") for keys in owned]
    found = [spell(extra) if extra else "" for extra in extras]
    if len(set(found)) == len(found) and "" in found:
        return found
    for name in firsts[0].either.arguments:
        values = [_integer(group, name) for group in groups]
        if None not in values and len(set(values)) == len(values):
            return [str(value) for value in values]
    return [str(number) if number > 1 else "" for number in range(1, len(groups) + 1)]


def _integer(group: Sequence[Unit], name: str) -> int | None:
    """The integer that all units of a class have for a parameter of the definition."""
    values = {repr(unit.either.arguments.get(name)) for unit in group}
    value = group[0].either.arguments.get(name)
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if len(values) == 1 and whole else None
