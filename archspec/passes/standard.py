"""The passes of this package, as objects for the registry."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.options import Options
from archspec.passes.base import EVERY_OTHER, Outcome, Pass
from archspec.passes.extract import extract
from archspec.passes.flatten import flatten
from archspec.passes.folding.fold import fold
from archspec.passes.prune import Pruner
from archspec.passes.rewriting.driver import rewrite_network
from archspec.passes.rewriting.identities import AGAIN, HANDED_ON, UNDONE


class ExtractOptions(Options):
    """The column, 1 being the shallowest, and the name of its draw if there are several."""

    column: int = Field(ge=1)
    draw: str | None = None


class Extract:
    """Extraction of a column; see `archspec.passes.extract`."""

    name = "extract"
    summary = "only one column of a network with joins"
    options: type[Options] = ExtractOptions
    after: tuple[str, ...] = ()

    def run(self, network: Compiled, options: ExtractOptions) -> Outcome:
        """The network of the column. Raises CompileFailed: E0901, E0902."""
        return Outcome(extract(network, options.column, options.draw))


class Fold:
    """Folding of norms into layers, described by a `Folding`; see `archspec.passes.folding`."""

    name = "fold"
    summary = "for inference: batch norms and other affine maps per channel are folded into layers"
    options: type[Options] = Options
    after: tuple[str, ...] = (EVERY_OTHER,)

    def run(self, network: Compiled, options: Options) -> Outcome:
        """The folded network, which has no separate training graph."""
        folding = fold(network)
        return Outcome(folding.compiled, folding)


class FlattenOptions(Options):
    """Levels of blocks to inline, starting with the network's own body; default: all."""

    depth: int | None = Field(default=None, ge=1)


class Flatten:
    """Inlining of blocks; see `archspec.passes.flatten`."""

    name = "flatten"
    summary = "blocks are inlined into the bodies that call them"
    options: type[Options] = FlattenOptions
    after: tuple[str, ...] = ("extract",)

    def run(self, network: Compiled, options: FlattenOptions) -> Outcome:
        """The network; names of weights do not change. Raises CompileFailed (E0521).

        A block with `init` statements is not inlined, because they apply only to it.
        """
        opened: dict[Graph, Graph] = {}
        for graph in (network.inference, network.training):
            if graph not in opened:
                opened[graph] = flatten(graph, options.depth, opens=lambda one: not one.init_rules)
        inference, training = opened[network.inference], opened[network.training]
        return Outcome(replace(network, inference=inference, training=training))


class Prune:
    """Removal of nodes that no output needs, and of their weights."""

    name = "prune"
    summary = "nodes that no output needs are removed, with their weights"
    options: type[Options] = Options
    after: tuple[str, ...] = ("extract",)

    def run(self, network: Compiled, options: Options) -> Outcome:
        """The network with only the nodes that are computed in each mode."""
        pruner = Pruner()
        inference = pruner.network(network.inference)
        training = pruner.network(network.training)
        return Outcome(replace(network, inference=inference, training=training))


class Strip:
    """Removal of ops without effect in inference: dropout, drop-path, `relu` after `relu`."""

    name = "strip"
    summary = "for inference: without dropout and other ops that change nothing"
    options: type[Options] = Options
    after: tuple[str, ...] = ("extract",)

    def run(self, network: Compiled, options: Options) -> Outcome:
        """The network, which has no separate training graph."""
        rules = (HANDED_ON, UNDONE, AGAIN)
        graph = rewrite_network(network, rules, mode="inference").inference
        return Outcome(replace(network, inference=graph, training=graph))


EXTRACT: Pass = Extract()
FLATTEN: Pass = Flatten()
FOLD: Pass = Fold()
PRUNE: Pass = Prune()
STRIP: Pass = Strip()
