"""Removal of random and arithmetic ops that return their input, which drawings do not show.

In inference these are all dropout and drop-path ops, so that blocks which differ only in their
rates become equal; in training those with rate 0. Arithmetic that changes nothing is `x + 0`.
"""

from __future__ import annotations

from archspec.graph.compiled import Compiled
from archspec.passes.rewriting.driver import rewrite_network
from archspec.passes.rewriting.identities import returns_its_input
from archspec.passes.rewriting.pattern import Pattern, Rule, Site


def simplified(compiled: Compiled, *, training: bool) -> Compiled:
    """The network without such ops that have no effect in a mode; the other mode is unchanged."""

    def idle(site: Site) -> bool:
        drawn = training and site.op.stochastic
        hidden = site.op.category == "random" or bool(site.op.arithmetic)
        return hidden and not drawn and returns_its_input(site)

    rule = Rule(
        "an op that returns its input",
        Pattern(where=idle),
        lambda match: match.site.node.inputs[0],
    )
    return rewrite_network(compiled, [rule], mode="training" if training else "inference")
