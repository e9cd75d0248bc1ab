"""Replacing the layers at given paths, such as each `relu` of some stages."""

from __future__ import annotations

from pydantic import Field

from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.options import Options
from archspec.passes.base import Outcome, Pass
from archspec.passes.places.change import Place
from archspec.passes.places.layers import exchange
from archspec.semantics.written_layer import WrittenLayer


class SwapOptions(Options):
    """Paths, in which `*` matches any text, and the layer as written in a spec."""

    at: str = Field(min_length=1, max_length=200)
    layer: str = Field(min_length=1)


class Swap:
    """Replacement of ops and blocks. The description of the changes is one path per place."""

    name = "swap"
    summary = "the layers at matching paths are replaced by another layer"
    options: type[Options] = SwapOptions
    after: tuple[str, ...] = ("extract",)

    def run(self, network: Compiled, options: SwapOptions) -> Outcome:
        """The new network. Raises CompileFailed: E0913, E0914, and errors in the layer."""
        written = WrittenLayer(options.layer, network.where)

        def layer_for(place: Place) -> Graph:
            training, frozen = place.mode == "training", place.instance.frozen
            return written.graph(place.types, training=training, frozen=frozen)

        made = exchange(network, options.at, layer_for)
        return Outcome(made.network, made.paths)


SWAP: Pass = Swap()
