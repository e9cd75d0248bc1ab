"""Numerical conformance tests for backends: see `docs/architecture.md`, "A backend"."""

from archspec.targets.conformance.examine import (
    Array,
    Example,
    Found,
    Run,
    Runner,
    examine,
    examine_coverage,
)
from archspec.targets.conformance.networks import network_examples
from archspec.targets.conformance.ops import op_example, op_examples

__all__ = [
    "Array",
    "Example",
    "Found",
    "Run",
    "Runner",
    "examine",
    "examine_coverage",
    "network_examples",
    "op_example",
    "op_examples",
]
