"""The constructor arguments of a class, and expressions over them."""

from __future__ import annotations

from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec.graph.expression import Expression, names_in
from archspec_torch.code.expressions import expression_code
from archspec_torch.code.pieces import NO_DEFAULT, Code, code, kind

Values: TypeAlias = tuple[Any, ...]
"""A constant in each specialisation."""


@frozen
class Parameter:
    """A constructor argument, with its value in each specialisation.

    `outside` means that it is for numbers from other blocks.
    """

    name: str
    values: Values
    outside: bool = False
    default: Any = NO_DEFAULT
    source: str = ""
    """The corresponding name in the body of the block, or none."""
    read: tuple[str, ...] = ()
    """Without a `source`, names of the body on which it may depend."""

    @property
    def kind(self) -> str:
        """The type of its values, as an annotation."""
        kinds = list(dict.fromkeys(map(kind, self.values)))
        return kinds[0] if len(kinds) == 1 else f"Union[{', '.join(kinds)}]"


@frozen
class Ratio:
    """`times * name // by`."""

    name: str
    times: int = 1
    by: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The argument that it reads."""
        return (self.name,)

    def code(self, own: str) -> Code:
        """As an expression; `own` is the prefix of the name."""
        if self.times > 1:
            return code(f"{self.times} * {own}{self.name}")
        return code(f"{own}{self.name}" + (f" // {self.by}" if self.by > 1 else ""))


@frozen
class Written:
    """An expression from the spec over arguments; `spelled` has the names spelled otherwise.

    Those in `local` are variables of the method.
    """

    expression: Expression
    spelled: tuple[tuple[str, str], ...] = ()
    local: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The arguments that it reads."""
        spelled = dict(self.spelled)
        return tuple(spelled.get(name, name) for name in names_in(self.expression))

    def code(self, own: str) -> Code:
        """As an expression; `own` is the prefix of the names of arguments."""
        spelled = dict(self.spelled)

        def read(name: str) -> Code:
            return code(name if name in self.local else f"{own}{spelled.get(name, name)}")

        return expression_code(self.expression, read, bool(own))


Filling: TypeAlias = "Ratio | Written"
