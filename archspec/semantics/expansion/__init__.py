"""Expansion: evaluates expressions, and turns layers applied to data into nodes of graphs.

The modules imported here register the functions that evaluate each class of expression and apply
each class of layer; see `archspec.semantics.values.evaluation`.
"""

from archspec.semantics.expansion import (
    expressions,
    layers,
    lists_and_tuples,
    operator_expressions,
)

__all__ = ["expressions", "layers", "lists_and_tuples", "operator_expressions"]
