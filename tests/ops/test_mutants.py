"""A faulty lowering is detected: the tests of `test_values.py` can fail."""

import random

import pytest

from archspec_torch.lowering import lowerings
from tests.ops.formulas.table import references
from tests.ops.mutants import (
    attributes,
    changes_code,
    failing,
    half_swapped,
    ignoring,
    runs,
    siblings,
)

NAMES = sorted(references())
ONE_AND_THE_SAME = {
    ("all", "min"), ("any", "max"), ("hard_tanh", "clamp"),
    ("identity", "join"), ("identity", "conjugate"),
    ("identity", "logical_and"), ("identity", "logical_or"),
    ("unsqueeze", "stack"),
}  # fmt: skip
"""For the inputs and attributes of the first op, the second is the same function."""
SYMMETRIC = {("add", "reverse"), ("mul", "reverse")}
"""Commutative ops."""
TRIED = 12
"""The number of other lowerings to try until one runs in place of the right one."""


@pytest.mark.parametrize("name", NAMES)
def test_a_lowering_that_ignores_an_attribute_is_detected(name):
    for attribute in attributes(name):
        wrong, cases = ignoring(name, attribute)
        assert cases, f"no case of {name} gives {attribute} another value"
        if (name, attribute) not in SYMMETRIC and changes_code(name, wrong, cases):
            assert failing(name, wrong, cases), attribute


def stand_ins(name, count):
    """Names and lowerings that run in place of an op's own, and have results of its types."""
    found = [
        (other, wrong) for other, wrong in siblings(name) if (name, other) not in ONE_AND_THE_SAME
    ]
    for other, wrong in found[:count]:
        if changes_code(name, wrong) and runs(name, wrong):
            yield other, wrong


@pytest.mark.parametrize("name", random.Random(0).sample(NAMES, 12))
def test_the_lowering_of_another_op_is_detected(name):
    for other, wrong in [*stand_ins(name, TRIED)][:2]:
        assert failing(name, wrong), other


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_lowering_of_any_other_op_is_detected(name):
    for other, wrong in stand_ins(name, len(lowerings())):
        assert failing(name, wrong), other
        for part, half in half_swapped(name, wrong):
            assert not changes_code(name, half) or failing(name, half), (part, other)
