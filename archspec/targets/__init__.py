"""Targets of `build`: the backend protocol and how backends are found."""

from archspec.targets.base import Backend
from archspec.targets.registry import available, backend

__all__ = ["Backend", "available", "backend"]
