"""A call in a file, as the walk over its names finds it."""

from __future__ import annotations

from archspec.frozen import frozen
from archspec.syntax import ast


@frozen
class WrittenCall:
    """A call of what has a name in a file, or that name alone as a stage.

    A stage of a chain gets no more attributes.
    """

    node: ast.Expr
    is_stage: bool
