"""Units with one structure become one class, with their differences as its arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import Any

from archspec.graph.codegen.recursion import definition_of
from archspec.graph.expression import (
    Expression,
    Number,
    evaluated,
    has_names,
    names_in,
    substituted,
)
from archspec.graph.units import Unit
from archspec_torch.classes.constructor.arguments import choose_arguments
from archspec_torch.classes.constructor.computed_sizes import computed_sizes
from archspec_torch.classes.constructor.fixed_names import (
    fixed_below,
    fixed_names,
    names_of_counts,
    unexplained_names,
)
from archspec_torch.classes.constructor.given_names import given_names
from archspec_torch.classes.constructor.named_numbers import named_numbers
from archspec_torch.classes.constructor.named_sizes import (
    inputs_with,
    named_sizes,
    without_equal_ones,
)
from archspec_torch.classes.constructor.parameters import Filling, Parameter
from archspec_torch.classes.constructor.requirements import Requirement, required
from archspec_torch.classes.draft import Draft, Drafts, write_draft
from archspec_torch.classes.families import by_height, calls_itself, families
from archspec_torch.classes.optional_inputs import grouped, with_optional_inputs
from archspec_torch.classes.recursion import MOST_ROUNDS, OwnCalls, is_foreign
from archspec_torch.classes.variants import unified
from archspec_torch.code.names import identifier, python_names
from archspec_torch.code.pieces import (
    NO_DEFAULT,
    Argument,
    Call,
    Code,
    Hole,
    call,
    code,
    kind,
    present,
    replace,
    with_calls,
)
from archspec_torch.planning.layout import Plan, plan_modules
from archspec_torch.reserved import MODULE_NAMES


@dataclass(eq=False)
class ClassDef:
    """One class (or function) of the generated code."""

    drafts: list[Draft]
    token: str  # replaced by the name when all names are known
    parameters: list[Parameter] = field(default_factory=list)
    filled: list[Filling | None] = field(default_factory=list)  # per hole; None: the constant
    numbers: Mapping[str, Expression] = field(default_factory=dict)  # bound to names by the spec
    required: tuple[Requirement, ...] = ()  # conditions on the arguments
    fixed: frozenset[str] = (
        frozenset()
    )  # names of the block that are constants, or must be in callers
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
    known: Plan,
    others: Sequence[Plan] = (),
    numbers: Collection[str] = (),
    drafts: Drafts | None = None,
) -> list[ClassDef]:
    """All classes, callees first. Their names are still tokens.

    `others` are plans of the same network with other values of the parameters in `numbers`: what
    differs between them becomes an argument, and those of the class of the network are `numbers`.
    `drafts` has those of an earlier call with some of these plans.
    """
    writer = _Writer(known, others, numbers, drafts or Drafts())
    for family in families([*writer.plans]):
        writer.write(family)
    return writer.classes


class _Writer:
    """Writes the classes of one family after another."""

    def __init__(
        self, known: Plan, others: Sequence[Plan], numbers: Collection[str], drafts: Drafts
    ) -> None:
        self.known, self.numbers, self.drafts = known, numbers, drafts
        self.plans: dict[Unit, Plan] = {}  # that of the network, for a unit that others share
        for plan in (known, *others):
            for unit in plan.units:
                self.plans.setdefault(unit, plan)
        self.given = given_names(self.plans, {plan.units[-1] for plan in (known, *others)})
        self.applied = {unit for plan in (known, *others) for unit in _applied(plan)}
        self.classes: list[ClassDef] = []
        self.made: dict[Unit, tuple[ClassDef, int]] = {}  # class, and number of the draft in it

    def write(self, family: Sequence[Unit]) -> None:
        """The classes of the specialisations of one block, or of those of them."""
        if not calls_itself(family):
            self._define(self._unified(family, self._construct))
            return
        own = OwnCalls(family)

        def construct(unit: Unit) -> Code:
            return own.call(unit) if unit.owner in own.number else self._construct(unit)

        groups = self._unified(family, construct)
        defined = self._recursive(groups, own)
        if defined is not None:
            self._add(defined)
            return
        for layer in by_height(family):
            self._define(self._unified(layer, self._construct))

    def _construct(self, unit: Unit) -> Code:
        """Code that makes an instance of a class, or calls a function."""
        owner, number = self.made[unit.owner]
        arguments = [
            Argument((_passed(one, number),), one.name, one.default) for one in owner.parameters
        ]
        return call(owner.token, *arguments)

    def _unified(
        self, family: Sequence[Unit], construct: Callable[[Unit], Code]
    ) -> list[list[Draft]]:
        """The drafts of a family, those of one class together."""
        drafts = []
        for unit in family:
            plan_modules(unit, self.plans[unit])
            drafts.append(self.drafts.draft(unit, self.plans[unit], construct))

        def rewrite(draft: Draft) -> Draft:
            return write_draft(draft.layout, self.plans[draft.unit], construct)

        def replan(draft: Draft) -> None:
            plan_modules(draft.unit, self.plans[draft.unit])

        if calls_itself(family) or not self.applied.isdisjoint(family):
            return unified(grouped(drafts), rewrite)
        return with_optional_inputs(drafts, rewrite, replan)

    def _define(self, groups: Sequence[list[Draft]]) -> None:
        defined = [self._class(drafts, number) for number, drafts in enumerate(groups)]
        for item in defined:
            self._parametrise(item)
        self._add(defined)

    def _parametrise(self, defined: ClassDef) -> None:
        given = self.given.get(definition_of(defined.first.unit), ())
        _parametrise(defined, self.numbers, self._fixed_below(defined), given)

    def _fixed_below(self, defined: ClassDef) -> set[str]:
        """The names of a block on which constants in the classes that it calls depend."""
        units = [draft.unit for draft in defined.drafts]
        return fixed_below(units, {unit: made.fixed for unit, (made, _) in self.made.items()})

    def _class(self, drafts: list[Draft], number: int) -> ClassDef:
        """A class; the drafts of the network itself come first."""
        drafts = sorted(drafts, key=lambda draft: self.plans[draft.unit] is not self.known)
        own = sum(self.plans[draft.unit] is self.known for draft in drafts)
        return ClassDef(drafts, f"\0{len(self.classes) + number}\0", own=own)

    def _add(self, defined: Sequence[ClassDef]) -> None:
        for item in defined:
            item.fixed |= names_of_counts(item.drafts)
            self.classes.append(item)
            for number, draft in enumerate(item.drafts):
                self.made[draft.unit] = (item, number)

    def _recursive(self, groups: Sequence[list[Draft]], own: OwnCalls) -> list[ClassDef] | None:
        """The classes of drafts that call each other; None if their arguments have no end."""
        made = [self._class(drafts, number) for number, drafts in enumerate(groups)]
        groups = [item.drafts for item in made]
        place = {own.number[one.unit]: at for at, drafts in enumerate(groups) for one in drafts}
        for drafts in groups:  # each call has to be one of the same class in all of them
            if len({tuple(place[one] for one in own.callees(draft)) for draft in drafts}) > 1:
                return None
        callees = {
            place[one] for drafts in groups for draft in drafts for one in own.callees(draft)
        }
        called = [made[number] for number in callees]
        row = {own.number[one.unit]: at for drafts in groups for at, one in enumerate(drafts)}
        tokens = [made[place[number]].token for number in range(len(place))]
        for _ in range(MOST_ROUNDS):
            before = [item.parameters for item in made]
            parameters = [
                [(one, one.values[row[number]]) for one in before[place[number]]]
                for number in range(len(place))
            ]
            for item, drafts in zip(made, groups, strict=True):
                item.drafts = [own.resolved(draft, tokens, parameters) for draft in drafts]
                self._parametrise(item)
            if not all(one.source or is_foreign(one) for item in made for one in item.parameters):
                return None
            found = [one.source for item in called for one in item.parameters if one.source]
            if not all(source in own.names for source in found):
                return None  # their calls could not give it
            if [_named(item.parameters) for item in made] == [_named(one) for one in before]:
                return made
        return None


def _applied(plan: Plan) -> Iterator[Unit]:
    """The layers that ops apply, whose inputs ops decide."""
    for unit in plan.units:
        for (_, region), callee in unit.callees.items():
            if region is not None:
                yield callee.owner


def _passed(parameter: Parameter, number: int) -> Hole:
    value, name = parameter.values[number], parameter.name
    return Hole(value, name, outside=parameter.outside, derived=parameter.read)


def _named(parameters: Sequence[Parameter]) -> list[str]:
    return [parameter.name for parameter in parameters]


# ---------------------------------------------------------------------- arguments


def _parametrise(
    defined: ClassDef, numbers: Collection[str], below: Collection[str], passed: Collection[str]
) -> None:
    """Decide for each hole: a constant, an argument, or a multiple of one.

    `passed` are the parameters that callers give over arguments of theirs.
    """
    rows = [draft.holes() for draft in defined.drafts]
    given, reserved = _arguments(defined), _reserved(defined)
    is_network = defined.first.layout.root
    unexplained: set[str] = set()
    inner: dict[str, Expression] = {}
    if is_network:
        sizes, defaults = {}, _settled(defined, given, numbers)
        given = {name: given[name] for name in numbers if name in given}
    else:
        sizes, defaults = named_sizes(defined.drafts), _derived_arguments(defined, given)
        defaults = {name: one for name, one in defaults.items() if name not in passed}
        given = {name: values for name, values in given.items() if name not in defaults}
        inner = computed_sizes(defined.drafts, sizes)
        sizes, same = without_equal_ones({n: one for n, one in sizes.items() if n not in inner})
        same |= {name: substituted(one, same) for name, one in inner.items()}
        unexplained = unexplained_names(defined.drafts, inner)
        rows = [[_over(hole, same) for hole in row] for row in rows]
        known = {**sizes, **given}
        fixed, varying = fixed_names(defined.drafts, rows, known, below, unexplained, same)
        unexplained |= varying
        defined.fixed = frozenset(fixed)
        sizes = {name: values for name, values in sizes.items() if name not in fixed}
        given = {name: values for name, values in given.items() if name not in fixed}
        defaults = {name: substituted(one, fixed) for name, one in defaults.items()} | fixed
    inputs = inputs_with(defined.drafts, sizes)
    chosen = choose_arguments(rows, given, reserved, sizes, defaults, inputs, is_network)
    defined.filled = chosen[0]
    definitions = {**inner, **defined.first.unit.either.definitions}
    defined.numbers = named_numbers(definitions, len(rows), {**sizes, **given}, defaults)
    defined.parameters = sorted(
        (_with_default(one, defined) for one in chosen[1]),
        key=lambda one: one.default is not NO_DEFAULT,
    )
    if not defined.is_function:
        defined.required = required(defined.drafts, defined.parameters, unexplained)


def _over(hole: Hole, known: Mapping[str, Expression]) -> Hole:
    """A hole with these names in its expression replaced."""
    if hole.origin is None or known.keys().isdisjoint(names_in(hole.origin)):
        return hole
    return replaced(hole, origin=substituted(hole.origin, known))


def _with_default(parameter: Parameter, defined: ClassDef) -> Parameter:
    """With the value of the network, or the default of a block that is a number of its type."""
    if defined.first.layout.root:
        return replaced(parameter, default=parameter.values[0])
    default = defined.first.unit.either.defaults.get(parameter.name)
    given = (draft.unit.either.arguments.get(parameter.name) for draft in defined.drafts)
    if not isinstance(default, Number) or list(given) != list(parameter.values):
        return parameter
    if kind(default.value) not in map(kind, parameter.values):
        return parameter
    return replaced(parameter, default=default.value)


def _reserved(defined: ClassDef) -> set[str]:
    """Names that an argument cannot have: those of children, of `nn.Module`, of `forward`."""
    children = {name for draft in defined.drafts for name in draft.layout.tree.children}
    for draft in defined.drafts:
        children |= draft.layout.extended.get("", frozenset())
    return children | defined.variables | MODULE_NAMES | {"i", "x", "like"}


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


def _derived_arguments(
    defined: ClassDef, given: Mapping[str, tuple[Any, ...]]
) -> dict[str, Expression]:
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
    derived = {
        name: one for name, one in _derived_arguments(defined, given).items() if has_names(one)
    }
    fixed: dict[str, Expression] = {
        name: Number(values[0])
        for name, values in given.items()
        if name not in derived and all(repr(value) == repr(values[0]) for value in values)
    }
    found = fixed | {name: substituted(one, fixed) for name, one in derived.items()}
    return {name: one for name, one in found.items() if name not in numbers}


# ---------------------------------------------------------------------- filling in


def fill(source: Code, filled: Iterator[Filling | None], names: dict[str, str], own: str) -> Code:
    """Code with its holes filled; arguments are read as `own + name`."""

    def change(hole: Hole) -> Code:
        item = next(filled)
        return code(replaced(hole, value=present(hole.value))) if item is None else item.code(own)

    def named(made: Call) -> Call:
        return replaced(made, function=names.get(made.function, made.function))

    return with_calls(replace(source, change), named)
