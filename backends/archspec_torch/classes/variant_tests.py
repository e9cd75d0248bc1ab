"""The tests by which the code of a class distinguishes two variants."""

from __future__ import annotations

from archspec.frozen import frozen
from archspec.graph.expression import Expression, Name, negated
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import Hole, code


@frozen
class Test:
    """By an attribute, by an optional input, or else by an expression over arguments."""

    condition: Expression | None
    """True for the first variant; None if only an input distinguishes them."""
    attribute: str = ""
    """An attribute that only one variant has."""
    value: str = ""
    """An input that only one variant has."""
    of_first: bool = True
    """Whether that is the first variant."""
    is_static: bool = False
    """Whether the condition is a constant for TorchScript."""

    @property
    def is_decided(self) -> bool:
        """Whether TorchScript compiles only one of the sides."""
        return bool(self.attribute) or self.is_static

    @property
    def constants(self) -> set[str]:
        """The names of the block that are constants for TorchScript."""
        return (
            {self.condition.text} if self.is_static and isinstance(self.condition, Name) else set()
        )

    def head(self, holds: bool, of: bool) -> Line:
        """`if ..:`, true in the first variant (`of`) or else in the second.

        It is written for a draft for which the condition is true, or false.
        """
        tested = f"self.{self.attribute}" if self.attribute else self.value
        if tested:
            negation = "not " if of == self.of_first else ""
            return Line(code(f"if {tested} is {negation}None:"))
        assert self.condition is not None
        condition = self.condition if of else negated(self.condition)
        return Line(code("if ", Hole(holds == of, "flag", condition), ":"))
