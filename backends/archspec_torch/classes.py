"""Units of one structure become one class; what differs between them becomes its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from archspec_torch.code import Argument, Call, Code, Hole, call, code, kind, literal, replace
from archspec_torch.draft import Draft, write_draft
from archspec_torch.layout import Plan, plant
from archspec_torch.names import MODULE_NAMES, Names, identifier
from archspec_torch.units import Unit

LARGEST_FACTOR = 16
"""A constant up to so many times another is written as its multiple."""


@dataclass(frozen=True)
class Parameter:
    """A constructor argument, with its value in each draft."""

    name: str
    values: tuple[Any, ...]


@dataclass(eq=False)
class ClassDef:
    """One class (or function) of the generated code."""

    drafts: list[Draft]
    token: str  # stands for the name until all names are known
    parameters: list[Parameter] = field(default_factory=list)
    filled: list[Code | None] = field(default_factory=list)  # per hole; None: the constant
    name: str = ""

    @property
    def first(self) -> Draft:
        """The draft that gives the structure."""
        return self.drafts[0]

    @property
    def is_function(self) -> bool:
        """Whether it is a plain function."""
        return self.first.layout.is_function


def build_classes(known: Plan) -> list[ClassDef]:
    """All classes, callees first. Their names are still tokens."""
    found: list[ClassDef] = []
    made: dict[int, tuple[ClassDef, int]] = {}  # by id of unit: class and number of its draft

    def construct(unit: Unit) -> Code:
        owner, number = made[id(unit)]
        arguments = [
            Argument((Hole(parameter.values[number], parameter.name),), parameter.name)
            for parameter in owner.parameters
        ]
        return call(owner.token, *arguments)

    for units in _by_height(known.units):
        groups: dict[str, list[Draft]] = {}
        for unit in units:
            plant(unit, known)
            draft = write_draft(known.of(unit), known, construct)
            groups.setdefault(draft.skeleton(), []).append(draft)
        for drafts in groups.values():
            defined = ClassDef(drafts, f"\0{len(found)}\0")
            _parametrise(defined)
            found.append(defined)
            for number, draft in enumerate(drafts):
                made[id(draft.unit)] = (defined, number)
    return found


def _by_height(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units in layers: each calls only units of layers before."""
    heights: dict[int, int] = {}
    layers: list[list[Unit]] = []
    for unit in units:
        height = max((heights[id(callee)] + 1 for callee in unit.callees.values()), default=0)
        heights[id(unit)] = height
        while len(layers) <= height:
            layers.append([])
        layers[height].append(unit)
    yield from layers


# ---------------------------------------------------------------------- arguments


def _parametrise(defined: ClassDef) -> None:
    """Decide for each hole: a constant, an argument, or a multiple of one."""
    rows = [draft.holes() for draft in defined.drafts]
    columns = list(zip(*rows, strict=True))
    given = _arguments(defined)
    taken = Names((*_reserved(defined), *given))
    parameters: dict[str, Parameter] = {}  # by the text of the values

    def argument(values: tuple[Any, ...], hint: str) -> str:
        text = repr(values)
        if text not in parameters:
            name = next((n for n, known in given.items() if repr(known) == text), "")
            name = name or taken.fresh(identifier(hint, "value"))
            parameters[text] = Parameter(name, values)
        return parameters[text].name

    for holes_ in columns:
        values = tuple(hole.value for hole in holes_)
        if all(repr(value) == repr(values[0]) for value in values):
            defined.filled.append(None)
            continue
        factor, base = _multiple(values, [*given.values()])
        if base is None:
            defined.filled.append(code(_marked(argument(values, holes_[0].hint))))
        else:
            defined.filled.append(code(f"{factor} * ", _marked(argument(base, ""))))
    _fold_multiples(defined, parameters)
    defined.parameters = [p for p in parameters.values() if _used(defined, p.name)]


def _marked(name: str) -> str:
    """An argument's name, to become `self.name` outside `__init__`."""
    return f"\1{name}\1"


