"""No dropout in inference: ops that are random only in training create no node there."""

from __future__ import annotations

from archspec.graph.compiled import Compiled
from archspec.options import Options
from archspec.passes.base import Outcome, Pass
from archspec.passes.rewriting.driver import rewrite_network
from archspec.passes.rewriting.identities import returns_its_input
from archspec.passes.rewriting.pattern import Pattern, Rule

DROPPED = Rule(
    "ops that are random in training and return their input in inference",
    Pattern(where=lambda site: site.op.stochastic and returns_its_input(site)),
    lambda match: match.site.node.inputs[0],
)


class NoDropout:
    """Removal of dropout and drop-path in inference; training is unchanged."""

    name = "no_dropout"
    summary = "no dropout in inference; training is unchanged"
    options: type[Options] = Options
    after: tuple[str, ...] = ("extract",)

    def run(self, network: Compiled, options: Options) -> Outcome:
        """The network, whose modes still share everything except dropout."""
        return Outcome(rewrite_network(network, [DROPPED], mode="inference"))


NO_DROPOUT: Pass = NoDropout()
