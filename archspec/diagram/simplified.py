"""What a drawing leaves out: random ops that hand on their input.

In inference these are all dropout and drop-path, so that blocks which differ in their rates only
are equal; in training those whose rate is 0.
"""

from __future__ import annotations

from archspec.graph.compiled import Compiled
from archspec.passes.rewriting.driver import rewrite_network
from archspec.passes.rewriting.identities import hands_on
from archspec.passes.rewriting.pattern import Pattern, Rule, Site


def simplified(compiled: Compiled, *, training: bool) -> Compiled:
    """The network without random ops that do nothing in a mode; the other mode stays as it is."""

    def idle(site: Site) -> bool:
        drawn = training and site.op.stochastic
        return site.op.category == "random" and not drawn and hands_on(site)

    rule = Rule(
        "a random op that hands on its input",
        Pattern(where=idle),
        lambda match: match.site.node.inputs[0],
    )
    return rewrite_network(compiled, [rule], mode="training" if training else "inference")
