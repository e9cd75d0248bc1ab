"""What becomes a class: a block in both modes, with everything that it owns.

A network has an inference and a training graph. Where a block is the same in both, both hold the
same `Graph` object; otherwise the two are walked side by side, instances matched by their keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, GraphOutput, Instance, Region, postorder
from archspec_torch.shared import aliases


@frozen
class Owned:
    """One instance in both modes; at least one is there."""

    key: str
    inference: Instance | None
    training: Instance | None

    @property
    def either(self) -> Instance:
        """The instance that inference uses, else the other."""
        found = self.inference or self.training
        assert found is not None
        return found

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instance of each mode."""
        return tuple(one for one in (self.inference, self.training) if one is not None)

    @property
    def differs(self) -> bool:
        """Whether it is an op with other attributes in training than in inference."""
        one, two = self.inference, self.training
        return one is not None and two is not None and one.op != two.op


@dataclass(eq=False)
class Unit:
    """A block in both modes. `owned` are its instances with a key, in order of first use."""

    inference: Graph | None
    training: Graph | None
    owned: tuple[Owned, ...] = ()
    callees: Mapping[int, Unit] = field(default_factory=dict)  # by id of instance or region

    @property
    def either(self) -> Graph:
        """The inference graph, else the training graph."""
        found = self.inference or self.training
        assert found is not None
        return found

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """Its graphs, once each."""
        both = (self.inference, self.training)
        if self.inference is self.training:
            both = (self.inference, None)
        return tuple(graph for graph in both if graph is not None)

    @property
    def has_modes(self) -> bool:
        """Whether it differs between training and inference."""
        both_exist = self.inference is not None and self.training is not None
        return both_exist and self.inference is not self.training

    def graph(self, training: bool) -> Graph:
        """Its graph in one mode (the other's where it exists in one mode only)."""
        found = self.training if training else self.inference
        return found if found is not None else self.either

    def outputs(self, training: bool) -> tuple[GraphOutput, ...]:
        """Its outputs in one mode, those that exist there, in the order of the spec."""
        return self.graph(training).outputs

    @property
    def yields_one(self) -> bool:
        """Whether it gives one tensor in each mode."""
        modes = (self.outputs(training) for training in (False, True))
        return all(len(made) == 1 and made[0].structure is None for made in modes)

    def callee(self, owner: Instance | Region) -> Unit:
        """The unit that an instance calls, or that a region holds."""
        return self.callees[id(owner)]


def plan(network: Compiled) -> tuple[Unit, ...]:
    """All units of a network, callees before callers; the network's own comes last."""
    memo: dict[tuple[int, int], Unit] = {}
    root = _pair(network.inference, network.training, memo)
    return postorder(root, lambda unit: unit.callees.values())


def _pair(
    inference: Graph | None, training: Graph | None, memo: dict[tuple[int, int], Unit]
) -> Unit:
    """The unit of a pair of graphs. Iterative: recursion in a spec may be deep."""
    root = Unit(inference, training)
    memo[(id(inference), id(training))] = root
    open_ = [root]
    while open_:
        unit = open_.pop()
        unit.owned = tuple(_owned(unit))
        callees: dict[int, Unit] = {}
        for pair in _all_instances(unit):
            for owners, graphs in _subgraph_pairs(pair):
                key = (id(graphs[0]), id(graphs[1]))
                if key not in memo:
                    memo[key] = Unit(*graphs)
                    open_.append(memo[key])
                for owner in owners:
                    callees[id(owner)] = memo[key]
        for graph in unit.graphs:
            for instance, first in aliases(graph):
                callees[id(instance)] = callees[id(first)]
        unit.callees = callees
    return root


def _by_key(graph: Graph | None) -> dict[str, Instance]:
    if graph is None:
        return {}
    return {instance.key: instance for instance in graph.instances if instance.key}


def _owned(unit: Unit) -> Iterator[Owned]:
    inference, training = _by_key(unit.inference), _by_key(unit.training)
    for key in (*inference, *(key for key in training if key not in inference)):
        yield Owned(key, inference.get(key), training.get(key))


def _all_instances(unit: Unit) -> Iterator[Owned]:
    """Those with keys matched, those without by themselves."""
    yield from unit.owned
    for graph in unit.graphs:
        for instance in graph.instances:
            if not instance.key:
                yield Owned("", instance, instance)


def _subgraph_pairs(
    pair: Owned,
) -> Iterator[tuple[tuple[Instance | Region, ...], tuple[Graph | None, Graph | None]]]:
    """Owners of a graph, with the graph in both modes."""
    one, two = pair.inference, pair.training
    graphs = (one.graph if one else None, two.graph if two else None)
    if graphs != (None, None):
        yield tuple(item for item in (one, two) if item is not None), graphs
    regions_one = {region.name: region for region in (one.regions if one else ())}
    regions_two = {region.name: region for region in (two.regions if two else ())}
    for name in dict.fromkeys((*regions_one, *regions_two)):
        first, second = regions_one.get(name), regions_two.get(name)
        owners = tuple(item for item in (first, second) if item is not None)
        yield owners, (first.graph if first else None, second.graph if second else None)
