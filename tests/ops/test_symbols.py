"""What ops infer for symbols, as in the check of a signature, is right for numbers."""

from contextlib import suppress
from itertools import product, repeat

import pytest
from pydantic import ValidationError

from archspec.ops.base import Check, OpError
from archspec.ops.registry import all_ops
from archspec.ops.symbols import WITH_SYMBOLS, number
from archspec.types.atoms import OutsideFragment
from archspec.types.condition import evaluate
from archspec.types.dim import Dim

NUMBERS = (1, 2, 3, 4, 5, 9, 10, 16, 17)
N, C = Dim.symbol("n"), Dim.symbol("c")


def takes(op, example, name):
    """Whether the attribute may be a symbol while a signature is checked."""
    try:
        op.model_validate({**example.attributes, name: N}, context=WITH_SYMBOLS)
    except ValidationError:
        return False
    return True


SYMBOLIC = [
    pytest.param(op, name, id=f"{op.name}-{name}")
    for op in all_ops().values()
    for name in op.model_fields
    if op.examples and takes(op, op.examples[0], name)
]


def widened(given, axes, factor):
    """The type with some sizes multiplied by `factor`."""
    return given.with_shape(
        *(
            size * factor if axis in axes or axis - given.rank in axes else size
            for axis, size in enumerate(given.shape)
        )
    )


def variants(inputs):
    """Inputs whose sizes are symbols or multiples of them, so that more can be decided."""
    yield inputs
    for axes in ((1,), (1, 2), (-1,), range(8)):
        for factor in (C, N, N * N, 6 * N, C * N):
            yield tuple(widened(given, axes, factor) for given in inputs)
    for axes in product(((), (0,), (1,)), repeat=len(inputs)) if 2 <= len(inputs) <= 3 else ():
        yield tuple(map(widened, inputs, axes, repeat(N)))


def with_symbol(op, example, name):
    """The attributes with a symbol for one of them, and multiples of it for others."""
    yield {**example.attributes, name: N}
    others = [key for key in example.attributes if key != name and takes(op, example, key)]
    whole = {key: example.attributes[key] for key in others}
    if others:
        more = {key: N * value for key, value in whole.items() if isinstance(value, int)}
        yield {**example.attributes, name: N, **more}


def at(inputs, sizes):
    """The inputs with numbers for symbols."""
    return tuple(
        given.with_shape(*(Dim.constant_of(size.evaluate(sizes)) for size in given.shape))
        for given in inputs
    )


def inferred(op, check, inputs, example):
    """The types of its results."""
    found = (
        op.infer_regions(check, inputs, example.region_types)
        if op.regions
        else op.infer(check, *inputs)
    )
    return found if isinstance(found, tuple) else (found,)


def for_symbols(op, attributes, inputs, example):
    """The results and requirements for symbols, and the op; None if they are undecided.

    There must be no other exception, and parameters are only computed for numbers.
    """
    made, check = op.model_validate(attributes, context=WITH_SYMBOLS), Check(symbolic=True)
    with suppress(OpError):
        for parameter in made.parameters(*inputs):
            assert all(isinstance(size, int) for size in parameter.shape)
    try:
        return inferred(made, check, inputs, example), check.needs, made
    except (OpError, OutsideFragment):
        return None


def for_numbers(op, attributes, inputs, example):
    """The results for numbers, or None if they are invalid."""
    check = Check()
    try:
        found = inferred(op.model_validate(attributes), check, inputs, example)
    except (ValidationError, OpError):
        return None
    return found if all(evaluate(need.condition, {}) for need in check.needs) else None


def compared(op, symbolic, inputs, example):
    """How many numbers have results in both; these agree, and so do the MACs.

    Equations between sizes are proved when a signature is checked, and hold here.
    """
    found, times = for_symbols(op, symbolic, inputs, example), 0
    for n in NUMBERS if found is not None else ():
        types, needs, made = found
        sizes = {"n": n, "c": 3}
        if not all(evaluate(need.condition, sizes) for need in needs):
            continue
        attributes = {
            key: value.evaluate(sizes) if isinstance(value, Dim) else value
            for key, value in symbolic.items()
        }
        there = for_numbers(op, attributes, at(inputs, sizes), example)
        if there is not None:
            times += 1
            assert at(types, sizes) == there, (symbolic, inputs, n)
            with suppress(OpError, OutsideFragment):
                macs = op.model_validate(attributes).macs(at(inputs, sizes), there)
                assert made.macs(inputs, types).evaluate(sizes) == macs, (symbolic, inputs, n)
    return times


@pytest.mark.parametrize(("op", "name"), SYMBOLIC)
def test_results_for_a_symbol_hold_for_its_numbers(op, name):
    times = sum(
        compared(op, attributes, inputs, example)
        for example in op.examples
        for attributes in with_symbol(op, example, name)
        for inputs in variants(example.input_types)
    )
    assert times, f"`{name}` of `{op.name}` may be a symbol, but nothing is inferred of it"


@pytest.mark.parametrize("op", all_ops().values(), ids=lambda op: op.name)
def test_results_for_symbolic_sizes_hold_for_numbers(op):
    for example in op.examples:
        for inputs in variants(example.input_types):
            compared(op, example.attributes, inputs, example)


def test_symbol_is_not_a_number():
    assert number(3) == number(Dim.constant_of(3)) == 3
    with pytest.raises(OpError, match="a number is needed, but this is `n`"):
        number(N)


def test_symbols_are_only_accepted_while_a_signature_is_checked():
    op, example = all_ops()["linear"], all_ops()["linear"].examples[0]
    with pytest.raises(ValidationError):
        op.model_validate({**example.attributes, "width": N})
