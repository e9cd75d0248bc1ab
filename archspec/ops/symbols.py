"""Attributes that may be symbols while a signature is checked for all integers.

During such a check, an integer parameter of a rule is a `Dim`. An attribute accepts one only if its
type is `int | Symbol`, `Count`, or `int | Dim`, which always accepts free dimensions. The shape
rule then computes with Dims; code that needs numbers (the shapes of parameters, the lowering) calls
`number`. All other attributes are always numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, PositiveInt, ValidationInfo

from archspec.ops.base import OpError
from archspec.types.dim import Dim, DimLike

WITH_SYMBOLS: Mapping[str, bool] = {"symbols": True}
"""The pydantic context in which ops are created while a signature is checked."""


def _allowed(value: Dim, info: ValidationInfo) -> Dim:
    if not (info.context or {}).get("symbols"):
        raise ValueError("it is a number where no signature is checked")
    return value


Symbol: TypeAlias = Annotated[Dim, AfterValidator(_allowed)]
"""A Dim while a signature is checked; rejected otherwise."""

Count: TypeAlias = PositiveInt | Symbol
"""A positive number, or a symbol for one while a signature is checked."""


def number(value: DimLike) -> int:
    """An attribute or a size as a number. Raises OpError (E0403) for a symbol."""
    found = value.constant if isinstance(value, Dim) else value
    if found is None:
        raise OpError(f"a number is needed, but this is `{value}`", code="E0403")
    return found
