"""The decorator for immutable data classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Short for `dataclass(frozen=True, slots=True)`."""
    return dataclass(frozen=True, slots=True)(cls)
