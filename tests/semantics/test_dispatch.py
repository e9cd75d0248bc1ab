"""Every class of expression, layer and statement has a registered function."""

from __future__ import annotations

from typing import get_args

import archspec.semantics.expansion  # registers
from archspec.semantics.values import model
from archspec.semantics.values.evaluation import COMPOSITE, EVALUATORS, NAMED
from archspec.syntax import ast_expressions


def named(module: object, alias: str) -> set[type]:
    """The classes of a union that is written as a string."""
    return {getattr(module, name.strip()) for name in getattr(module, alias).split("|")}


def test_every_expression_is_evaluated() -> None:
    assert EVALUATORS.keys() == named(ast_expressions, "Expr")


def test_every_layer_has_exactly_one_function() -> None:
    refused = {model.SpreadLayer}  # only inside lists
    layers = {*get_args(model.Layer), model.ListValue}
    assert NAMED.keys() | COMPOSITE.keys() == layers - refused
    assert not NAMED.keys() & COMPOSITE.keys()
    assert archspec.semantics.expansion.__all__
