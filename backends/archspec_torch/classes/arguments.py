"""The constants of a class that become constructor arguments, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from archspec.graph.codegen.identifiers import Names
from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    Outside,
    choices_in,
    evaluated,
    names_in,
    simplified,
    substituted,
)
from archspec_torch.classes.parameters import Filling, Parameter, Ratio, Values, Written
from archspec_torch.code.expressions import is_scriptable
from archspec_torch.code.names import identifier, python_names
from archspec_torch.code.pieces import COUNT, Absent, Hole
from archspec_torch.planning.origins import SIZES_OF_INPUTS

LARGEST_FACTOR = 16
"""A constant may be a multiple or fraction of an argument of the definition up to this factor."""

LARGEST_OWN_FACTOR = 4
"""The same for constants that have no name in the definition."""

LEAST_SIZE = 4
"""Smaller numbers are strides or counts, which are multiples of each other by accident."""

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
    written = _written(rows, columns, {**sizes, **given}, defaults)
    written |= _counted(rows, columns, given, written)
    spelled = _spelled(rows, written, given, inputs, taken)
    by_text = {repr(values): name for name, values in reversed(list(given.items()))}
    chosen: dict[str, Ratio] = {
        repr(sizes[name]): Ratio(argument) for name, argument in spelled.items()
    }
    own: dict[str, Values] = {argument: sizes[name] for name, argument in spelled.items()}
    outside = {} if is_network else _outside(rows, columns, given, written, taken)
    for at, name in outside.items():
        own[name] = columns[at]
        if not _constant(columns[at]):
            chosen.setdefault(repr(columns[at]), Ratio(name))
    for at, values in enumerate(columns):
        text = repr(values)
        if text in chosen or _constant(values) or at in written or at in outside:
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
        if _constant(values)
        else chosen[repr(values)]
        for at, values in enumerate(columns)
    ]
    used = dict.fromkeys(name for item in filled if item is not None for name in item.names)
    for at, name in outside.items():
        hint = rows[0][at].hint
        if name != hint and hint in given and hint not in used:  # the block does not read its own
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
    return filled, [
        Parameter(name, known[name], name in apart, source=sources.get(name, ""))
        for name in ordered
    ]


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


def _written(
    rows: Sequence[Sequence[Hole]],
    columns: Sequence[Values],
    known: Mapping[str, Values],
    defaults: Mapping[str, Expression],
) -> dict[int, Expression]:
    """The expressions of the spec for holes, if they are right in each specialisation."""
    found: dict[int, Expression] = {}
    for at, values in enumerate(columns):
        for origin in dict.fromkeys(row[at].origin for row in rows):
            if origin is None:
                continue
            origin = settled(origin, len(values), known, defaults)
            if _constant(values) and (not _varies(origin) or any(choices_in(origin))):
                continue  # `drop * 0`; a choice that makes no difference
            right = (one for one in (_cancelled(origin), origin) if _yields(one, values, known))
            if (first := next(right, None)) is not None:
                found[at] = first
                break
        else:
            multiple = _multiple(rows[0][at], values, known)
            if multiple is not None:
                found[at] = multiple
    return found


def _cancelled(origin: Expression) -> Expression:
    """`drop` for `drop * 11 / 11`."""
    match origin:
        case Operation("/", (Operation("*", (base, Number(times))), Number(by))) if times == by:
            return base
    return origin


def _outside(
    rows: Sequence[Sequence[Hole]],
    columns: Sequence[Values],
    given: Mapping[str, Values],
    written: Mapping[int, Expression],
    taken: Names,
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
        is_argument = rows[0][at].outside and len(numbers[hint]) == 1
        if _constant(values) and not is_argument and given.get(hint) != values:
            continue
        key = (hint, repr(values))
        if key not in names:
            names[key] = (
                hint if given.get(hint) == values else taken.fresh(identifier(hint, "value"))
            )
        found[at] = names[key]
    return found


def _counted(
    rows: Sequence[Sequence[Hole]],
    columns: Sequence[Values],
    given: Mapping[str, Values],
    written: Mapping[int, Expression],
) -> dict[int, Expression]:
    """For counts of loops the argument that has their value, if nothing else reads it."""
    read = {name for one in written.values() for name in names_in(one)}
    found: dict[int, Expression] = {}
    for at, values in enumerate(columns):
        if rows[0][at].hint != COUNT or at in written:
            continue
        same = [name for name, known in given.items() if known == values and name not in read]
        if len(same) == 1 and all(type(value) is int for value in given[same[0]]):
            found[at] = Name(same[0])
    return found


def _multiple(hole: Hole, values: Values, known: Mapping[str, Values]) -> Expression | None:
    """A size that a layer takes from its input, as a multiple of a size with a name."""
    if hole.hint not in SIZES_OF_INPUTS or hole.hint == "size" or not _sizes(values):
        return None
    for name, base in sorted(known.items(), key=lambda item: item[0].islower()):
        if _sizes(base) and len(set(base)) >= len(set(values)):
            times = whole_factor(values, base)
            is_size = name[0].isupper() or not name.isidentifier()
            if 1 <= times <= (LARGEST_FACTOR if is_size else LARGEST_OWN_FACTOR):
                return simplified(Operation("*", (Number(times), Name(name))))
    return None


def _yields(origin: Expression, values: Values, known: Mapping[str, Values]) -> bool:
    names = set(names_in(origin))
    if not names or not names <= known.keys() or not is_scriptable(origin):
        return False
    for number, value in enumerate(values):
        row = {name: known[name][number] for name in names}
        for choice in choices_in(origin):
            _, then, otherwise = (evaluated(one, row) for one in choice.operands)
            if type(then) is not type(otherwise):
                return False  # TorchScript has one type for both
        result = evaluated(origin, row)
        if type(result) is not type(value) or result != value:
            return False
    return True


def settled(
    origin: Expression,
    count: int,
    known: Mapping[str, Values],
    defaults: Mapping[str, Expression],
) -> Expression:
    """An expression over the arguments that `count` specialisations have, without defaults."""
    return _decided(substituted(origin, defaults), count, known)


def _decided(origin: Expression, count: int, known: Mapping[str, Values]) -> Expression:
    """The expression without choices that are the same in all `count` specialisations."""
    if not isinstance(origin, Operation):
        return origin
    operands = tuple(_decided(operand, count, known) for operand in origin.operands)
    if origin.sign == "if" and set(names_in(operands[0])) <= known.keys():
        rows = ({name: values[at] for name, values in known.items()} for at in range(count))
        truths = {evaluated(operands[0], row) for row in rows}
        if len(truths) == 1 and None not in truths:
            return operands[1] if truths.pop() else operands[2]
    return simplified(Operation(origin.sign, operands))


def _varies(origin: Expression) -> bool:
    """Whether its value depends on its names."""
    names = [*dict.fromkeys(names_in(origin))]
    rising = {name: 12 * 5**place for place, name in enumerate(names)}
    falling = {name: 420 * 7**place for place, name in enumerate(reversed(names))}
    found = [evaluated(origin, values) for values in (rising, falling)]  # other ratios, too
    return None in found or found[0] != found[1]


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


def _constant(values: Values) -> bool:
    return all(repr(value) == repr(values[0]) for value in values)


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
    if not _sizes(values):
        return None
    for name, base in bases.items():
        if not _sizes(base):
            continue
        times = whole_factor(values, base)
        if 1 < times <= largest:
            return Ratio(name, times=times)
        by = whole_factor(base, values)
        if 1 < by <= largest:
            return Ratio(name, by=by)
    return None


def _sizes(values: Values) -> bool:
    return all(type(value) is int and value >= LEAST_SIZE for value in values)


def _fold(own: Mapping[str, Values], chosen: dict[str, Ratio]) -> None:
    """Write constants without a name in the definition as multiples of each other."""
    bases = dict(own)
    for name, values in own.items():
        others = {other: known for other, known in bases.items() if other != name}
        found = _ratio(values, others, LARGEST_OWN_FACTOR)
        if found is not None and found.times > 1:
            chosen[repr(values)] = found
            del bases[name]


def whole_factor(values: Sequence[int | None], base: Sequence[Any]) -> int:
    """The whole number that all values are the base times; 0 if there is none."""
    if not base or not isinstance(base[0], int) or not base[0] or values[0] is None:
        return 0
    factor = values[0] // base[0]
    fits = all(v is not None and v == factor * b for v, b in zip(values, base, strict=True))
    return factor if fits else 0
