"""Which statements compute parts of others, and the memory that their values take."""

from __future__ import annotations

from archspec.graph.codegen.conditions import ALWAYS
from archspec.graph.model import Graph, Node, Port
from archspec_torch.code.lines import Weight
from archspec_torch.forward.labels import own_name
from archspec_torch.forward.steps import Step

CATEGORIES = frozenset(
    {"activation", "arithmetic", "indexing", "merge", "reduction", "shape", "source"}
)
"""Those of ops that are written in expressions with others."""


class Parts:
    """What is known of the statements of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._light: set[int] = set()
        for node in graph.nodes:
            if self._is_light(node):
                self._light.add(node.id)

    def is_part(self, step: Step) -> bool:
        """Whether a value has no name in the spec, and an expression without a module or draws."""
        node = step.node
        if step.branch is not None or step.each or step.condition != ALWAYS:
            return False
        if node.op is None or node.instance is None or len(node.types) != 1:
            return False
        plain = not node.op.stochastic and not node.instance.regions
        plain = plain and not self.graph.parameters_of(node)
        return plain and node.op.category in CATEGORIES and not own_name(self.graph, Port(node.id))

    def weight(self, step: Step) -> Weight:
        """The memory of the value of a step."""
        return Weight.LIGHT if step.last.id in self._light else Weight.HEAVY

    def _is_light(self, node: Node) -> bool:
        """Whether a value is integers, or is computed from positions and parameters only."""
        if not any(kind.dtype.is_float for kind in node.types):
            return True
        if node.is_input or node.op is None:
            return False
        if node.inputs and self.graph.parameters_of(node):
            return False
        return all(port.node in self._light and self._is_own(port) for port in node.inputs)

    def _is_own(self, port: Port) -> bool:
        """Whether a value is not an input of the graph."""
        return not self.graph.node(port.node).is_input
