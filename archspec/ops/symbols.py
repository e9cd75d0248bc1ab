"""Attributes that may be symbols while a signature is checked for all integers.

There an integer parameter of a rule is a `Dim`. An attribute takes one only where its type says so:
`int | Symbol`, `Count`, or `int | Dim`, which takes free dimensions everywhere. The shape rule then
computes with Dims; what an op has of numbers only (the shapes of its parameters, how it is lowered)
goes through `number`. All other attributes are numbers always.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, PositiveInt, ValidationInfo

from archspec.ops.base import OpError
from archspec.types.dim import Dim, DimLike

WITH_SYMBOLS: Mapping[str, bool] = {"symbols": True}
"""The context for pydantic in which ops are made while a signature is checked."""


def _allowed(value: Dim, info: ValidationInfo) -> Dim:
    if not (info.context or {}).get("symbols"):
        raise ValueError("it is a number where no signature is checked")
    return value


Symbol: TypeAlias = Annotated[Dim, AfterValidator(_allowed)]
"""A Dim while a signature is checked; refused elsewhere."""

Count: TypeAlias = PositiveInt | Symbol
"""A positive number, or a symbol for one while a signature is checked."""


def number(value: DimLike) -> int:
    """The number that an attribute or a size is. Raises OpError (E0403) for a symbol."""
    found = value.constant if isinstance(value, Dim) else value
    if found is None:
        raise OpError(f"a number is needed, but this is `{value}`", code="E0403")
    return found
