"""Names of classes and functions."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.graph.codegen.identifiers import Names, camel_case, suffixes
from archspec_torch.classes.grouping import ClassDef
from archspec_torch.code.names import identifier, python_names

RESERVED = ("Scope", "module")
"""Further names that classes and functions cannot have, in addition to those of variables."""


def name_classes(
    classes: Sequence[ClassDef], helpers: Sequence[str], records: Sequence[str], network: str
) -> None:
    """Give each class a name; suffixes distinguish classes of one definition.

    The last class is that of the whole network, and has the name of the preset.
    """
    arguments = {parameter.name for item in classes for parameter in item.parameters}
    local = set[str]().union(*(item.variables for item in classes))
    names = python_names((*RESERVED, *helpers, *arguments, *local, *records))
    classes[-1].name = _fresh(names, camel_case(network))  # the network chooses first
    by_definition: dict[str, list[ClassDef]] = {}
    for item in reversed(classes[:-1]):
        by_definition.setdefault(item.first.unit.either.name, []).append(item)
    for definition, found in by_definition.items():
        found.reverse()
        parts = suffixes([[draft.unit for draft in item.drafts[: item.own]] for item in found])
        for item, suffix in zip(found, parts, strict=True):
            if item.is_function:
                item.name = names.fresh(identifier(definition, "value").lower() + suffix.lower())
            else:
                item.name = _fresh(names, camel_case(definition) + suffix)


def _fresh(names: Names, wanted: str) -> str:
    number, name = 2, wanted
    while not names.free(name):
        name, number = f"{wanted}{number}", number + 1
    return names.fresh(name)
