"""The state of the elaborator: the compilation as a whole, and the current place in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.diagnostics.model import Diagnostic, Fix, Frame, Severity, Sink, diagnostic
from archspec.frozen import frozen
from archspec.graph.model import Graph, Iteration, Origin
from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.building.names import NameScope, Reserved, nothing_reserved
from archspec.semantics.values.budget import Budget
from archspec.semantics.values.keys import Keys
from archspec.semantics.values.model import BlockLayer, Environment, Value
from archspec.shipped import STANDARD, is_library
from archspec.source import Span
from archspec.types.condition import TRUE, Condition, conjunction
from archspec.types.solver import Verdict, VerdictKind


def _is_shipped(span: Span) -> bool:
    return is_library(span.source.name)


def _library(span: Span) -> str:
    is_standard = span.source.name.startswith(STANDARD)
    return "in the standard library" if is_standard else "in a shipped spec"


EXPANSION = 3
"""Steps charged for an expansion, besides the work inside it."""


class SpecError(Exception):
    """An error in the spec at one place; caught where the elaborator can continue.

    `item` is the diagnostic to report, or None if it was already reported.
    """

    def __init__(self, item: Diagnostic | None) -> None:
        super().__init__("reported" if item is None else item.message)
        self.item = item


class Reported(SpecError):
    """A failure whose diagnostic was already reported."""

    def __init__(self) -> None:
        super().__init__(None)


class NotInductive(Exception):
    """A signature can't be checked for all values at once; the message says why."""


class OpenCondition(Exception):
    """A condition on integer parameters is undecided while a signature is checked."""

    def __init__(self, condition: Condition) -> None:
        super().__init__("an open condition")
        self.condition = condition


@frozen
class Remembered:
    """A memoised value for one mode, and whether it differs between the modes."""

    value: Value
    depends: bool


