"""The statements of a body, in order."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby

from archspec.frozen import frozen
from archspec.graph.codegen.conditions import ALWAYS, NEVER, Condition
from archspec.graph.codegen.demand import Demand
from archspec.graph.model import Graph, Node, Port
from archspec_torch.planning.tree import Branch


@frozen
class Step:
    """One statement: a node, or a whole Sequential from `node` to `last`."""

    node: Node
    last: Node
    condition: Condition
    branch: Branch | None = None
    each: tuple[Node, ...] = ()  # for a join: equal ops on all outputs of one call before it

    @property
    def reads(self) -> tuple[Port, ...]:
        """The ports that it reads."""
        if self.each:
            return tuple(port for node in self.each for port in node.inputs)
        return self.node.inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The ports that it assigns."""
        return tuple(Port(self.last.id, index) for index in range(len(self.last.types)))


def plan_steps(
    graph: Graph,
    demand: Demand,
    chains: Mapping[int, tuple[Branch, tuple[Node, ...]]],
    each: Mapping[int, tuple[Node, ...]],
) -> list[Step]:
    """The statements of a graph, without nodes that are not needed.

    `each` has the equal ops between a join and the outputs of one call.
    """
    steps: list[Step] = []
    inside: set[int] = {node.id for nodes in each.values() for node in nodes}
    for _, nodes in chains.values():
        inside.update(node.id for node in nodes[1:])
    for node in graph.nodes:
        if node.is_input or node.id in inside or demand.nodes[node.id] == NEVER:
            continue
        condition = demand.nodes[node.id]
        if node.id in chains:
            branch, nodes = chains[node.id]
            steps.append(Step(node, nodes[-1], condition, branch))
        else:
            steps.append(Step(node, node, condition, each=each.get(node.id, ())))
    return steps


def as_early_as_possible(steps: Sequence[Step], moved: Container[int]) -> list[Step]:
    """The steps, with these nodes as early as their inputs allow.

    The order is unchanged if some steps are conditional.
    """
    if any(step.condition != ALWAYS for step in steps):
        return [*steps]
    waiting = [step for step in steps if step.node.id in moved]
    missing = {port for step in steps for port in step.outputs}
    found: list[Step] = []

    def add(step: Step) -> None:
        found.append(step)
        missing.difference_update(step.outputs)

    def add_waiting() -> None:
        for step in [*waiting]:
            if missing.isdisjoint(step.reads):
                waiting.remove(step)
                add(step)

    for step in steps:
        if step.node.id in moved:
            continue
        if not missing.isdisjoint(step.reads):
            add_waiting()
        add(step)
        add_waiting()
    return [*found, *waiting]


def segments(steps: Iterable[Step]) -> list[tuple[Condition, list[Step]]]:
    """Consecutive steps with one condition, which are under one guard."""
    return [(key, list(part)) for key, part in groupby(steps, lambda step: step.condition)]
