"""The networks of a definition with other numbers for parameters on which no decision depends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from archspec.graph.compiled import Compiled
from archspec.graph.expression import has_names
from archspec.graph.walk import walk
from archspec.semantics.decisions import Decisions, sizes_decide
from archspec.semantics.program.definitions import BlockDefinition, Definition
from archspec.semantics.values.model import Value, is_layer
from archspec.semantics.values.provenance import defaults_of
from archspec.types.tensor import TensorType


@dataclass(eq=False)
class Members:
    """The family of a network; see `archspec.graph.compiled.Family`.

    `named` is the network or preset, `definition` its definition, `values` those of all parameters,
    `given` the names of those that differ from their default, `outside` the values given from
    outside the file, `compile_with` compiles it with other values from outside.
    """

    named: Definition
    definition: BlockDefinition
    values: Mapping[str, Value]
    given: frozenset[str]
    outside: Mapping[str, object]
    compile_with: Callable[[Mapping[str, object]], Compiled | None]

    @cached_property
    def numbers(self) -> Mapping[str, int | float]:
        """The parameters that only change numbers."""
        found: dict[str, int | float] = {}
        defaults = defaults_of(self.definition)
        for parameter in self.definition.parameters:
            name = parameter.name or "_"
            value, default = self.values[name], defaults.get(name)
            kind = parameter.type.name if parameter.type is not None else ""
            if kind not in ("int", "float") or not isinstance(value, int | float):
                continue
            if name not in self.given and (default is None or has_names(default)):
                continue
            if not self._decisions.read(self.definition, [name]):
                found[name] = value
        return found

    def member(self, own: Compiled, values: Mapping[str, int | float]) -> Compiled | None:
        """The network `own` with other values of some of `numbers`."""
        other = self.compile_with({**self.outside, **values})
        if other is None or not self._sizes_decide:
            return other
        alike = all(
            [*_read_types(own, training)] == [*_read_types(other, training)]
            for training in (False, True)
        )
        return other if alike else None

    @cached_property
    def _decisions(self) -> Decisions:
        layers = {name: value for name, value in self.values.items() if is_layer(value)}
        # a class checks what a `where` says of its arguments
        return Decisions(self.definition, layers, needs=False)

    @cached_property
    def _sizes_decide(self) -> bool:
        start: list[Definition] = [self.named, self.definition]
        if any(not isinstance(value, int | float) for value in self.outside.values()):
            module = self.named.module  # a string names a layer that is visible there
            start += [*module.own.values(), *module.used.values()]
        return sizes_decide(start, self._decisions)


def _read_types(network: Compiled, training: bool) -> Iterator[TensorType]:
    """The types of all data that is read."""
    for graph in walk(network.training if training else network.inference):
        for node in graph.nodes:
            for port in node.inputs:
                yield graph.type_of(port)
