"""Targets of `build`: the backend protocol and how backends are found."""

from archspec.targets.base import Backend, BuildRequest, Uncovered, Weights
from archspec.targets.registry import available, backend

__all__ = ["Backend", "BuildRequest", "Uncovered", "Weights", "available", "backend"]
