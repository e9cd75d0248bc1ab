"""The expressions of the spec for the constants of a class, if they are right in each draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    Operation,
    Outside,
    choices_in,
    comes_from_outside,
    evaluated,
    has_unknown_sizes,
    names_in,
    simplified,
    substituted,
)
from archspec_torch.classes.constructor.parameters import Values
from archspec_torch.classes.constructor.ratios import (
    LARGEST_FACTOR,
    LARGEST_OWN_FACTOR,
    are_sizes,
    is_constant,
    whole_factor,
)
from archspec_torch.code.expressions import is_scriptable
from archspec_torch.code.pieces import COUNT, Hole
from archspec_torch.code.products import collected
from archspec_torch.code.sums import summed
from archspec_torch.planning.origins import SIZES_OF_INPUTS


def written_numbers(
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
            origin = summed(settled(origin, len(values), known, defaults))
            if all(type(value) is int for value in values):
                origin = collected(origin)
            if is_constant(values) and (not _varies(origin) or any(choices_in(origin))):
                continue  # `drop * 0`; a choice that makes no difference
            right = (one for one in (_cancelled(origin), origin) if _yields(one, values, known))
            if (first := next(right, None)) is not None:
                found[at] = first
                break
        else:
            multiple = None if is_constant(values) else _multiple(rows[0][at], values, known)
            if multiple is not None:
                found[at] = multiple
    return found


def _cancelled(origin: Expression) -> Expression:
    """`drop` for `drop * 11 / 11`."""
    match origin:
        case Operation("/", (Operation("*", (base, Number(times))), Number(by))) if times == by:
            return base
    return origin


def over_outside(
    rows: Sequence[Sequence[Hole]],
    columns: Sequence[Values],
    outside: Mapping[int, str],
    known: Mapping[str, Values],
    defaults: Mapping[str, Expression],
) -> dict[int, Expression]:
    """The expressions of the spec in which arguments for numbers from outside are read."""
    found: dict[int, Expression] = {}
    names = {columns[at][0]: name for at, name in outside.items()}
    for at, values in enumerate(columns):
        origin = rows[0][at].origin if rows else None
        if at in outside or origin is None or not comes_from_outside(origin):
            continue
        one = settled(_with_names(origin, names), len(values), known, defaults)
        if _yields(one, values, known):
            found[at] = one
    return found


def _with_names(origin: Expression, names: Mapping[float, str]) -> Expression:
    """The expression with names for its numbers from outside."""
    match origin:
        case Outside(value) if value in names:
            return Name(names[value])
        case Operation(sign, operands):
            return Operation(sign, tuple(_with_names(one, names) for one in operands))
    return origin


def counted(
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
    """A size that a layer takes from its input, as a multiple of a size that varies like it."""
    if hole.hint not in SIZES_OF_INPUTS or hole.hint == "size" or not are_sizes(values):
        return None
    for name, base in sorted(known.items(), key=lambda item: item[0].islower()):
        if are_sizes(base) and len(set(base)) >= len(set(values)):
            times = whole_factor(values, base)
            is_size = name[0].isupper() or not name.isidentifier()
            if 1 <= times <= (LARGEST_FACTOR if is_size else LARGEST_OWN_FACTOR):
                return simplified(Operation("*", (Number(times), Name(name))))
    return None


def _yields(origin: Expression, values: Values, known: Mapping[str, Values]) -> bool:
    names = set(names_in(origin))
    if not names or not names <= known.keys() or not is_scriptable(origin):
        return False
    if has_unknown_sizes(origin):
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
    single = [{**dict.fromkeys(names, 12), name: 5040} for name in names]
    found = [evaluated(origin, one) for one in (rising, falling, *single)]  # other ratios, too
    return None in found or len({*found}) > 1
