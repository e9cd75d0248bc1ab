"""A call in a file, as found by the walk over its names."""

from __future__ import annotations

from archspec.frozen import frozen
from archspec.syntax import ast


@frozen
class WrittenCall:
    """A call of a name in a file, or the name alone as a stage of a chain.

    A stage of a chain gets no more attributes.
    """

    node: ast.Expr
    is_stage: bool