def _reserved(defined: ClassDef) -> set[str]:
    """Names that an argument cannot have: those of children, of `nn.Module`, of the forward."""
    children = {name for draft in defined.drafts for name in draft.layout.tree.children}
    return children | MODULE_NAMES | {"x", "like"}


def _arguments(defined: ClassDef) -> dict[str, tuple[Any, ...]]:
    """Parameters of the definition whose values are constants, over all drafts."""
    graphs = [draft.unit.either for draft in defined.drafts]
    names = [name for name in graphs[0].arguments if all(name in g.arguments for g in graphs)]
    found = {}
    for name in names:
        values = tuple(graph.arguments[name] for graph in graphs)
        safe = identifier(name, "value")
        simple = all(isinstance(value, int | float | tuple) for value in values)
        if simple and safe == name and Names(_reserved(defined)).free(name):
            found[name] = values
    return found


def _multiple(
    values: tuple[Any, ...], bases: list[tuple[Any, ...]]
) -> tuple[int, tuple[Any, ...] | None]:
    """The base of which `values` is a small multiple, unless it is a base itself."""
    if any(repr(base) == repr(values) for base in bases):
        return 1, None
    for base in bases:
        factor = _factor(values, base)
        if factor is not None:
            return factor, base
    return 1, None


def _factor(values: tuple[Any, ...], base: tuple[Any, ...]) -> int | None:
    whole = all(type(value) is int for value in (*values, *base))
    if not whole or not base[0] or values[0] % base[0]:
        return None
    factor = int(values[0]) // int(base[0])
    fits = all(value == factor * one for value, one in zip(values, base, strict=True))
    return factor if fits and 1 < factor <= LARGEST_FACTOR else None


def _fold_multiples(defined: ClassDef, parameters: dict[str, Parameter]) -> None:
    """Drop arguments that are multiples of other arguments."""
    for parameter in list(parameters.values()):
        others = [p for p in parameters.values() if p is not parameter]
        for other in others:
            factor = _factor(parameter.values, other.values)
            if factor is None or not _used(defined, other.name):
                continue
            old, new = _marked(parameter.name), f"{factor} * {_marked(other.name)}"
            defined.filled = [
                item if item is None else tuple(_swap(piece, old, new) for piece in item)
                for item in defined.filled
            ]
            break


def _swap(piece: Any, old: str, new: str) -> Any:
    return piece.replace(old, new) if isinstance(piece, str) else piece


def _used(defined: ClassDef, name: str) -> bool:
    mark = _marked(name)
    return any(
        isinstance(piece, str) and mark in piece for item in defined.filled for piece in item or ()
    )


# ---------------------------------------------------------------------- filling in


def fill(source: Code, filled: Iterator[Code | None], names: dict[str, str], own: str) -> Code:
    """Code with its holes filled; arguments are read as `own + name`."""

    def change(hole: Hole) -> Code:
        item = next(filled)
        if item is None:
            return code(hole)
        return tuple(_owned(piece, own) for piece in item)

    return _renamed(replace(source, change), names)


def _owned(piece: Any, own: str) -> Any:
    if not isinstance(piece, str):
        return piece
    parts = piece.split("\1")
    return "".join(f"{own}{part}" if number % 2 else part for number, part in enumerate(parts))


def _renamed(source: Code, names: dict[str, str]) -> Code:
    """Tokens of classes replaced by their names."""
    pieces: list[Any] = []
    for piece in source:
        if isinstance(piece, Call):
            arguments = tuple(
                Argument(_renamed(item.code, names), item.keyword, item.default)
                for item in piece.arguments
            )
            function = names.get(piece.function, piece.function)
            pieces.append(Call(function, arguments, piece.brackets, piece.comma))
        else:
            pieces.append(piece)
    return tuple(pieces)


__all__ = ["ClassDef", "Parameter", "build_classes", "fill", "kind", "literal"]
