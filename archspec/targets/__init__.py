"""Targets of `build`: the backend protocol and the registry of backends."""

from archspec.targets.base import Backend, BuildRequest, LiveBackend, Uncovered
from archspec.targets.registry import available, backend
from archspec.targets.weights import Weights, WeightStore

__all__ = [
    "Backend",
    "BuildRequest",
    "LiveBackend",
    "Uncovered",
    "WeightStore",
    "Weights",
    "available",
    "backend",
]
