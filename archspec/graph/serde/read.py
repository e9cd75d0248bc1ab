"""A network from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import ValidationError

from archspec.diagnostics.model import Frame
from archspec.graph.compiled import Compiled, NetworkParameter
from archspec.graph.model import (
    Draw,
    Graph,
    GraphOutput,
    InitRule,
    Instance,
    Iteration,
    Node,
    Origin,
    Port,
    Region,
    Requirement,
    Structure,
    Tie,
)
from archspec.graph.serde.expressions import load_expression, load_expressions
from archspec.graph.serde.values import NotReadable, load, load_condition, load_op, load_type
from archspec.graph.serde.write import FORMAT
from archspec.source import NOWHERE, Source, Span
from archspec.types.atoms import OutsideFragment


def read_network(data: Mapping[str, Any]) -> Compiled:
    """Read the result of `network_json`.

    Raises NotReadable if the data have another format, or are not a network. The graphs are not
    verified; `archspec.graph.verify` does that.
    """
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise NotReadable(f"this is not a network of format {FORMAT}")
    try:
        return _Tables(data).network()
    except NotReadable:
        raise
    except (KeyError, IndexError, TypeError, ValueError, ValidationError, OutsideFragment) as error:
        raise NotReadable(f"this is not a network: {error!r}") from error


@dataclass
class _Tables:
    data: Mapping[str, Any]
    sources: list[Source] = field(default_factory=list)
    graphs: list[Graph] = field(default_factory=list)
    instances: dict[int, Instance] = field(default_factory=dict)

    def network(self) -> Compiled:
        data = self.data
        self.sources = [_source(*item) for item in data["sources"]]
        for item in data["graphs"]:
            self.graphs.append(self._graph(item))
        return Compiled(
            data["name"],
            self.graphs[data["inference"]],
            self.graphs[data["training"]],
            dict(data["sizes"]),
            load_condition(data["where"]),
            data["doc"],
            tuple(NetworkParameter(*item) for item in data.get("parameters", ())),
        )

    def _graph(self, data: Mapping[str, Any]) -> Graph:
        return Graph(
            data.get("name", ""),
            data["kind"],
            tuple(self._node(item) for item in data.get("nodes", ())),
            tuple(_output(item) for item in data.get("outputs", ())),
            {name: load(value) for name, value in data.get("arguments", {}).items()},
            tuple(_structure(item) for item in data.get("structures", ())),
            tuple(self._need(item) for item in data.get("requirements", ())),
            tuple(self._rule(item) for item in data.get("init", ())),
            tuple(Draw(*item) for item in data.get("draws", ())),
            self._origin(data["origin"]),
            data.get("doc", ""),
            data.get("frozen", False),
            tuple(self._tie(item) for item in data.get("ties", ())),
            {name: load(value) for name, value in data.get("names", {}).items()},
            load_expressions(data.get("defaults", {})),
            load_expressions(data.get("definitions", {})),
            tuple(map(load_expression, data.get("decisions", ()))),
            partial(dict, data.get("decisive", {})),
        )

    def _node(self, data: Mapping[str, Any]) -> Node:
        return Node(
            data.get("id", 0),
            self._instance(data["instance"]) if "instance" in data else None,
            tuple(Port(*port) for port in data.get("inputs", ())),
            tuple(load_type(kind) for kind in data.get("types", ())),
            self._origin(data["origin"]),
            tuple(Iteration(self._span(loop), index) for loop, index in data.get("iterations", ())),
            data.get("name", ""),
            _structure(data.get("structure")),
            tuple(self._need(item) for item in data.get("requirements", ())),
            frozenset(data.get("discarded", ())),
            tuple(data.get("rank", ())),
            tuple((output, axis, name) for output, axis, name in data.get("measured", ())),
        )

    def _instance(self, number: int) -> Instance:
        if number not in self.instances:
            data = self.data["instances"][number]
            self.instances[number] = Instance(
                data.get("key", ""),
                load_op(data["op"]) if "op" in data else None,
                self.graphs[data["graph"]] if "graph" in data else None,
                tuple(self._region(item) for item in data.get("regions", ())),
                self._origin(data["origin"]),
                frozenset(data.get("explicit", ())),
                data.get("frozen", False),
                load_expressions(data.get("written", {})),
            )
        return self.instances[number]

    def _region(self, data: list[Any]) -> Region:
        name, key, graph, captured = data
        return Region(name, key, self.graphs[graph], captured)

    def _need(self, data: Mapping[str, Any]) -> Requirement:
        return Requirement(
            load_condition(data["condition"]),
            data.get("reason", ""),
            self._origin(data["origin"]),
            data.get("training_only", False),
            data.get("chosen", False),
        )

    def _rule(self, data: list[Any]) -> InitRule:
        op, parameter, initialiser, origin = data
        return InitRule(op, parameter, load(initialiser), self._origin(origin))

    def _tie(self, data: list[Any]) -> Tie:
        name, source, origin = data
        return Tie(name, source, self._origin(origin))

    def _origin(self, data: list[Any]) -> Origin:
        span, frames = data
        return Origin(
            self._span(span), tuple(Frame(what, self._span(place)) for what, place in frames)
        )

    def _span(self, data: list[int]) -> Span:
        source, start, end = data
        return Span(self.sources[source], start, end)


def _source(name: str, *lines: int) -> Source:
    """A blank text with as many lines as the original, each of the original length."""
    if name == NOWHERE.source.name:
        return NOWHERE.source
    return Source(name, "\n".join(" " * length for length in lines))


def _output(data: list[Any]) -> GraphOutput:
    name, ports, structure = data
    return GraphOutput(name, tuple(Port(*port) for port in ports), _structure(structure))


def _structure(data: Any) -> Structure:
    return None if data is None else tuple(_structure(part) for part in data)
