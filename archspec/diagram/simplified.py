"""Removal of ops that return their input, which drawings do not show.

In inference these are all dropout and drop-path ops, so that blocks which differ only in their
rates become equal; in training those with rate 0. In both modes they are ops that change nothing
with their attributes, such as `x + 0`, a `roll` by 0, a `pad` by 0, and a `permute` that keeps the
order of the axes.
"""

from __future__ import annotations

from archspec.graph.compiled import Compiled
from archspec.passes.rewriting.driver import rewrite_network
from archspec.passes.rewriting.identities import returns_its_input
from archspec.passes.rewriting.pattern import Pattern, Rule, Site


def simplified(compiled: Compiled, *, training: bool) -> Compiled:
    """The network without such ops that have no effect in a mode; the other mode is unchanged."""

    def idle(site: Site) -> bool:
        return not (training and site.op.stochastic) and returns_its_input(site)

    rule = Rule(
        "an op that returns its input",
        Pattern(where=idle),
        lambda match: match.site.node.inputs[0],
    )
    return rewrite_network(compiled, [rule], mode="training" if training else "inference")
