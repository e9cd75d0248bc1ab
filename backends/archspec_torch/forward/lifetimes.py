"""Where each value of a body is read, and for the last time."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.graph.codegen.conditions import ALWAYS, Condition
from archspec.graph.model import Graph, Port
from archspec_torch.forward.steps import Step

RESULT = -1
"""Placeholder for the segment of the result."""


class Lifetimes:
    """Where the values of a body are read: a segment is a run of steps under one condition."""

    def __init__(self, graph: Graph, steps: Sequence[Step]) -> None:
        self.readers: dict[Port, list[int]] = {}
        """The segments that read each value."""
        self._segment: dict[Port, int] = {}
        self._last: dict[Port, int] = {}
        self._at = {step.last.id: number for number, step in enumerate(steps)}
        self._conditions = {step.last.id: step.condition for step in steps}
        segment, previous = 0, ALWAYS
        for at, step in enumerate(steps):
            if step.condition != previous:
                segment, previous = segment + 1, step.condition
            self._segment |= dict.fromkeys(step.outputs, segment)
            for port in step.reads:
                self._last[port] = at
                self.readers.setdefault(port, []).append(segment)
        for port in graph.output_ports:
            self._last[port] = len(steps)
            self.readers.setdefault(port, []).append(RESULT)

    def at(self, step: Step) -> int:
        """The index of the step."""
        return self._at[step.last.id]

    def last_use(self, port: Port) -> int:
        """The index of the last step that reads a value, -1 if none does."""
        return self._last.get(port, -1)

    def condition(self, port: Port) -> Condition:
        """The condition under which a value is computed."""
        return self._conditions.get(port.node, ALWAYS)

    def join(self, port: Port, other: Port) -> None:
        """Let two values, which are one variable, live as long as each other."""
        self._last[port] = self._last[other] = max(self.last_use(port), self.last_use(other))

    def escapes(self, port: Port) -> bool:
        """Whether a value is read outside the segment that makes it."""
        own = self._segment.get(port)
        return any(reader != own for reader in self.readers.get(port, ()))