class ModeWatch:
    """Records whether code inside it reads `training`; if so, so does the code around it."""

    __slots__ = ("depends", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.depends = False

    def __enter__(self) -> ModeWatch:
        self.session.mode_readers.append(False)
        return self

    def __exit__(self, *error: object) -> None:
        self.depends = self.session.mode_readers.pop()
        if self.depends:
            self.session.read_mode()


@dataclass
class Session:
    """One compilation in one mode."""

    sink: Sink
    budget: Budget
    training: bool
    specialised: dict[Hashable, Graph | None]
    """The memo. None represents a graph that failed; its errors were reported."""
    rule_results: dict[Hashable, Remembered] = field(default_factory=dict)
    given: Condition = TRUE
    """The `where` conditions that hold here: those of the network and of the enclosing bodies."""
    network_given: Condition = TRUE
    """The `where` condition of the network."""
    promises: tuple[tuple[Condition, Span], ...] = ()
    """Each of these conditions and its location."""
    mode_readers: list[bool] = field(default_factory=list)
    """For each graph or value under construction, whether it read `training`."""
    integer_symbols: frozenset[str] = frozenset()
    """Symbols that represent integer parameters while a signature is checked."""
    op_results: dict[Hashable, Any] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    active_rules: dict[Hashable, None] = field(default_factory=dict)
    open_rules: list[tuple[object, Mapping[str, Value]]] = field(default_factory=list)
    """Rules whose layers are being applied, outermost first, with their arguments."""
    active_graphs: set[Hashable] = field(default_factory=set)
    reserved: Reserved = nothing_reserved
    """Names that an instance without a label cannot have."""
    frozen: bool = False
    """Whether the layers being built are frozen: always in inference mode and not trained."""
    frozen_results: dict[Hashable, Remembered] = field(default_factory=dict)
    """Results of rules inside frozen layers."""
    axes_meant: dict[Span, Fix | None] = field(default_factory=dict)
    """For ops that do not fit all sizes, how they are written along another axis."""
    by_signature: Callable[[GraphContext, BlockLayer, Value, Span], Value] | None = None
    """Applies calls of rules with signatures while a signature is checked."""

    @property
    def inductive(self) -> bool:
        """Whether a signature is being checked for all values of its rule's parameters at once."""
        return self.by_signature is not None

    def for_frozen(self) -> Session:
        """The same compilation inside a frozen layer: in inference mode, whatever the mode is."""
        if self.frozen:
            return self
        return replace(
            self,
            training=False,
            frozen=True,
            rule_results=self.frozen_results,
            mode_readers=[False],
        )

    @contextmanager
    def promising(self, condition: Condition, span: Span) -> Iterator[None]:
        """Add the condition of the `where` at `span` while the body it belongs to is expanded."""
        before = self.given, self.promises
        self.given = conjunction([self.given, condition])
        self.promises += ((condition, span),)
        try:
            yield
        finally:
            self.given, self.promises = before

    def note_axis(self, span: Span, find: Callable[[], Fix | None]) -> None:
        """Keep how the op at a place is written along another axis, if it is not known yet."""
        if span not in self.axes_meant:
            self.axes_meant[span] = find()

    def report(self, error: SpecError) -> None:
        """Report an error, unless it was already reported."""
        if error.item is not None:
            self.sink.report(error.item)

    def decide(self, condition: Condition, span: Span) -> Verdict:
        """Whether a condition holds for all sizes that `where` allows; repeating it is free.

        Raises OutOfBudget when too few steps are left.
        """
        return self._decide(condition, self.given, span)

    def always(self, condition: Condition, span: Span) -> bool:
        """Whether it holds for all sizes that the network's `where` allows.

        Raises OutOfBudget as `decide` does.
        """
        verdict = self._decide(condition, self.network_given, span)
        return verdict.kind is VerdictKind.ALWAYS

    def _decide(self, condition: Condition, given: Condition, span: Span) -> Verdict:
        key = ("decide", condition, given)
        verdict = self.op_results.get(key)
        if verdict is None:
            verdict = self.op_results[key] = self.budget.decide(condition, given, span)
        found: Verdict = verdict
        return found

    def read_mode(self) -> None:
        """Record that the graph or value under construction depends on the mode."""
        if self.mode_readers:
            self.mode_readers[-1] = True

    def recall(self, known: Remembered) -> Value:
        """A memoised value; if it depends on the mode, the value that uses it does too."""
        if known.depends:
            self.read_mode()
        return known.value


@frozen
class Context:
    """The current place: the names in scope, and the expansions so far, innermost first."""

    session: Session
    environment: Environment
    frames: tuple[Frame, ...]

    def within(self, environment: Environment) -> Context:
        """The same place with other names in scope."""
        return Context(self.session, environment, self.frames)

    def child(self) -> Context:
        """The same place with a new innermost scope."""
        return self.within(self.environment.child())

    def expanding(self, what: str, span: Span) -> Context:
        """The place one expansion deeper. Raises OutOfBudget if that is too deep."""
        return Context(self.session, self.environment, self._further(what, span))

    def entering(self, builder: GraphBuilder) -> GraphContext:
        """The same place in a new graph, whose instances are not yet named."""
        scope = NameScope(builder)
        return GraphContext(self.session, self.environment, self.frames, builder, scope)

    def outside(self) -> Context:
        """The same place without a graph, where a layer stays a layer."""
        return Context(self.session, self.environment, self.frames)

    def _further(self, what: str, span: Span) -> tuple[Frame, ...]:
        frames = (Frame(what, span), *self.frames)
        self.session.budget.deep(len(frames), span, frames)
        self.session.budget.step(span, EXPANSION, frames)
        return frames

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        secondary: list[tuple[Span, str]] | None = None,
        notes: tuple[str, ...] = (),
        fix: str | Fix | None = None,
        severity: Severity = Severity.ERROR,
    ) -> SpecError:
        """An error here, with the chain of expansions.

        An error inside the standard library, or inside a shipped spec that another file uses, is
        shown where the user's spec uses it.
        """
        place = next((f.span for f in self.frames if not _is_shipped(f.span)), None)
        if _is_shipped(span) and place is not None:
            secondary = [*(secondary or []), (span, label or _library(span))]
            span, label = place, ""
        return SpecError(
            diagnostic(
                code,
                message,
                span,
                label,
                secondary=secondary or (),
                notes=notes,
                fix=fix,
                expansion=self.frames,
                severity=severity,
            )
        )


@frozen
class GraphContext(Context):
    """A place in a graph under construction, with the scope that names the nodes added there."""

    builder: GraphBuilder
    scope: NameScope
    iterations: tuple[Iteration, ...] = ()

    def within(self, environment: Environment) -> GraphContext:
        """The same place with other names in scope."""
        return self._at(environment, self.scope, self.frames)

    def child(self) -> GraphContext:
        """The same place with a new innermost scope."""
        return self._at(self.environment.child(), self.scope, self.frames)

    def expanding(self, what: str, span: Span) -> GraphContext:
        """The place one expansion deeper. Raises OutOfBudget if that is too deep."""
        return self._at(self.environment, self.scope, self._further(what, span))

    def with_scope(self, scope: NameScope) -> GraphContext:
        """The same place with another scope for naming instances."""
        return self._at(self.environment, scope, self.frames)

    def origin(self, span: Span) -> Origin:
        """The origin of a node: its span and the inline expansions within its graph."""
        inner = len(self.frames) - self.builder.depth
        return Origin(span, self.frames[:inner] if inner > 0 else ())

    def _at(
        self, environment: Environment, scope: NameScope, frames: tuple[Frame, ...]
    ) -> GraphContext:
        # `dataclasses.replace` is several times slower, and this runs at each step
        return GraphContext(self.session, environment, frames, self.builder, scope, self.iterations)


def in_graph(context: Context) -> GraphContext:
    """The same context, known to be in a graph, which is the case wherever there is data."""
    assert isinstance(context, GraphContext)
    return context
