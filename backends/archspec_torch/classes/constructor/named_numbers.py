"""Numbers that the spec binds to names have these names in the code, too.

An expression over the arguments of a class contains the expressions of all names in it: `exact =
half // 2` is `(buckets // 2) // 2`. In each method, such a part is replaced by a local variable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from archspec.graph.expression import Expression, Name, Operation, evaluated
from archspec_torch.classes.constructor.parameters import Filling, Values, Written
from archspec_torch.classes.constructor.spec_expressions import settled
from archspec_torch.code.lines import Line
from archspec_torch.code.names import is_identifier, python_names
from archspec_torch.code.pieces import Code, code

LEAST_OPERATIONS = 2
"""Of an expression that is read once; a shorter one is written where it is read."""


def named_numbers(
    definitions: Mapping[str, Expression],
    count: int,
    known: Mapping[str, Values],
    defaults: Mapping[str, Expression],
) -> dict[str, Expression]:
    """Those of the definitions that have a value in each of `count` specialisations.

    `known` has the values of names, `defaults` the expressions of arguments that are left out.
    """
    rows = [{name: values[at] for name, values in known.items()} for at in range(count)]
    found = {name: settled(one, count, known, defaults) for name, one in definitions.items()}
    return {
        name: one
        for name, one in found.items()
        if isinstance(one, Operation) and all(evaluated(one, row) is not None for row in rows)
    }


def with_local_names(
    filled: Sequence[Filling | None],
    numbers: Mapping[str, Expression],
    taken: Collection[str],
    own: str,
) -> tuple[list[Filling | None], list[Line]]:
    """The fillings of a method over local variables, and the lines that assign these.

    `numbers` has the expressions of names over arguments, `own` is the prefix of arguments in the
    method, and `taken` has its other variables.
    """
    written = [item for item in filled if isinstance(item, Written)]
    if not written or not numbers:
        return [*filled], []
    free = python_names(taken)
    found = [item.expression for item in written]
    kept: dict[str, Expression] = {}
    for name, expression in reversed([*numbers.items()]):
        among = [*found, *kept.values()]
        times = sum(_count(expression, one) for one in among)
        least = 1 if _operations(expression) >= LEAST_OPERATIONS else 2
        if times < least or not is_identifier(name) or not free.free(name):
            continue
        found = [_replaced(one, expression, name) for one in found]
        kept = {other: _replaced(one, expression, name) for other, one in kept.items()}
        kept = {name: expression, **kept}
    new = iter(found)
    spelled, local = written[0].spelled, tuple(kept)
    lines = [
        Line(_assigned(name, Written(expression, spelled, local), own))
        for name, expression in kept.items()
    ]
    return [
        replace(item, expression=next(new), local=local) if isinstance(item, Written) else item
        for item in filled
    ], lines


def _assigned(name: str, value: Written, own: str) -> Code:
    return code(f"{name} = ", value.code(own))


def _count(part: Expression, whole: Expression) -> int:
    """How often an expression occurs in another one."""
    if part == whole:
        return 1
    return sum(_count(part, one) for one in _operands(whole))


def _operations(expression: Expression) -> int:
    inner = sum(map(_operations, _operands(expression)))
    return inner + isinstance(expression, Operation)


def _operands(expression: Expression) -> Iterable[Expression]:
    return expression.operands if isinstance(expression, Operation) else ()


def _replaced(whole: Expression, part: Expression, name: str) -> Expression:
    """An expression with all occurrences of a part replaced by a name."""
    if whole == part:
        return Name(name)
    if not isinstance(whole, Operation):
        return whole
    return Operation(whole.sign, tuple(_replaced(one, part, name) for one in whole.operands))
