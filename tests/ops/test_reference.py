"""Examples of all ops without parameters: the inferred types are those of torch's results."""

import pytest

from archspec.ops.registry import all_ops
from tests.ops.reference import REFERENCE, happens, inferred

EXAMPLES = [
    pytest.param(op(**example.attributes), example.input_types, id=f"{op.name}-{index}")
    for op in all_ops().values()
    if op.name in REFERENCE
    for index, example in enumerate(op.examples)
]


@pytest.mark.parametrize(("op", "inputs"), EXAMPLES)
def test_examples_have_the_types_of_torch(op, inputs):
    theirs = happens(op, inputs, {})
    assert theirs is not None
    assert inferred(op, inputs, {}) == theirs
