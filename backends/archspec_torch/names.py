"""Names in generated code: identifiers from texts of a spec, and paths of modules."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Container, Iterable

from archspec_torch.code import literal

TAKEN = frozenset(
    """
    self torch nn F Tensor Optional List Tuple NamedTuple OrderedDict math int float bool str
    len range list tuple dict sum min max abs any all enumerate zip print super type round
    getattr isinstance None True False i need Any Dict Union Ellipsis NoneType
    annotate unchecked_cast uninitialized hasattr __debug__
    """.split()  # noqa: SIM905  (a table)
)
"""Names that a local variable or argument may not have."""

SEQUENTIAL_NAMES = frozenset(
    """
    append extend insert pop
    """.split()  # noqa: SIM905  (a table)
)
"""Further names that `nn.Sequential` keeps for itself."""

MAPPING_NAMES = frozenset(
    """
    clear items keys pop update values
    """.split()  # noqa: SIM905  (a table)
)
"""Further names that `nn.ModuleDict` keeps for itself."""


TUPLE_NAMES = frozenset({"count", "index", "Ellipsis", "NoneType"})
"""Names that a field of a named tuple cannot have, in Python or in TorchScript."""


_FLAG = re.compile(r"(live|wanted)(_[0-9]+)?|kept_(branch|[0-9]+)")


def is_flag(name: str) -> bool:
    """Whether a variable of the name says what is computed: see `demand`."""
    return _FLAG.fullmatch(name) is not None


def is_identifier(text: str) -> bool:
    """Whether it can stand after a dot in generated code (ASCII, no name mangling)."""
    return (
        text.isascii()
        and text.isidentifier()
        and not keyword.iskeyword(text)
        and not text.startswith("__")
    )


def identifier(text: str, fallback: str) -> str:
    """The nearest identifier in snake case as written; `fallback` when nothing is left."""
    found = re.sub(r"[^0-9A-Za-z_]+", "_", text).strip("_")
    if not found or found[0].isdigit():
        found = f"{fallback}_{found}" if found else fallback
    return f"{found}_" if keyword.iskeyword(found) else found


def field_name(text: str, taken: Container[str]) -> str:
    """The name of an output in a named tuple: the text itself, unless that cannot be one."""
    found = re.sub(r"[^0-9A-Za-z_]+", "_", text).lstrip("_")
    if not found or found[0].isdigit():
        found = f"output_{found}" if found else "output"
    if keyword.iskeyword(found) or found in TUPLE_NAMES:
        found += "_"
    number, name = 2, found
    while name in taken:
        name, number = f"{found}_{number}", number + 1
    return name


def class_name(text: str) -> str:
    """A definition's name in camel case: `conv_bn_relu` becomes `ConvBnRelu`."""
    parts = [part for part in re.split(r"[^0-9A-Za-z]+", text) if part]
    name = "".join(part[0].upper() + part[1:] for part in parts) or "Block"
    return f"Block{name}" if name[0].isdigit() else name


def attribute(owner: str, name: str) -> str:
    """`owner.name`, or the getattr form where `name` is no identifier."""
    if is_identifier(name):
        return f"{owner}.{name}"
    return f"getattr({owner}, {literal(name)})"


MOST_GAPS = 100
"""Places of a numbered sequence that may be empty."""


def is_numbered(names: Collection[str]) -> bool:
    """Whether they are "0", "1", "2" … in this order, with a few gaps at most."""
    last = -1
    for name in names:
        if not (name.isascii() and name.isdigit()) or str(int(name)) != name or int(name) <= last:
            return False
        last = int(name)
    return last < len(names) + MOST_GAPS


class Names:
    """Unique names in one function or module."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*TAKEN, *taken}
        self._next: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        """`wanted`, with a number where it is taken; it is taken from now on."""
        if wanted in TAKEN:
            wanted = f"{wanted}_"  # where it is read better than a number
        name, number = wanted, self._next.get(wanted, 2)
        while name in self._taken or keyword.iskeyword(name):
            name, number = f"{wanted}_{number}", number + 1
        self._next[wanted] = number
        self._taken.add(name)
        return name

    @property
    def taken(self) -> set[str]:
        """All names that somebody has."""
        return set(self._taken)

    def free(self, name: str) -> bool:
        """Whether nobody has it."""
        return name not in self._taken and not keyword.iskeyword(name)
