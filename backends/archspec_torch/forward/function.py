"""A function that is being written: its names, the sizes it reads, the device of new tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from archspec.graph.codegen.identifiers import Names
from archspec.graph.codegen.sizes import Locals
from archspec.graph.expression import Name
from archspec.graph.model import Graph, Port
from archspec.types.dim import Dim, DimLike, dim
from archspec.types.tensor import DType, TensorType
from archspec_torch.code.dtypes import TORCH_TYPES
from archspec_torch.code.expressions import expression_code
from archspec_torch.code.lines import Comment, Line, Weight
from archspec_torch.code.pieces import Code, Hole, call, code
from archspec_torch.code.sizes import size_code
from archspec_torch.forward.extents import extents
from archspec_torch.lowering.base import Scope


@dataclass
class Function(Scope):
    """A function that is being written.

    `arguments` are its tensors with their types. `like` has the floating type if no input has it: a
    weight, or else an empty buffer; `uses_buffer` is whether it needs that.
    """

    locals: Locals
    names: Names
    arguments: Sequence[tuple[str, TensorType]]
    is_method: bool = True
    lines: list[Line] = field(default_factory=list)
    indent: int = 0
    uses_buffer: bool = False
    like: str = "self.like"
    has_like: bool = False  # whether `like` is a weight instead
    accessors: dict[str, str] = field(default_factory=dict)  # set per op: "" or a region's name
    passed: dict[str, list[Code]] = field(default_factory=dict)  # likewise: draws and sizes
    graph: Graph | None = None
    exact: bool = False  # set per op: whether its floating type is float32
    sizes_read: set[Dim] = field(default_factory=set)  # those written over sizes of inputs
    _sizes: dict[str, None] = field(default_factory=dict)
    _defined: dict[str, Code] = field(default_factory=dict)
    _device: str = ""
    _dtype: str = ""

    # ------------------------------------------------------------------ for lowerings

    def size(self, value: DimLike) -> Code:
        """A dimension over local symbols, which the prologue then reads."""
        number = dim(value).constant
        if number is not None:
            return code(Hole(number, "size"))
        local = self.locals.rewrite(dim(value))
        if not local.symbols <= self.locals.defined.keys():
            self.sizes_read.add(dim(value))
        return self.local_size(local)

    def local_size(self, value: Dim) -> Code:
        """An expression over local symbols."""
        for name in sorted(value.symbols):
            if name in self.locals.where:
                self._sizes.setdefault(name)
            elif name in self.locals.defined and name not in self._defined:
                self._defined[name] = ()  # its parts are read before it
                self._defined[name] = self._definition(self.locals.defined[name])
        return size_code(value)

    def _definition(self, name: str) -> Code:
        """The expression of a size that the body defines."""
        assert self.graph is not None
        names = self.graph.names

        def read(part: str) -> Code:
            value = names[part]
            if isinstance(value, Dim):
                return self.local_size(self.locals.rewrite(value))
            return code(Hole(value, part, Name(part)))

        return expression_code(self.graph.definitions[name], read, scripted=True)

    def device(self) -> str:
        """A local variable with the device of the inputs; empty in a plain function."""
        if not self.is_method:
            return ""
        if not self._device:
            self._device = self.names.fresh("device")
            self.uses_buffer |= not self.arguments and not self.has_like
        return self._device

    def dtype(self, dtype: DType) -> str:
        """An element type; the floating type is that of a floating input."""
        if dtype in TORCH_TYPES:
            return TORCH_TYPES[dtype]
        if self.exact:
            return "torch.float32"
        if not self.is_method:
            return "torch.get_default_dtype()"
        if not self._dtype:
            self._dtype = self.names.fresh("dtype")
            self.uses_buffer |= _first_float(self.arguments) is None and not self.has_like
        return self._dtype

    def module(self) -> str:
        """The module of the current op."""
        return self.accessors[""]

    def run(self, region: str, *inputs: str) -> Code:
        """A call of a region of the current op."""
        return call(self.accessors[region], *inputs, *self.passed.get(region, ()))

    def training(self) -> str:
        """The mode flag; a plain function computes a constant once, as in inference."""
        return "self.training" if self.is_method else "False"

    def statement(self, hint: str, *source: Any) -> str:
        """Assign to a new name."""
        name = self.names.fresh(hint)
        self.line(name, " = ", *source)
        return name

    def fresh(self, hint: str) -> str:
        """A name that is not used."""
        return self.names.fresh(hint)

    def line(self, *source: Any, indent: int = 0) -> None:
        """Add a line at the current indentation."""
        self.lines.append(Line(code(*source), self.indent + indent))

    # ------------------------------------------------------------------ for statements

    def add(
        self,
        source: Code,
        comment: Comment = (),
        tensors: bool = False,
        is_part: bool = False,
        weight: Weight = Weight.NONE,
    ) -> None:
        """Add a line with the types of its values, and what `Line` says of it."""
        self.lines.append(Line(source, self.indent, comment, tensors, is_part, weight))

    def comment(self, ports: Sequence[Port]) -> Comment:
        """The types of values over local symbols and names of the spec."""
        assert self.graph is not None
        return tuple(
            (str(self.graph.type_of(port).dtype), extents(self.graph, port, self.locals))
            for port in ports
        )

    def prologue(self) -> list[Line]:
        """Lines that read sizes, device and type, at the beginning."""
        found = []
        by_input: dict[int, list[str]] = {}
        for name in filter(self._sizes.__contains__, self.locals.where):
            by_input.setdefault(self.locals.where[name].input, []).append(name)
        for index, names in by_input.items():
            source = self.arguments[index][0]
            reads = ", ".join(f"{source}.shape[{self.locals.where[name].axis}]" for name in names)
            found.append(Line(code(f"{', '.join(names)} = {reads}")))
        for name in filter(self._defined.__contains__, self.locals.defined):
            found.append(Line(code(f"{name} = ", self._defined[name])))
        if self._device:
            source = self.arguments[0][0] if self.arguments else self.like
            found.append(Line(code(f"{self._device} = {source}.device")))
        if self._dtype:
            found.append(
                Line(code(f"{self._dtype} = {_first_float(self.arguments) or self.like}.dtype"))
            )
        return found


def _first_float(arguments: Sequence[tuple[str, TensorType]]) -> str | None:
    """The name of the first tensor with a floating type."""
    return next((name for name, type_ in arguments if type_.dtype.is_float), None)
