"""The sizes that a network accepts: a formula, split by axis where possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from archspec.types.condition import (
    FALSE,
    TRUE,
    All,
    Condition,
    allowed_size,
    at_least,
    beginning_at_zero,
    conjunction,
    equal,
    evaluate,
    symbols_of,
    zero_allowed,
)
from archspec.types.dim import Dim
from archspec.types.solver import (
    WRITING,
    VerdictKind,
    clauses,
    condition_text,
    decide,
    simplify,
)

Json: TypeAlias = "str | bool | list[Json] | dict[str, Json]"


def next_size(condition: Condition, sizes: Mapping[str, int], reach: int) -> tuple[str, int] | None:
    """The nearest larger size of one dim, at most `reach` away, with which the condition holds."""
    for distance in range(1, reach + 1):
        for name, size in sizes.items():
            if evaluate(condition, {**sizes, name: size + distance}):
                return name, size + distance
    return None


@dataclass(frozen=True)
class ValidSizes:
    """Exactly the sizes for which `formula` holds.

    Sizes are integers from 1 on, or from 0 on where the formula says so. `per_axis` holds the
    conjuncts on a single symbol, `joint` those on several; the formula is the conjunction of all.
    """

    formula: Condition
    per_axis: Mapping[str, Condition] = field(init=False, compare=False, repr=False)
    joint: Condition = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parts = self.formula.parts if isinstance(self.formula, All) else (self.formula,)
        single: dict[str, list[Condition]] = {}
        joint: list[Condition] = []
        for part in parts:
            symbols = symbols_of(part)
            if len(symbols) == 1:
                single.setdefault(next(iter(symbols)), []).append(part)
            else:
                joint.append(part)
        axes = {symbol: conjunction(held) for symbol, held in sorted(single.items())}
        object.__setattr__(self, "per_axis", MappingProxyType(axes))
        object.__setattr__(self, "joint", conjunction(joint))

    @classmethod
    def of(cls, condition: Condition) -> ValidSizes:
        """The sizes that satisfy `condition`, in the shortest form found within the budget."""
        allowed = beginning_at_zero(condition)
        budget = WRITING
        found = simplify(condition, allowed, budget)
        kept: list[Condition] = []
        for name in sorted(zero_allowed(condition)):
            size = Dim.symbol(name)
            verdict = decide(conjunction([found, equal(size, 0)]), allowed, budget)
            budget -= verdict.work
            kept += [at_least(size, 0)] if verdict.kind is not VerdictKind.NEVER else []
        return cls(conjunction([found, *kept]))

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols that the formula restricts."""
        return symbols_of(self.formula)

    @property
    def is_everything(self) -> bool:
        """Whether every size is valid."""
        return self.formula == TRUE

    def accepts(self, sizes: Mapping[str, int]) -> bool:
        """Whether these sizes are valid, decided exactly by evaluation.

        Raises KeyError for a symbol of the formula that has no size.
        """
        zero = zero_allowed(self.formula)
        allowed = all(allowed_size(size, name, zero) for name, size in sizes.items())
        return allowed and evaluate(self.formula, sizes)

    def __str__(self) -> str:
        """For example `H % 32 == 0, W % 32 == 0`, or `every size`, or `no size`."""
        if self.formula == FALSE:
            return "no size"
        return "every size" if self.is_everything else ", ".join(clauses(self.formula))

    def __repr__(self) -> str:
        return f"<ValidSizes: {self}>"

    def to_json(self) -> dict[str, Json]:
        """The formula as text, whole, per axis and joint, in the syntax of the language."""
        axes: dict[str, Json] = {
            symbol: condition_text(condition) for symbol, condition in self.per_axis.items()
        }
        joint: list[Json] = list(clauses(self.joint))
        return {"formula": str(self), "per_axis": axes, "joint": joint}
