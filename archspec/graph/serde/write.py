"""A network as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archspec.diagnostics.model import Frame
from archspec.graph.compiled import Compiled
from archspec.graph.model import (
    Graph,
    GraphOutput,
    InitRule,
    Instance,
    Node,
    Origin,
    Port,
    Region,
    Requirement,
    Structure,
)
from archspec.graph.serde.expressions import dump_expression, dump_expressions
from archspec.graph.serde.values import Json, dump, dump_condition, dump_op, dump_type
from archspec.graph.walk import walk
from archspec.source import Source, Span

FORMAT = 1
"""Version of the format. It increases when older files cannot be read any more."""


def network_json(compiled: Compiled) -> dict[str, Json]:
    """A network with both its graphs, as data for `json.dumps`."""
    tables = _Tables()
    inference, training = tables.graph(compiled.inference), tables.graph(compiled.training)
    return {
        "format": FORMAT,
        "name": compiled.name,
        "doc": compiled.doc,
        "sizes": dict(compiled.sizes),
        "parameters": [
            [one.name, one.type, one.domain, one.default, one.value] for one in compiled.parameters
        ],
        "where": dump_condition(compiled.where),
        "inference": inference,
        "training": training,
        "graphs": tables.graphs,
        "instances": tables.instances,
        "sources": [_source(source) for source in tables.sources],
    }


@dataclass
class _Tables:
    """Shared objects, without duplicates; elsewhere their numbers are used."""

    graphs: list[Json] = field(default_factory=list)
    instances: list[Json] = field(default_factory=list)
    sources: dict[Source, int] = field(default_factory=dict)
    _graphs: dict[Graph, int] = field(default_factory=dict)
    _instances: dict[Instance, int] = field(default_factory=dict)

    def graph(self, graph: Graph) -> int:
        """The number of a graph, after it and all graphs below it were added to the table."""
        for item in walk(graph):
            if item not in self._graphs:
                made = self._graph(item)
                self._graphs[item] = len(self.graphs)
                self.graphs.append(made)
        return self._graphs[graph]

    def _graph(self, graph: Graph) -> Json:
        return _kept(
            name=graph.name,
            kind=graph.kind,
            nodes=[self._node(node) for node in graph.nodes],
            outputs=[_output(output) for output in graph.outputs],
            arguments={name: dump(value) for name, value in graph.arguments.items()},
            structures=[_structure(structure) for structure in graph.input_structures],
            requirements=[self._need(need) for need in graph.requirements],
            init=[self._rule(rule) for rule in graph.init_rules],
            draws=[[draw.name, draw.policy, draw.ratio] for draw in graph.draws],
            ties=[[tie.name, tie.source, self._origin(tie.origin)] for tie in graph.ties],
            origin=self._origin(graph.origin),
            doc=graph.doc,
            frozen=graph.frozen,
            names={name: dump(value) for name, value in graph.names.items()},
            defaults=dump_expressions(graph.defaults),
            definitions=dump_expressions(graph.definitions),
            decisions=[dump_expression(condition) for condition in graph.decisions],
            decisive=dict(graph.decisive()),
        )

    def _node(self, node: Node) -> Json:
        return _kept(
            id=node.id,
            rank=None if node.rank == (node.id,) else list(node.rank),
            instance=None if node.instance is None else self._instance(node.instance),
            inputs=[_port(port) for port in node.inputs],
            types=[dump_type(kind) for kind in node.types],
            origin=self._origin(node.origin),
            iterations=[
                [self._span(iteration.loop), iteration.index] for iteration in node.iterations
            ],
            name=node.name,
            structure=_structure(node.output_structure),
            requirements=[self._need(need) for need in node.requirements],
            discarded=sorted(node.discarded),
            measured=[list(one) for one in node.measured],
        )

    def _instance(self, instance: Instance) -> int:
        if instance not in self._instances:
            made = _kept(
                key=instance.key,
                op=None if instance.op is None else dump_op(instance.op),
                graph=None if instance.graph is None else self._graphs[instance.graph],
                regions=[self._region(region) for region in instance.regions],
                origin=self._origin(instance.origin),
                explicit=sorted(instance.explicit),
                frozen=instance.frozen,
                written=dump_expressions(instance.written),
            )
            self._instances[instance] = len(self.instances)
            self.instances.append(made)
        return self._instances[instance]

    def _region(self, region: Region) -> Json:
        return [region.name, region.key, self._graphs[region.graph], region.captured]

    def _need(self, need: Requirement) -> Json:
        return _kept(
            condition=dump_condition(need.condition),
            reason=need.reason,
            origin=self._origin(need.origin),
            training_only=need.training_only,
            chosen=need.chosen,
        )

    def _rule(self, rule: InitRule) -> Json:
        return [rule.op, rule.parameter, dump(rule.initialiser), self._origin(rule.origin)]

    def _origin(self, origin: Origin) -> Json:
        return [self._span(origin.span), [self._frame(frame) for frame in origin.frames]]

    def _frame(self, frame: Frame) -> Json:
        return [frame.what, self._span(frame.span)]

    def _span(self, span: Span) -> Json:
        number = self.sources.setdefault(span.source, len(self.sources))
        return [number, span.start, span.end]


def _kept(**fields: Json) -> Json:
    """The entries that are not restored by default: not None, false, or empty."""
    return {
        name: item
        for name, item in fields.items()
        if item is not None and item is not False and item not in ("", {})
    }


def _source(source: Source) -> Json:
    """The name of a text and the lengths of its lines, from which lines of places are computed."""
    return [source.name, *map(len, source.text.split("\n"))]


def _port(port: Port) -> Json:
    return [port.node, port.index]


def _ports(ports: Sequence[Port]) -> Json:
    return [_port(port) for port in ports]


def _output(output: GraphOutput) -> Json:
    return [output.name, _ports(output.ports), _structure(output.structure)]


def _structure(structure: Structure) -> Json:
    return None if structure is None else [_structure(part) for part in structure]
