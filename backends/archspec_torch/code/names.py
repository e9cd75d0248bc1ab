"""Names in generated code: identifiers from texts of a spec, and paths of modules."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Container, Iterable

from archspec.graph.codegen.identifiers import Names
from archspec_torch.code.text import literal

TAKEN = frozenset(
    """
    self torch nn F Tensor Optional List Tuple NamedTuple OrderedDict math int float bool str
    len range list tuple dict sum min max abs any all enumerate zip print super type round
    getattr isinstance None True False need Any Dict Union Ellipsis NoneType
    annotate unchecked_cast uninitialized hasattr __debug__ ValueError
    """.split()  # noqa: SIM905  (a table)
)
"""Names that a local variable or argument may not have."""

KEYWORDS = frozenset(keyword.kwlist)

SEQUENTIAL_NAMES = frozenset(
    """
    append extend insert pop
    """.split()  # noqa: SIM905  (a table)
)
"""Further names that `nn.Sequential` uses."""

MAPPING_NAMES = frozenset(
    """
    clear items keys pop update values
    """.split()  # noqa: SIM905  (a table)
)
"""Further names that `nn.ModuleDict` uses."""


TUPLE_NAMES = frozenset({"count", "index", "Ellipsis", "NoneType"})
"""Names that a field of a named tuple cannot have, in Python or in TorchScript."""


SHORTEST_NAME = 3
"""Shorter names of containers say nothing about one of their children."""


def is_identifier(text: str) -> bool:
    """Whether it can follow a dot in generated code (ASCII, no name mangling)."""
    return (
        text.isascii()
        and text.isidentifier()
        and text not in KEYWORDS
        and not text.startswith("__")
    )


def identifier(text: str, fallback: str) -> str:
    """The most similar identifier in snake case; `fallback` if nothing remains."""
    found = re.sub(r"[^0-9A-Za-z_]+", "_", text).strip("_")
    if not found or found[0].isdigit():
        found = f"{fallback}_{found}" if found else fallback
    return f"{found}_" if found in KEYWORDS else found


def field_name(text: str, taken: Container[str]) -> str:
    """The name of an output in a named tuple: the text itself, unless it is invalid there."""
    found = re.sub(r"[^0-9A-Za-z_]+", "_", text).lstrip("_")
    if not found or found[0].isdigit():
        found = f"output_{found}" if found else "output"
    if found in KEYWORDS or found in TUPLE_NAMES:
        found += "_"
    number, name = 2, found
    while name in taken:
        name, number = f"{found}_{number}", number + 1
    return name


def attribute(owner: str, name: str) -> str:
    """`owner.name`, or a call of getattr if `name` is not an identifier."""
    if is_identifier(name):
        return f"{owner}.{name}"
    return f"getattr({owner}, {literal(name)})"


def python_names(taken: Iterable[str] = ()) -> Names:
    """Unique names in one function or module of Python."""
    return Names(taken, TAKEN, KEYWORDS)


def one_of(values: str) -> str:
    """The variable for one of several values: `y` for `ys`; "" if their name is not a plural."""
    found = values.removesuffix("s")
    is_plural = found != values and values[-2:] not in ("ss", "us", "is", "as")
    return found if is_plural and is_identifier(found) and not hasattr(builtins, found) else ""


def singular(container: str) -> str:
    """The variable of a loop over a container: `block` for `block` and for `blocks`."""
    if len(container) < SHORTEST_NAME or not is_identifier(container):
        return "layer"
    plural = container.endswith("s") and container[-2:] not in ("ss", "us", "is", "as")
    return container[:-1] if plural else container
