"""Values during the writing of statements: read, checked for None, and assigned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archspec.graph.model import Port
from archspec.types.tensor import DType
from archspec_torch.code.pieces import Code, call, code, element
from archspec_torch.forward.function import Function
from archspec_torch.forward.parts import Parts
from archspec_torch.forward.steps import Step
from archspec_torch.forward.variables import Variables, new_name
from archspec_torch.planning.precision import Precision


class Values:
    """The variables of a function, and what its lines have established about them so far."""

    def __init__(
        self, variables: Variables, function: Function, precision: Precision, parts: Parts
    ) -> None:
        self.variables, self.function, self.precision = variables, function, precision
        self.parts = parts
        self._narrowed: set[str] = set()
        self._renamed: list[Port] = []

    def read(self, port: Port) -> str:
        """Code of a value that exists, in the type of the module if it is floating."""
        name = self.read_exactly(port)
        if port.node not in self.precision.exact:
            return name
        return f"{name}.to({self.function.dtype(DType.F32)})"

    def read_exactly(self, port: Port) -> str:
        """Code of a value that exists, as it is: an optional one is asserted first."""
        name = self.variables.text(port)
        if not self.variables.optional(port):
            return name
        if "[" in name:  # an element of a list cannot be narrowed
            name = self.variables.rename(port)
            self._renamed.append(port)
            self.function.add(code(f"{name} = {self.variables.element(port)}"))
        if name not in self._narrowed:
            self.function.add(code(f"assert {name} is not None"))
            self._narrowed.add(name)
        return name

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Assertions under a guard are not valid after it."""
        before = set(self._narrowed)
        self._renamed = []
        self.function.indent += 4
        yield
        self.function.indent -= 4
        self._narrowed = before
        for port in self._renamed:
            self.variables.forget(port)

    def declare(self, step: Step, is_list: bool, flags: str = "") -> None:
        """Declare variables for values that are assigned under a guard and read outside.

        Those of a list are as many as `flags`, if there are any.
        """
        escaping = [port for port in step.outputs if self.variables.escapes(port)]
        if escaping and is_list:
            name = self.variables.declare_list(step.node)
            empty = ", ".join(["None"] * len(step.node.types))
            if flags:  # their number depends on the depth
                empty = f"None for _ in {flags}"
            self.function.add(code(f"{name}: List[Optional[Tensor]] = [{empty}]"))
            return
        for port in escaping:
            name = self.variables.declare(port)
            self.function.add(code(f"{name}: Optional[Tensor] = None"))

    def assign(self, step: Step, source: Code) -> None:
        """Assign the outputs of a step, with their types in a comment."""
        comment = self.function.comment(step.outputs)
        targets, take = self.variables.assign(step)
        if take is not None:
            source = element(source, take)
            comment = self.function.comment(step.outputs[take : take + 1])
        self.function.add(
            code(targets, " = ", source) if targets else source,
            comment,
            tensors=True,
            is_part=self.parts.is_part(step),
            weight=self.parts.weight(step),
        )

    def assign_only(self, step: Step, mask: str) -> None:
        """Assign the only output of a call, which is in a list, to a variable of its own."""
        (port,) = step.outputs
        whole = self.variables.list_name(port.node)
        name = new_name(self.variables.names)
        self.variables.bind(port, name)
        self.function.add(code(f"{name} = ", call("join", whole, mask)), tensors=True)

    def assign_list(self, step: Step, source: Code) -> None:
        """Assign all outputs of a step to one list."""
        name = self.variables.assign_list(step.node)
        self.function.add(code(name, " = ", source), self.function.comment(step.outputs))
