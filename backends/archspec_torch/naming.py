"""Names of classes and functions."""

from __future__ import annotations

from collections.abc import Sequence

from archspec_torch.classes import ClassDef
from archspec_torch.names import Names, class_name, identifier

RESERVED = ("Scope", "module")
"""Further names that classes and functions cannot have beside those that no variable can."""


def name_classes(
    classes: Sequence[ClassDef], helpers: Sequence[str], records: Sequence[str]
) -> None:
    """Give each class a name; those of one definition are told apart by what differs."""
    arguments = {parameter.name for item in classes for parameter in item.parameters}
    local = set[str]().union(*(item.variables for item in classes))
    names = Names((*RESERVED, *helpers, *arguments, *local, *records))
    by_definition: dict[str, list[ClassDef]] = {}
    for item in reversed(classes):  # the network has the first choice
        by_definition.setdefault(item.first.unit.either.name, []).append(item)
    for definition, found in by_definition.items():
        found.reverse()
        suffixes = _suffixes(found) if len(found) > 1 else [""]
        for item, suffix in zip(found, suffixes, strict=True):
            if item.is_function:
                item.name = names.fresh(identifier(definition, "value").lower() + suffix.lower())
            else:
                item.name = _fresh(names, class_name(definition) + suffix)


def _fresh(names: Names, wanted: str) -> str:
    number, name = 2, wanted
    while not names.free(name):
        name, number = f"{wanted}{number}", number + 1
    return names.fresh(name)


def _suffixes(found: Sequence[ClassDef]) -> list[str]:
    """By what they own, else by an integer argument that tells them apart, else by number."""
    owned = [[key.key.split(".")[0] for key in item.first.unit.owned] for item in found]
    common = set(owned[0]).intersection(*owned)
    extras = [next((key for key in keys if key not in common), "") for keys in owned]
    suffixes = [class_name(extra) if extra else "" for extra in extras]
    if len(set(suffixes)) == len(suffixes) and "" in suffixes:
        return suffixes
    for name in found[0].first.unit.either.arguments:
        values = [_argument(item, name) for item in found]
        if None not in values and len(set(values)) == len(values):
            return [str(value) for value in values]
    return [str(number) if number > 1 else "" for number in range(1, len(found) + 1)]


def _argument(item: ClassDef, name: str) -> int | None:
    """The integer that all of a class have for a parameter of the definition."""
    values = {repr(draft.unit.either.arguments.get(name)) for draft in item.drafts}
    value = item.first.unit.either.arguments.get(name)
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if len(values) == 1 and whole else None
