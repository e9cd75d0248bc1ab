"""The units that a backend writes once, as a class or function: a block in both modes.

A network has an inference and a training graph. If a block is the same in both, both contain the
same `Graph` object; otherwise the two are walked together, and instances are matched by their keys.
A shared block may be applied to data of several types: it then has a graph for each, and is one
unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph, GraphOutput, Instance, Node, Region
from archspec.graph.walk import postorder

Holder: TypeAlias = "tuple[Instance, str | None]"
"""The holder of a graph: an instance that calls it, or a region with this name in an instance."""


@frozen
class Owned:
    """The instance under one name in a unit, in all of its forms.

    `places` are the nodes that use it, with their graphs. In most cases there is one instance.
    Shared instances, and those that differ between the modes, have one for each form.
    """

    key: str
    places: tuple[tuple[Graph, Node], ...]

    @property
    def either(self) -> Instance:
        """The instance that inference uses first, otherwise training."""
        return self.instances[0]

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Its forms, without duplicates."""
        found = dict.fromkeys(node.instance for _, node in self.places)
        return tuple(one for one in found if one is not None)


@dataclass(eq=False)
class Unit:
    """A block in both modes. `owned` are its instances with a key, in order of first use.

    A shared block is used on data of several types, with a graph for each. Then its unit represents
    its first use, and `uses` has a unit for each, itself first; `owned` are those of all uses.
    """

    inference: Graph | None
    training: Graph | None
    owned: tuple[Owned, ...] = ()
    callees: Mapping[Holder, Unit] = field(default_factory=dict)
    uses: tuple[Unit, ...] = ()

    @property
    def either(self) -> Graph:
        """The inference graph, otherwise the training graph."""
        found = self.inference or self.training
        assert found is not None
        return found

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """Its graphs, without duplicates."""
        both = (self.inference, self.training)
        if self.inference is self.training:
            both = (self.inference, None)
        return tuple(graph for graph in both if graph is not None)

    @property
    def all_graphs(self) -> tuple[Graph, ...]:
        """The graphs of all uses."""
        return tuple(graph for use in self.uses for graph in use.graphs)

    @property
    def has_modes(self) -> bool:
        """Whether it differs between training and inference."""
        both_exist = self.inference is not None and self.training is not None
        return both_exist and self.inference is not self.training

    @property
    def owner(self) -> Unit:
        """The unit that represents all uses of the block."""
        return self.uses[0]

    def graph(self, training: bool) -> Graph:
        """Its graph in one mode (that of the other mode if it exists in one mode only)."""
        found = self.training if training else self.inference
        return found if found is not None else self.either

    def outputs(self, training: bool) -> tuple[GraphOutput, ...]:
        """Its outputs in one mode, in the order of the spec."""
        return self.graph(training).outputs

    @property
    def yields_one(self) -> bool:
        """Whether it returns one tensor in each mode."""
        modes = (self.outputs(training) for training in (False, True))
        return all(len(made) == 1 and made[0].structure is None for made in modes)

    def callee(self, instance: Instance, region: Region | None = None) -> Unit:
        """The unit that an instance calls, or that one of its regions contains, for this use."""
        return self.callees[instance, region.name if region is not None else None]


Pair: TypeAlias = "tuple[Graph | None, Graph | None]"
"""A block in inference and in training."""


Memo: TypeAlias = "dict[tuple[Pair, ...], Unit]"
"""Units by the pairs of graphs of all uses: networks planned with one memo share units."""


def plan(network: Compiled, memo: Memo | None = None) -> tuple[Unit, ...]:
    """All units of a network, callees before callers; that of the network itself comes last.

    Of a shared block, only the unit of the first use is among them. A unit in `memo` is used again.
    """
    root = _planned([(network.inference, network.training)], {} if memo is None else memo)
    return postorder(root, lambda unit: [callee.owner for callee in unit.callees.values()])


def _planned(start: list[Pair], memo: Memo) -> Unit:
    """The unit of a block in all of its uses.

    It is iterative, because recursion in a spec may be deep.
    """
    known = len(memo)
    root = _unit(start, memo)
    open_ = [root] if len(memo) > known else []
    while open_:
        unit = open_.pop()
        unit.owned = tuple(_owned(unit))
        callees: dict[Holder, Unit] = {}
        for forms in _forms(unit):
            pairs = _paired(*forms)
            known = len(memo)
            callee = _unit(pairs, memo)
            if len(memo) > known:
                open_.append(callee)
            for use, holders in zip(callee.uses, _holders(pairs, *forms), strict=True):
                callees.update(dict.fromkeys(holders, use))
        for use in unit.uses:
            use.callees, use.owned = callees, unit.owned
    return root


def _unit(pairs: Sequence[Pair], memo: Memo) -> Unit:
    key = tuple(pairs)
    if key not in memo:
        uses = tuple(Unit(*pair) for pair in pairs)
        for use in uses:
            use.uses = uses
        memo[key] = uses[0]
    return memo[key]


def _owned(unit: Unit) -> Iterator[Owned]:
    """Instances by key; those of inference come first, in the order of first use."""
    places: dict[str, list[tuple[Graph, Node]]] = {}
    order = [use.inference for use in unit.uses] + [use.training for use in unit.uses]
    for graph in dict.fromkeys(graph for graph in order if graph is not None):
        for node in graph.nodes:
            if node.instance is not None and node.instance.key:
                places.setdefault(node.instance.key, []).append((graph, node))
    for key, found in places.items():
        yield Owned(key, tuple(found))


_Forms: TypeAlias = "list[tuple[Holder, Graph]]"
"""The graphs of one holder in one mode, in order of use."""


def _forms(unit: Unit) -> Iterator[tuple[_Forms, _Forms]]:
    """The graphs of instances and their regions, in inference and in training."""
    modes = [{use.inference for use in unit.uses}, {use.training for use in unit.uses}]
    for owned in unit.owned:
        slots: dict[str | None, tuple[_Forms, _Forms]] = {}
        for graph, node in owned.places:
            assert node.instance is not None
            for holder, inner in _held(node.instance):
                found = slots.setdefault(holder[1], ([], []))
                for form, graphs in zip(found, modes, strict=True):
                    if graph in graphs:
                        form.append((holder, inner))
        yield from slots.values()
    for graph in unit.all_graphs:
        for instance in graph.instances:
            if not instance.key:
                yield from (([one], [one]) for one in _held(instance))


def _held(instance: Instance) -> Iterator[tuple[Holder, Graph]]:
    if instance.graph is not None:
        yield (instance, None), instance.graph
    for region in instance.regions:
        yield (instance, region.name), region.graph


def _paired(inference: _Forms, training: _Forms) -> list[Pair]:
    """The graphs of both modes matched: those of both modes, then the others in their order."""
    one, two = ([*dict.fromkeys(graph for _, graph in form)] for form in (inference, training))
    if not one or not two:
        return [(graph, None) for graph in one] or [(None, graph) for graph in two]
    others = iter([graph for graph in two if graph not in one])
    pairs: list[Pair] = [(graph, graph if graph in two else next(others, None)) for graph in one]
    return [*pairs, *((None, graph) for graph in others)]


def _holders(pairs: Sequence[Pair], *modes: _Forms) -> Iterator[list[Holder]]:
    for pair in pairs:
        yield [
            holder
            for form, graph in zip(modes, pair, strict=True)
            for holder, other in form
            if other is graph
        ]
