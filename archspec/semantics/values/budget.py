"""Limits of one run, so that every program ends quickly and uses little memory.

The limits are documented in docs/limits.md. They count work, not only calls: a spec can explode in
few steps through long strings, lists or integers. `steps` bounds the total time, so that a run that
uses a little of each limit is as short as one that exhausts a single limit. A meter counts the
sums, products and decisions of sizes, and adds them to the steps.
"""

from __future__ import annotations

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Frame, diagnostic
from archspec.frozen import frozen
from archspec.source import Span
from archspec.types.condition import Condition
from archspec.types.meter import Meter
from archspec.types.solver import BUDGET, Verdict, decide

DECISION = 10
"""Steps charged for a decision, besides those of the solver."""
NODE = 12
"""Steps charged for a node of a graph."""
GRAPH = 20
"""Steps charged for a specialised block."""
ELEMENTS = 10
"""Elements of lists, or characters of strings, per step."""


@frozen
class Limits:
    """The limits of a run."""

    steps: int = 250_000
    """Expressions evaluated, and other work in the same unit. One takes about 5 µs."""
    nodes: int = 15_000
    """Nodes of all specialised blocks together."""
    graphs: int = 6_000
    """Specialised blocks."""
    depth: int = 400
    """Nested expansions."""
    iterations: int = 10_000
    """Iterations of one `for`, or elements of one list."""
    characters: int = 10_000
    """Characters of one string."""
    elements: int = 500_000
    """Elements of all lists and characters of all strings made."""


class OutOfBudget(CompileFailed):
    """The expansion was stopped; later errors are not reported."""


class Budget:
    """Counts the work of one run against the limits."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.steps = 0
        self.nodes = 0
        self.graphs = 0
        self.elements = 0
        self.meter = Meter()
        """Counts the work on sizes."""
        self._taken = 0

    @property
    def left(self) -> int:
        """Remaining steps."""
        return self.limits.steps - self.steps - (self.meter.steps - self._taken)

    @property
    def question(self) -> int:
        """Steps that one question about sizes may take."""
        return max(0, min(BUDGET, self.left))

    def decide(self, condition: Condition, given: Condition, span: Span) -> Verdict:
        """Whether a condition holds for all sizes that `given` allows, within the steps left."""
        verdict = decide(condition, given, self.question)
        self.step(span, DECISION)
        return verdict

    def step(self, span: Span, count: int = 1, frames: tuple[Frame, ...] = ()) -> None:
        """Count an evaluated expression, or work that takes as long as several."""
        self.steps += count + self.meter.steps - self._taken
        self._taken = self.meter.steps
        if self.steps > self.limits.steps:
            self._stop("steps", self.limits.steps, span, frames)

    def node(self, span: Span, frames: tuple[Frame, ...], count: int = 1, steps: int = 0) -> None:
        """Count one or more nodes, and the additional steps that making them takes."""
        self.nodes += count
        if self.nodes > self.limits.nodes:
            self._stop("ops and calls of blocks", self.limits.nodes, span, frames)
        self.step(span, NODE * count + steps, frames)

    def graph(self, span: Span, frames: tuple[Frame, ...]) -> None:
        """Count a specialised block."""
        self.graphs += 1
        if self.graphs > self.limits.graphs:
            self._stop("different blocks", self.limits.graphs, span, frames)
        self.step(span, GRAPH, frames)

    def made(self, elements: int, span: Span) -> None:
        """Count elements of a list, or characters of a string, before they are made."""
        self.elements += elements
        if self.elements > self.limits.elements:
            self._stop("elements of lists and characters of strings", self.limits.elements, span)
        self.step(span, elements // ELEMENTS)

    def characters(self, count: int, span: Span) -> None:
        """Reject a single string that is too long."""
        if count > self.limits.characters:
            message = f"this string is longer than {self.limits.characters:,} characters"
            raise OutOfBudget([diagnostic("E0501", message, span, notes=(_LIMITS,))])

    def length(self, count: int, span: Span) -> None:
        """Reject a single list or loop that is too long."""
        if count > self.limits.iterations:
            most = self.limits.iterations
            message = f"this has {count:,} iterations or elements; at most {most:,} are allowed"
            raise OutOfBudget([diagnostic("E0501", message, span, notes=(_LIMITS,))])

    def deep(self, depth: int, span: Span, frames: tuple[Frame, ...]) -> None:
        """Reject expansions that are nested too deeply."""
        if depth <= self.limits.depth:
            return
        message = (
            f"expansions are nested more than {self.limits.depth} deep; "
            "this recursion seems to be endless"
        )
        notes = ("each call of a rule must get closer to a clause that ends it",)
        raise OutOfBudget([diagnostic("E0502", message, span, expansion=frames, notes=notes)])

    def _stop(self, what: str, limit: int, span: Span, frames: tuple[Frame, ...] = ()) -> None:
        message = f"the spec expands to more than {limit:,} {what}, which is the budget"
        raise OutOfBudget([diagnostic("E0501", message, span, expansion=frames, notes=(_LIMITS,))])


_LIMITS = "`archspec explain E0501` lists all limits"
