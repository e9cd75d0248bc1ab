"""The inputs and outputs of a unit in both modes."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.frozen import frozen
from archspec.graph.model import Node, Port
from archspec.graph.units import Unit
from archspec.types.tensor import TensorType


@frozen
class Input:
    """An input of a unit: its name, and the node in each mode (None if it is absent)."""

    name: str
    inference: Node | None
    training: Node | None

    @property
    def optional(self) -> bool:
        """Whether it exists in only one mode."""
        return self.inference is None or self.training is None

    def node(self, training: bool) -> Node | None:
        """The node in one mode."""
        return self.training if training else self.inference

    def type_in(self, training: bool) -> TensorType:
        """Its type in one mode (that of the other mode if it exists in only one)."""
        return (self.node(training) or self.either).types[0]

    @property
    def either(self) -> Node:
        """The node in inference, otherwise in training."""
        found = self.inference or self.training
        assert found is not None
        return found


def inputs_of(unit: Unit) -> tuple[Input, ...]:
    """Inputs of both modes: matched by position if there are equally many, otherwise by name.

    Those of a network are matched by name if the names of the modes differ.
    """
    one = unit.inference.inputs if unit.inference else ()
    two = unit.training.inputs if unit.training else ()
    alike = len(one) == len(two)
    if unit.either.kind == "network":
        alike = [node.name for node in one] == [node.name for node in two]
    if unit.inference is None or unit.training is None or alike:
        pairs: list[tuple[Node | None, Node | None]] = list(
            zip(one or two, two or one, strict=True)
        )
    else:
        pairs = _by_name(one, two)
    return tuple(_input(left, right) for left, right in pairs)


def _by_name(
    inference: Sequence[Node], training: Sequence[Node]
) -> list[tuple[Node | None, Node | None]]:
    """In the order of the mode with more inputs, those of both modes first."""
    one, two = {n.name: n for n in inference}, {n.name: n for n in training}
    names = dict.fromkeys((*one, *two) if len(inference) > len(training) else (*two, *one))
    return sorted(((one.get(name), two.get(name)) for name in names), key=lambda pair: None in pair)


def _input(inference: Node | None, training: Node | None) -> Input:
    either = inference or training
    assert either is not None
    return Input(either.name, inference, training)


def ports_of(node: Node) -> list[Port]:
    """The output ports of a node."""
    return [Port(node.id, index) for index in range(len(node.types))]
