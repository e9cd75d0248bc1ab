"""Which `init` statement initialises a parameter."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.graph.model import InitRule
from archspec.ops.base import Op, Parameter


def rule_for(rules: Sequence[InitRule], op: Op, item: Parameter) -> InitRule | None:
    """The rule of one graph that applies to a parameter of an op: the last one.

    A rule that names the op itself takes precedence over one that names the op of a layer inside
    it.
    """
    layer, _, name = item.name.rpartition(".")
    named = (op.name, (item.name, item.parametrises or item.name))
    for kind, parameters in (named, (op.inner_layers.get(layer), (name,))):
        for rule in reversed(rules):
            if rule.op == kind and rule.parameter in parameters:
                return rule
    return None
