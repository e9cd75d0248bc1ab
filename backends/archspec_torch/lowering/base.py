"""The interface of lowerings from ops to PyTorch, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec.graph.model import Graph, Instance, Node
from archspec.ops.base import Op, Parameter
from archspec.types.dim import Dim, DimLike
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import DType, TensorType
from archspec_torch.code.pieces import Code, Hole, call, code

Apply: TypeAlias = Callable[[Sequence[str], "Scope"], Code]
"""Code of the result from the code of the inputs."""


class Scope:
    """The interface of the function that a lowering writes into."""

    def size(self, value: DimLike) -> Code:
        """A dimension, as an expression over sizes that are known in the function."""
        raise NotImplementedError

    def device(self) -> str:
        """The device for new tensors."""
        raise NotImplementedError

    def dtype(self, dtype: DType) -> str:
        """An element type; for `f32` the floating type of the module."""
        raise NotImplementedError

    def module(self) -> str:
        """The module or parameter of the instance."""
        raise NotImplementedError

    def run(self, region: str, *inputs: str) -> Code:
        """Code that applies a region: `self.field(x)`, with arguments besides its inputs."""
        raise NotImplementedError

    def training(self) -> str:
        """Whether the module is in training mode: `self.training`."""
        raise NotImplementedError

    def statement(self, hint: str, *source: Any) -> str:
        """Write `hint = source` before the result, and return the name of the variable."""
        raise NotImplementedError

    def fresh(self, hint: str) -> str:
        """A name that is not used."""
        raise NotImplementedError

    def line(self, *source: Any, indent: int = 0) -> None:
        """Write a statement before the result."""
        raise NotImplementedError


@frozen
class Site:
    """An op in a graph: attributes, types, and the attributes written in the spec."""

    op: Any  # the concrete Op; each lowering knows its own
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    instance: Instance

    @property
    def x(self) -> TensorType:
        """The first input."""
        return self.inputs[0]

    @property
    def y(self) -> TensorType:
        """The first output."""
        return self.outputs[0]

    @property
    def axes(self) -> int:
        """Number of spatial axes of the first input, [B, C, ...]."""
        return self.x.rank - 2

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The tensors of the instance."""
        op: Op = self.op
        return op.parameters(*self.inputs)


def site(graph: Graph, node: Node) -> Site:
    """The site of an op."""
    assert node.instance is not None
    inputs = graph.types_read(node)
    return Site(node.op, inputs, node.types, node.instance)


@frozen
class Lowered:
    """An op in PyTorch.

    `module` constructs it as a module; ops with parameters must have it. `apply` writes it as an
    expression; without it the module is called with the inputs. `given` are the initial values
    that constructing the module brings about by itself. `helpers` are names in the prelude that
    the expression needs, `module_helpers` those that the constructor needs.
    `raw` says that the instance is a parameter or buffer itself, not a module.

    `fresh` says that the result is a new tensor, not a view, whose values the backward pass of the
    op does not read. `in_place` is the same op written over its input, where its backward pass
    does not read that; it takes the place of this one where the input is fresh and nobody else
    reads it.
    """

    module: Code | None = None
    apply: Apply | None = None
    helpers: tuple[str, ...] = ()
    given: Mapping[str, Initialiser] = field(default_factory=dict)
    raw: bool = False
    module_helpers: tuple[str, ...] = ()
    fresh: bool = False
    in_place: Lowered | None = None


LONGEST = 50
"""Maximum number of operands of one expression: Python nests its tree and their brackets."""

Lowering: TypeAlias = Callable[[Site], Lowered]

LOWERINGS: dict[str, Lowering] = {}
"""Every lowering by the name of its op; filled by the modules of this package."""

UNSUPPORTED: dict[str, str] = {}
"""Ops that have no lowering, with the reason."""


def lowers(*names: str, fresh: bool = False) -> Callable[[Lowering], Lowering]:
    """Register a function as the lowering of these ops. Two for one op are rejected.

    `fresh` declares that its result is a new tensor.
    """

    def register(function: Lowering) -> Lowering:
        for name in names:
            if name in LOWERINGS:
                raise ValueError(f"two lowerings for the op {name}")
            LOWERINGS[name] = _freshly(function) if fresh else function
        return function

    return register


def _freshly(function: Lowering) -> Lowering:
    return lambda site: replace(function(site), fresh=True)


def constant(size: DimLike) -> int:
    """The number of a dimension; sizes of weights are always numbers."""
    value = size if isinstance(size, int) else size.constant
    if value is None:
        raise ValueError(f"{size} is not a number")
    return value


def fixed(size: DimLike) -> int | None:
    """The number of a dimension, or None."""
    return size.constant if isinstance(size, Dim) else size


def collapsed(value: int | tuple[int, ...] | None) -> int | tuple[int, ...] | None:
    """`(3, 3)` as 3."""
    if isinstance(value, tuple) and value and all(item == value[0] for item in value):
        return value[0]
    return value


def axes_text(axis: int | Sequence[int] | None) -> str:
    """Axes as torch expects them: `1` or `(2, 3)`."""
    if isinstance(axis, int):
        return str(axis)
    items = [str(item) for item in axis or ()]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def number(value: int | float | Dim, scope: Scope) -> Code:
    """A literal operand: a number as a hole, a dimension in parentheses if necessary."""
    if isinstance(value, Dim):
        size = scope.size(value)
        return code("(", size, ")") if len(size) > 1 else size
    return code(Hole(value, "value"))


def accumulated(
    operands: Sequence[Code], combine: Callable[[Code, Code], Code], scope: Scope
) -> Code:
    """All operands combined from the left, in expressions that are not too long for Python."""
    result, name = operands[0], ""
    for count, operand in enumerate(operands[1:], 1):
        if count % LONGEST == 0:
            name = name or scope.fresh("total")
            scope.line(name, " = ", result)
            result = code(name)
        result = combine(result, operand)
    return result


def function(name: str, *more: Any) -> Apply:
    """An expression that calls a function on the inputs and further arguments."""
    return lambda inputs, scope: call(name, *inputs, *more)


def method(name: str, *more: Any) -> Apply:
    """An expression that calls a method of the first input."""
    return lambda inputs, scope: call(f"{inputs[0]}.{name}", *inputs[1:], *more)
