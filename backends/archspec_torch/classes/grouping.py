"""Units with one structure become one class, with their differences as its arguments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from archspec.graph.expression import Expression, Number, evaluated, says_more, substituted
from archspec.graph.units import Unit
from archspec_torch.classes.arguments import Filling, Parameter, choose_arguments
from archspec_torch.classes.draft import Draft, write_draft
from archspec_torch.code.names import identifier, python_names
from archspec_torch.code.pieces import Argument, Call, Code, Hole, call, code, replace
from archspec_torch.planning.layout import Plan, plant
from archspec_torch.planning.size_origins import known_numbers
from archspec_torch.reserved import MODULE_NAMES


@dataclass(eq=False)
class ClassDef:
    """One class (or function) of the generated code."""

    drafts: list[Draft]
    token: str  # replaced by the name when all names are known
    parameters: list[Parameter] = field(default_factory=list)
    filled: list[Filling | None] = field(default_factory=list)  # per hole; None: the constant
    name: str = ""
    own: int = 0  # of `drafts` that are the network's; the others are of other members of a family

    @property
    def first(self) -> Draft:
        """The draft whose structure is used."""
        return self.drafts[0]

    @property
    def variables(self) -> set[str]:
        """Names of the local variables of its `__init__`."""
        return {name for draft in self.drafts for name in draft.variables}

    @property
    def is_function(self) -> bool:
        """Whether it is a plain function."""
        return self.first.layout.is_function


def build_classes(
    known: Plan, others: Sequence[Plan] = (), numbers: Collection[str] = ()
) -> list[ClassDef]:
    """All classes, callees first. Their names are still tokens.

    `others` are plans of the same network with other values of the parameters in `numbers`: what
    differs between them becomes an argument, and those of the class of the network are `numbers`.
    """
    found: list[ClassDef] = []
    made: dict[Unit, tuple[ClassDef, int]] = {}  # class, and index of the draft in it
    plans = {unit: plan for plan in (known, *others) for unit in plan.units}

    def construct(unit: Unit) -> Code:
        owner, number = made[unit.owner]
        arguments = [
            Argument((_passed(parameter, number),), parameter.name)
            for parameter in owner.parameters
        ]
        return call(owner.token, *arguments)

    for units in _by_height([*plans]):
        groups: dict[str, list[Draft]] = {}
        for unit in units:
            plan = plans[unit]
            plant(unit, plan)
            draft = write_draft(plan.of(unit), plan, construct)
            groups.setdefault(draft.skeleton(), []).append(draft)
        for drafts in groups.values():
            own = sum(plans[draft.unit] is known for draft in drafts)
            defined = ClassDef(drafts, f"\0{len(found)}\0", own=own)
            _parametrise(defined, numbers)
            found.append(defined)
            for number, draft in enumerate(drafts):
                made[draft.unit] = (defined, number)
    return found


def _passed(parameter: Parameter, number: int) -> Hole:
    return Hole(parameter.values[number], parameter.name, outside=parameter.outside)


def _by_height(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units in layers: each calls only units of earlier layers."""
    place = {unit: number for number, unit in enumerate(units)}
    calls = {unit: {callee.owner for callee in unit.callees.values()} for unit in units}
    order = TopologicalSorter(calls)
    order.prepare()
    while ready := order.get_ready():
        yield sorted(ready, key=place.__getitem__)
        order.done(*ready)


# ---------------------------------------------------------------------- arguments


def _parametrise(defined: ClassDef, numbers: Collection[str]) -> None:
    """Decide for each hole: a constant, an argument, or a multiple of one."""
    rows = [draft.holes() for draft in defined.drafts]
    given, reserved = _arguments(defined), _reserved(defined)
    if defined.first.layout.root:
        sizes, defaults = {}, _settled(defined, given, numbers)
        given = {name: given[name] for name in numbers if name in given}
    else:
        sizes, defaults = _sizes(defined), _unsaid(defined, given)
        given = {name: values for name, values in given.items() if name not in defaults}
    is_network = defined.first.layout.root
    chosen = choose_arguments(rows, given, reserved, sizes, defaults, is_network)
    defined.filled, defined.parameters = chosen


def _reserved(defined: ClassDef) -> set[str]:
    """Names that an argument cannot have: those of children, of `nn.Module`, of `forward`."""
    children = {name for draft in defined.drafts for name in draft.layout.tree.children}
    for draft in defined.drafts:
        children |= draft.layout.extended.get("", frozenset())
    return children | defined.variables | MODULE_NAMES | {"x", "like"}


def _arguments(defined: ClassDef) -> dict[str, tuple[Any, ...]]:
    """Parameters of the definition whose values are constants, over all drafts."""
    graphs = [draft.unit.either for draft in defined.drafts]
    names = [name for name in graphs[0].arguments if all(name in g.arguments for g in graphs)]
    found = {}
    for name in names:
        values = tuple(graph.arguments[name] for graph in graphs)
        safe = identifier(name, "value")
        simple = all(isinstance(value, int | float | tuple) for value in values)
        if simple and safe == name and python_names(_reserved(defined)).free(name):
            found[name] = values
    return found


def _unsaid(defined: ClassDef, given: Mapping[str, tuple[Any, ...]]) -> dict[str, Expression]:
    """Arguments that have their default in each draft, with the expression of the default."""
    found: dict[str, Expression] = {}
    for name, default in defined.first.unit.either.defaults.items():
        values = given.get(name)
        if values is None:
            continue
        rows = ({key: column[at] for key, column in given.items()} for at in range(len(values)))
        expected = [evaluated(default, row) for row in rows]
        if all(
            type(one) is type(two) and one == two for one, two in zip(values, expected, strict=True)
        ):
            found[name] = substituted(default, found)
    return found


def _settled(
    defined: ClassDef, given: Mapping[str, tuple[Any, ...]], numbers: Collection[str]
) -> dict[str, Expression]:
    """Values of the parameters of the network that are not arguments of its class."""
    derived = {name: one for name, one in _unsaid(defined, given).items() if says_more(one)}
    fixed: dict[str, Expression] = {
        name: Number(values[0])
        for name, values in given.items()
        if name not in derived and all(repr(value) == repr(values[0]) for value in values)
    }
    found = fixed | {name: substituted(one, fixed) for name, one in derived.items()}
    return {name: one for name, one in found.items() if name not in numbers}


def _sizes(defined: ClassDef) -> dict[str, tuple[Any, ...]]:
    """Further names for numbers in the body, over all drafts."""
    known = [known_numbers(draft.unit.either) for draft in defined.drafts]
    arguments = defined.first.unit.either.arguments
    names = [name for name in known[0] if name not in arguments]
    found: dict[str, tuple[Any, ...]] = {}
    for name in sorted(names, key=lambda name: not name.isidentifier()):
        values = tuple(one.get(name) for one in known)
        simple = all(isinstance(value, int | float) for value in values)
        sizes = (found[one] for one in found if one[0].isupper())
        if simple and (name.isidentifier() or values not in sizes):
            found[name] = values
    return found


# ---------------------------------------------------------------------- filling in


def fill(source: Code, filled: Iterator[Filling | None], names: dict[str, str], own: str) -> Code:
    """Code with its holes filled; arguments are read as `own + name`."""

    def change(hole: Hole) -> Code:
        item = next(filled)
        return code(hole) if item is None else item.code(own)

    return _renamed(replace(source, change), names)


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
