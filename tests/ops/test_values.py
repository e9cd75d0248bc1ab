"""Every op against its reference in NumPy: values in both modes, gradients, TorchScript."""

import pytest

from archspec.ops.registry import all_ops
from archspec_torch.lowering import lowerings
from tests.ops.formulas.judge import (
    compare_drawn,
    compare_frozen,
    compare_gradients,
    compare_script,
    compare_values,
)
from tests.ops.formulas.table import cases_of, references

NAMES = sorted(references())


def test_every_op_has_a_reference():
    """The references are next to `tests/ops/formulas/table.py`, which explains how to add one."""
    lowered = {name for name in all_ops() if name in lowerings()}
    assert lowered == set(references())
    assert [name for name in lowered if not cases_of(name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_values_in_inference(name):
    compare_values(name, training=False)


@pytest.mark.parametrize("name", NAMES)
def test_values_in_training(name):
    compare_values(name, training=True)


@pytest.mark.parametrize("name", NAMES)
def test_values_of_frozen_layers(name):
    compare_frozen(name)


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name):
    compare_gradients(name)


@pytest.mark.parametrize("name", NAMES)
def test_torchscript(name):
    compare_script(name)


@pytest.mark.parametrize("name", [name for name in NAMES if references()[name].drawn])
def test_statistics_of_random_values_in_training(name):
    compare_drawn(name)
