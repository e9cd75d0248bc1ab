"""Properties of every primitive op."""

import re

import pytest

from archspec.ops.base import Check
from archspec.ops.registry import all_ops
from archspec.types.condition import evaluate

OPS = list(all_ops().values())
CATEGORIES = {
    "convolution", "linear", "normalisation", "activation", "pooling", "merge", "arithmetic",
    "reduction", "shape", "indexing", "attention", "embedding", "resampling", "random", "source",
    "recurrent", "signal", "control",
}  # fmt: skip
EXAMPLES = [
    pytest.param(op, example, id=f"{op.name}-{index}")
    for op in OPS
    for index, example in enumerate(op.examples)
]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_each_op_exemplifies_all_its_attributes(op):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", op.name)
    assert op.category in CATEGORIES
    assert op.__doc__
    shown = {name for example in op.examples for name in example.attributes}
    for name in op.model_fields:
        assert name in shown, f"no example sets {name}"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_each_op_documents_its_attributes(op):
    for name in op.model_fields:
        assert re.search(rf"^    (\w+, )*{name}(, \w+)*: ", op.__doc__, re.MULTILINE), name


@pytest.mark.parametrize(("op", "example"), EXAMPLES)
def test_examples_are_accepted(op, example):
    made, check, inputs = op(**example.attributes), Check(), example.input_types
    least, most = op.arity
    assert least <= len(inputs) <= (most or len(inputs))
    if op.regions:
        outputs = made.infer_regions(check, inputs, example.region_types)
    else:
        outputs = made.infer(check, *inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert all(evaluate(need.condition, {}) for need in check.needs)
    assert all(size.constant is None or size.constant >= 0 for out in outputs for size in out.shape)
    names = [parameter.name for parameter in made.parameters(*inputs)]
    assert len(names) == len(set(names))
    assert made.macs(inputs, outputs).constant is not None


@pytest.mark.parametrize(("op", "example"), EXAMPLES)
def test_ops_are_values(op, example):
    made = op(**example.attributes)
    assert made == op(**example.attributes)
    assert hash(made) == hash(op(**example.attributes))
