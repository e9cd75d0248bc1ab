"""The constants of a class that become constructor arguments, and their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from archspec.graph.codegen.identifiers import Names
from archspec.graph.expression import (
    Expression,
    Name,
    Outside,
    evaluated,
    names_in,
)
from archspec_torch.classes.constructor.parameters import Filling, Parameter, Ratio, Values, Written
from archspec_torch.classes.constructor.ratios import (
    LARGEST_FACTOR,
    LARGEST_OWN_FACTOR,
    are_sizes,
    is_constant,
    whole_factor,
)
from archspec_torch.classes.constructor.spec_expressions import (
    counted,
    over_outside,
    written_numbers,
)
from archspec_torch.code.names import identifier, python_names
from archspec_torch.code.pieces import Absent, Hole
from archspec_torch.planning.origins import SIZES_OF_INPUTS

VAGUE = ("", "size", "value", "divisor", "position", "end", "table", "amount")
"""Unspecific hints; another hint for the same constant is preferred."""


def choose_arguments(
    rows: Sequence[Sequence[Hole]],
    given: Mapping[str, Values],
    reserved: set[str],
    sizes: Mapping[str, Values] = MappingProxyType({}),
    defaults: Mapping[str, Expression] = MappingProxyType({}),
    inputs: Mapping[str, str] = MappingProxyType({}),
    is_network: bool = False,
) -> tuple[list[Filling | None], list[Parameter]]:
    """The expression for each hole (None: its constant), and the arguments.

    `rows` has the holes of each specialisation, `given` the arguments of the definition, `sizes`
    further names in its body, `defaults` the default expressions of arguments that are not given in
    any specialisation, and `inputs` the inputs that have these sizes. Arguments are in the order of
    use, those of the definition in its order.
    """
    columns = [_completed(holes, {**sizes, **given}) for holes in zip(*rows, strict=True)]
    hints = _hints(rows[0] if rows else (), columns)
    taken = python_names((*reserved, *given))
    written = written_numbers(rows, columns, {**sizes, **given}, defaults)
    written |= counted(rows, columns, given, written)
    spelled = _spelled(rows, written, given, inputs, taken)
    by_text = {repr(values): name for name, values in reversed(list(given.items()))}
    chosen: dict[str, Ratio] = {
        repr(sizes[name]): Ratio(argument) for name, argument in spelled.items()
    }
    own: dict[str, Values] = {argument: sizes[name] for name, argument in spelled.items()}
    outside = {} if is_network else _outside(rows, columns, given, written, taken, defaults)
    numbers = {name: columns[at] for at, name in outside.items()}
    columns = _completed_again(rows, columns, {**written, **outside}, numbers)
    written |= over_outside(rows, columns, outside, {**sizes, **given, **numbers}, defaults)
    for at, name in outside.items():
        own[name] = columns[at]
        if not is_constant(columns[at]):
            chosen.setdefault(repr(columns[at]), Ratio(name))
    for at, values in enumerate(columns):
        text = repr(values)
        if text in chosen or is_constant(values) or at in written or at in outside:
            continue
        if text in by_text:
            chosen[text] = Ratio(by_text[text])
            continue
        found = _ratio(values, given, LARGEST_FACTOR)
        if found is None:
            name = taken.fresh(identifier(hints[text], "value"))
            own[name] = values
            found = Ratio(name)
        chosen[text] = found
    named = {*spelled.values(), *outside.values()}
    _fold({name: own[name] for name in own if name not in named}, chosen)
    filled: list[Filling | None] = [
        Written(written[at], tuple(spelled.items()))
        if at in written
        else Ratio(outside[at])
        if at in outside
        else None
        if is_constant(values)
        else chosen[repr(values)]
        for at, values in enumerate(columns)
    ]
    used = dict.fromkeys(name for item in filled if item is not None for name in item.names)
    for at, name in outside.items():
        hint = rows[0][at].hint
        is_alone = not any(isinstance(item, Written) and name in item.names for item in filled)
        if name != hint and is_alone and hint in given and hint not in used:  # its own is not read
            filled = [Ratio(hint) if item == Ratio(name) else item for item in filled]
            outside = {at: hint if one == name else one for at, one in outside.items()}
            used = dict.fromkeys(hint if one == name else one for one in used)
            own[hint] = own[name]
    known = {**given, **own}
    of_sizes = set(spelled.values())
    ordered = [
        *(name for name in used if name in of_sizes),
        *(name for name in given if name in used),
        *(name for name in used if name not in of_sizes and name not in given),
    ]
    apart = {*outside.values()}
    sources = {name: name for name in given if name not in apart}
    sources |= {own: name for name, own in spelled.items()}
    read = _names_read(rows, filled)
    return filled, [
        Parameter(
            name,
            known[name],
            name in apart,
            source=sources.get(name, ""),
            read=() if name in sources else tuple(read[name]),
        )
        for name in ordered
    ]


def _names_read(
    rows: Sequence[Sequence[Hole]], filled: Sequence[Filling | None]
) -> dict[str, dict[str, None]]:
    """For each argument the names of the body on which the numbers that it stands for depend."""
    found: dict[str, dict[str, None]] = {}
    for item, holes in zip(filled, zip(*rows, strict=True), strict=True):
        for name in item.names if item is not None else ():
            for hole in holes:
                names = names_in(hole.origin) if hole.origin is not None else ()
                found.setdefault(name, {}).update(dict.fromkeys((*hole.read, *names)))
    return found


def _completed(holes: Sequence[Hole], known: Mapping[str, Values]) -> Values:
    """A constant in each specialisation; where it is absent, what fits those that have it."""
    values = tuple(hole.value for hole in holes)
    has = [not isinstance(value, Absent) for value in values]
    if all(has):
        return values
    columns = [
        tuple(
            evaluated(origin, {name: column[at] for name, column in known.items()})
            for at in range(len(values))
        )
        for origin in dict.fromkeys(hole.origin for hole in holes)
        if origin is not None
    ]
    first = next(value for value, present in zip(values, has, strict=True) if present)
    for column in (*columns, (first,) * len(values), *known.values()):
        pairs = zip(column, values, has, strict=True)
        if None not in column and all(repr(a) == repr(b) for a, b, there in pairs if there):
            return column
    return tuple(value if there else first for value, there in zip(values, has, strict=True))


def _completed_again(
    rows: Sequence[Sequence[Hole]],
    columns: Sequence[Values],
    known: Collection[int],
    numbers: Mapping[str, Values],
) -> list[Values]:
    """The columns; absent constants of others than `known` fit the numbers from outside."""
    found = [*columns]
    for at in {*range(len(columns))}.difference(known) if numbers else ():
        if any(isinstance(row[at].value, Absent) for row in rows):
            origins = _completed([row[at] for row in rows], numbers)
            found[at] = origins if origins in numbers.values() else columns[at]
    return found


def _outside(
    rows: Sequence[Sequence[Hole]],
    columns: Sequence[Values],
    given: Mapping[str, Values],
    written: Mapping[int, Expression],
    taken: Names,
    fixed: Collection[str],
) -> dict[int, str]:
    """For numbers that come from outside arguments of their own, under the names of attributes.

    Those of one attribute that are equal in each specialisation are one argument. A number that is
    the same in all specialisations is an argument only if it is one of a block that this one calls,
    and the only number for this argument.
    """
    found: dict[int, str] = {}
    names: dict[tuple[str, str], str] = {}
    from_outside = [
        at
        for at in range(len(columns))
        if at not in written and all(isinstance(row[at].origin, Outside) for row in rows)
    ]
    numbers: dict[str, set[str]] = {}
    for at in from_outside:
        numbers.setdefault(rows[0][at].hint, set()).add(repr(columns[at]))
    for at in from_outside:
        hint, values = rows[0][at].hint, columns[at]
        is_argument = rows[0][at].outside and len(numbers[hint]) == 1 and hint not in fixed
        if is_constant(values) and not is_argument and given.get(hint) != values:
            continue
        key = (hint, repr(values))
        if key not in names:
            names[key] = (
                hint if given.get(hint) == values else taken.fresh(identifier(hint, "value"))
            )
        found[at] = names[key]
    return found


def _spelled(
    rows: Sequence[Sequence[Hole]],
    written: Mapping[int, Expression],
    given: Mapping[str, Values],
    inputs: Mapping[str, str],
    taken: Names,
) -> dict[str, str]:
    """The arguments for named sizes that are read: the name in a layer, otherwise its own.

    If several have one name in layers, those of inputs with a name of their own begin with it.
    """
    read = dict.fromkeys(name for one in written.values() for name in names_in(one))
    wanted: dict[str, str] = {}
    for name in read:
        if name not in given:
            given_by_layers = name[0].isupper() or not name.isidentifier()
            wanted[name] = _hint_of(name, rows[0], written) if given_by_layers else name
    short = {name: _short(one) for name, one in wanted.items()}
    found: dict[str, str] = {}
    for name, one in wanted.items():
        among = [inputs.get(other, "") for other in wanted if short[other] == short[name]]
        apart = len(among) > 1 and len({*among}) == len(among)
        if apart and one != name and len(inputs.get(name, "")) > 1:
            one = f"{inputs[name]}_{short[name]}"
        found[name] = taken.fresh(identifier(one, "value"))
    return found


def _short(hint: str) -> str:
    return hint.removeprefix("in_").removeprefix("num_")


def _hint_of(name: str, holes: Sequence[Hole], written: Mapping[int, Expression]) -> str:
    """The name of a size in layers; layers that read it unchanged come first."""
    readers = [at for at, one in written.items() if name in names_in(one)]
    readers.sort(key=lambda at: written[at] != Name(name))
    for at in readers:
        hint = holes[at].hint
        if hint in SIZES_OF_INPUTS and hint not in VAGUE:
            pure = written[at] == Name(name)
            return hint if pure else _short(hint)
    return name if name.isidentifier() else "size"


def _hints(holes: Sequence[Hole], columns: Sequence[Values]) -> dict[str, str]:
    """The most specific hint of each constant."""
    found: dict[str, str] = {}
    for hole, values in zip(holes, columns, strict=True):
        if found.get(repr(values), "") in VAGUE:
            found[repr(values)] = (
                hole.hint if hole.hint not in VAGUE else found.get(repr(values), hole.hint)
            )
    return found


def _ratio(values: Values, bases: Mapping[str, Values], largest: int) -> Ratio | None:
    """`values` as a multiple or fraction of a base."""
    if not are_sizes(values):
        return None
    for name, base in bases.items():
        if not are_sizes(base):
            continue
        times = whole_factor(values, base)
        if 1 < times <= largest:
            return Ratio(name, times=times)
        by = whole_factor(base, values)
        if 1 < by <= largest:
            return Ratio(name, by=by)
    return None


def _fold(own: Mapping[str, Values], chosen: dict[str, Ratio]) -> None:
    """Write constants without a name in the definition as multiples of each other."""
    bases = dict(own)
    for name, values in own.items():
        others = {other: known for other, known in bases.items() if other != name}
        found = _ratio(values, others, LARGEST_OWN_FACTOR)
        if found is not None and found.times > 1:
            chosen[repr(values)] = found
            del bases[name]
