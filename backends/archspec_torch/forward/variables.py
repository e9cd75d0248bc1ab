"""The variables of values; a name is reused when its value is not needed any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from archspec.graph.codegen.conditions import ALWAYS
from archspec.graph.codegen.identifiers import Names
from archspec.graph.model import Graph, Node, Port
from archspec_torch.forward.labels import list_name, own_name
from archspec_torch.forward.lifetimes import Lifetimes
from archspec_torch.forward.steps import Step

LETTERS = ("x", "y", "z")
"""Generic names, even if the spec uses them."""

POOL = (*LETTERS, "u", "v", "w")
"""Names of values that have no name in the spec."""

MOST_EQUAL = 9
"""Maximal number of variables that begin with one name of the spec."""

ARITHMETIC = frozenset({"add", "sub", "mul", "div", "where", "masked_fill"})
"""Ops whose result keeps the name of an input."""

Wanted: TypeAlias = Mapping[Port, Sequence[str]]
"""The preferred names of values, the best first, if these are not in use."""


class Variables:
    """The variable of each port; a name is reused when its value is not needed any more."""

    def __init__(self, graph: Graph, steps: Sequence[Step], wanted: Wanted, names: Names) -> None:
        self.graph, self.names, self._wanted = graph, names, wanted
        self.names_of_values: dict[Port, str] = {}
        """The code that reads each value."""
        self._optional: dict[Port, bool] = {}
        self._lists: dict[int, str] = {}
        self._lives = Lifetimes(graph, steps)
        self._free: list[str] = []
        self._holds: dict[str, Port] = {}  # the value of each name that statements may assign to
        self._of_spec: set[str] = set()  # names in the spec for their values

    def bind(self, port: Port, text: str, assignable: bool = False) -> None:
        """Let a port, which is not None, be read by this code (an argument, a parameter)."""
        self.names_of_values[port], self._optional[port] = text, False
        if assignable:
            self._holds[text] = port

    def alias(self, port: Port, source: Port) -> None:
        """Let a port have the same variable as another, which is then needed as long."""
        self.names_of_values[port] = self.text(source)
        self._optional[port] = self.optional(source)
        self._lives.join(port, source)
        if self.names_of_values[port] in self._holds:
            self._holds[self.names_of_values[port]] = port

    def text(self, port: Port) -> str:
        """Code that reads a port."""
        return self.names_of_values.get(port) or self.element(port)

    def element(self, port: Port) -> str:
        """A port as an element of its list."""
        return f"{self._lists[port.node]}[{port.index}]"

    def list_name(self, node: int) -> str:
        """The list that holds all outputs of a node, or ""."""
        return self._lists.get(node, "")

    def declared(self, port: Port) -> bool:
        """Whether it already has a variable."""
        return port in self.names_of_values

    def optional(self, port: Port) -> bool:
        """Whether the type of its variable admits None."""
        return self._optional.get(port, port.node in self._lists)

    def rename(self, port: Port) -> str:
        """A new name for an element of a list."""
        self.names_of_values[port] = self.names.fresh(f"{self._lists[port.node]}_{port.index}")
        return self.names_of_values[port]

    def forget(self, port: Port) -> None:
        """Undo `rename`: outside the guard, that name may be unset."""
        self.names_of_values.pop(port, None)

    def escapes(self, port: Port) -> bool:
        """Whether a guarded value is read outside its guard."""
        return self._lives.escapes(port)

    def declare(self, port: Port, optional: bool = True) -> str:
        """A new name for a value that may be None outside, unless one is declared already."""
        if port in self.names_of_values:
            return self.names_of_values[port]
        node = self.graph.node(port.node)
        name = self.names.fresh(own_name(self.graph, port) or list_name(node, "y"))
        self.names_of_values[port], self._optional[port] = name, optional
        return name

    def declare_list(self, node: Node) -> str:
        """A new name for the outputs of a call."""
        self._lists[node.id] = self.names.fresh(list_name(node, "columns"))
        return self._lists[node.id]

    def assign_list(self, node: Node) -> str:
        """The name for the outputs of a call."""
        return self._lists.get(node.id) or self.declare_list(node)

    def assign(self, step: Step) -> tuple[str, int | None]:
        """Text of the target, and the element to take if only one of several is read."""
        dying = self._read_last(step)
        ports = [port for port in step.outputs if self._lives.readers.get(port)]
        if len(step.outputs) > 1 and len(ports) == 1:
            targets, take = self._target(ports[0], step, dying), ports[0].index
        else:
            targets, take = ", ".join(self._target(p, step, dying) for p in step.outputs), None
        if step.condition == ALWAYS:
            self._free += filter(self._is_generic, dying)
        return targets, take

    # ------------------------------------------------------------------ names

    def _target(self, port: Port, step: Step, dying: list[str]) -> str:
        if port in self.names_of_values:  # declared before its guard
            return self.names_of_values[port]
        name = self._own_name(port, step) or self._used_again(step, dying) or new_name(self.names)
        for names in (dying, self._free):
            if name in names:
                names.remove(name)
        self.names_of_values[port] = name
        self._holds[name] = port
        return name

    def _own_name(self, port: Port, step: Step) -> str:
        """The first wanted name, or the last one with a number, that no value needs; else ""."""
        wanted = [*self._wanted.get(port, ())]
        if wanted and wanted[-1] not in LETTERS:
            wanted += [f"{wanted[-1]}_{number}" for number in range(2, MOST_EQUAL + 1)]
        for name in wanted:
            if self.names.free(name) or self._is_dead(name, step):
                self.names.take(name)
                self._of_spec.add(name)
                return name
        return ""

    def _used_again(self, step: Step, dying: list[str]) -> str:
        """A name whose value is not read after this step; otherwise ""."""
        names = sorted(dying, key=lambda name: not is_generic(name))
        if not _may_keep_name(step):
            names = [name for name in names if self._is_generic(name)]
        if not names and step.condition == ALWAYS:
            names = self._free
        return names[0] if names else ""

    def _is_generic(self, name: str) -> bool:
        return is_generic(name) and (name not in self._of_spec or name in LETTERS)

    def _is_dead(self, name: str, step: Step) -> bool:
        """Whether a statement may assign to this name, because nothing after the step reads it."""
        port = self._holds.get(name)
        if port is None or self.optional(port) or step.condition != ALWAYS:
            return False
        made = self._lives.condition(port)
        return made == ALWAYS and self._lives.last_use(port) <= self._lives.at(step)

    def _read_last(self, step: Step) -> list[str]:
        """Names of what is read here for the last time, in that order; no arguments."""
        at = self._lives.at(step)
        found: dict[str, None] = {}
        for port in step.reads:
            name = self.names_of_values.get(port, "")
            alone = not self._optional.get(port) and port.node not in self._lists
            argument = self.graph.node(port.node).is_input and not is_generic(name)
            last = self._lives.last_use(port) == at and name in self._holds and not argument
            if alone and last and self._lives.condition(port) == step.condition:
                found.setdefault(name)
        return list(found)


def new_name(names: Names) -> str:
    """An unused name for a value without a name in the spec."""
    return names.fresh(next((name for name in POOL if names.free(name)), "x"))


def is_generic(name: str) -> bool:
    """Whether it is a name for values without a name in the spec."""
    base, _, number = name.partition("_")
    return base in POOL and (number.isdigit() or not number)


def _may_keep_name(step: Step) -> bool:
    """Whether the result may have the name of one of the inputs."""
    op = step.node.op
    same = len(set(step.reads)) == 1 and len(step.outputs) == 1
    return same or (op is not None and op.name in ARITHMETIC)
