"""What one compilation may use. Every program ends because of these, quickly and in little memory.

The limits are documented in docs/limits.md. They count work, not only calls: a spec can explode
in few steps through long strings, lists or integers.
"""

from __future__ import annotations

from dataclasses import dataclass

from archspec.diagnostics.model import CompileFailed, Frame, diagnostic
from archspec.source import Span


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers."""

    steps: int = 400_000
    """Expressions evaluated."""
    nodes: int = 30_000
    """Nodes of all specialised blocks together."""
    graphs: int = 20_000
    """Specialised blocks."""
    depth: int = 400
    """Expansions inside one another."""
    turns: int = 20_000
    """Turns of one `for`, or length of one list."""
    characters: int = 10_000
    """Length of one string."""
    elements: int = 1_000_000
    """Elements of all lists and characters of all strings made."""


class OutOfBudget(CompileFailed):
    """The expansion was stopped; nothing after it is reported."""


class Budget:
    """Counts one compilation's use against the limits."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.steps = 0
        self.nodes = 0
        self.graphs = 0
        self.elements = 0

    def step(self, span: Span) -> None:
        """Count an evaluated expression."""
        self.steps += 1
        if self.steps > self.limits.steps:
            self._stop("steps of evaluation", self.limits.steps, span)

    def node(self, span: Span, frames: tuple[Frame, ...]) -> None:
        """Count a node."""
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            self._stop("nodes", self.limits.nodes, span, frames)

    def graph(self, span: Span, frames: tuple[Frame, ...]) -> None:
        """Count a specialised block."""
        self.graphs += 1
        if self.graphs > self.limits.graphs:
            self._stop("specialised blocks", self.limits.graphs, span, frames)

    def made(self, elements: int, span: Span) -> None:
        """Count elements of a list, or characters of a string, before they are made."""
        self.elements += elements
        if self.elements > self.limits.elements:
            self._stop("elements of lists and strings", self.limits.elements, span)

    def length(self, count: int, span: Span) -> None:
        """Refuse a list or loop that is too long by itself, then count it."""
        if count > self.limits.turns:
            raise OutOfBudget(
                [
                    diagnostic(
                        "E0501",
                        f"this has {count:,} turns or elements; the limit is {self.limits.turns:,}",
                        span,
                        notes=("`archspec explain E0501` lists all limits",),
                    )
                ]
            )
        self.made(count, span)

    def deep(self, depth: int, span: Span, frames: tuple[Frame, ...]) -> None:
        """Refuse expansions nested too deep."""
        if depth > self.limits.depth:
            raise OutOfBudget(
                [
                    diagnostic(
                        "E0502",
                        f"expansions are nested more than {self.limits.depth} deep; "
                        "a recursion here seems to have no end",
                        span,
                        expansion=frames,
                        notes=("each call of a rule must come nearer to a clause that ends it",),
                    )
                ]
            )

    def _stop(self, what: str, limit: int, span: Span, frames: tuple[Frame, ...] = ()) -> None:
        raise OutOfBudget(
            [
                diagnostic(
                    "E0501",
                    f"the spec expands to more than {limit:,} {what}, which is the budget",
                    span,
                    expansion=frames,
                    notes=("`archspec explain E0501` lists all limits",),
                )
            ]
        )
