"""Shipped networks have the tensors of their references, and compute the same."""

from typing import Any

import pytest

from archspec.network import Network
from archspec.shipped import networks
from tests.specs.compiled import shipped
from tests.specs.families import frozen, merged
from tests.specs.golden import NAMES, golden
from tests.specs.golden_run import assert_outputs, assert_state

HOW = merged("golden")
"""How the network of a file is made and run, by the name of the file: see `families.py`."""

RUNS = [
    pytest.param(name, marks=[pytest.mark.slow] * HOW.get(name, {}).get("slow", False))
    for name in NAMES
]


def how(name: str) -> dict[str, Any]:
    return HOW.get(name, {})


def preset(name: str) -> str:
    return how(name).get("network", name)


def network(name: str, *, run: bool = False) -> Network:
    """The network of a golden file, or as it is run."""
    parameters = how(name).get("parameters", {})
    if run:
        parameters = {**parameters, **how(name).get("options", {})}
    return shipped(preset(name), **{key: frozen(value) for key, value in parameters.items()})


def test_there_are_golden_files():
    assert len(NAMES) >= 6


def test_every_entry_belongs_to_a_file():
    assert set(HOW) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_is_shipped_for_each_golden_file(name):
    assert preset(name) in networks()


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_agree_with_the_reference(name):
    assert_state(network(name), golden(name))


@pytest.mark.parametrize("name", NAMES)
def test_number_of_parameters_agrees_with_the_reference(name):
    assert network(name).parameters == golden(name).parameters


@pytest.mark.parametrize("name", RUNS)
def test_outputs_agree_with_the_reference(name):
    assert_outputs(network(name, run=True), golden(name), how(name))
