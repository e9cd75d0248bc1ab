"""Expansion: expressions are evaluated, and layers applied to data make nodes of graphs.

The modules imported here register what evaluates each class of expression and applies each class of
layer; see `archspec.semantics.values.evaluation`.
"""

from archspec.semantics.expansion import (
    expressions,
    layers,
    lists_and_tuples,
    operator_expressions,
)

__all__ = ["expressions", "layers", "lists_and_tuples", "operator_expressions"]
