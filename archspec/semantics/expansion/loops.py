"""Application of a `for`: iterations in sequence, where repetitions of earlier ones are copied."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from archspec.diagnostics.model import Edit, Fix, Severity
from archspec.graph.model import Iteration
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.bodies import result_of, run_body
from archspec.semantics.expansion.repeated_iterations import (
    ITERATION,
    Fragment,
    form_of,
    mark,
    record,
    repeat,
    tensors_of,
)
from archspec.semantics.expansion.shape_patterns import bind_item
from archspec.semantics.values.context import GraphContext
from archspec.semantics.values.evaluation import evaluate, force
from archspec.semantics.values.functions import items_of
from archspec.semantics.values.model import POISON, Poison, Value, has_poison, is_data
from archspec.semantics.values.single_tensors import iterated
from archspec.source import Span
from archspec.syntax import ast


def apply_for(context: GraphContext, loop: ast.For, data: Value) -> Value:
    """Apply the iterations of a `for` to the data in sequence."""
    iterable = force(context, evaluate(context, loop.iterable), loop.iterable.span)
    if isinstance(iterable, Poison):
        return POISON
    if isinstance(iterable, Tensor) and iterable.one:
        raise iterated(context, iterable, loop.iterable.span)
    items = items_of(context, iterable, loop.iterable.span)
    named = context.with_scope(context.scope.in_loop(loop.span))
    iterations = _Iterations(named, loop, items, len(context.builder.nodes))
    index = 0
    while index < len(items):
        done, data = iterations.take(index, data)
        if has_poison(data):
            return POISON
        index += done
    return data


@dataclass
class _Iterations:
    """The iterations of one loop, with records of those already expanded."""

    context: GraphContext
    loop: ast.For
    items: tuple[Value, ...]
    start: int
    """The index of the first node of the loop."""
    known: dict[Hashable, Fragment | None] = field(default_factory=dict)
    """Fragments by values and form of data; None for an iteration seen only once."""

    def __post_init__(self) -> None:
        self.read = frozenset(self.context.session.keys.names_in(self.loop.body))
        self.name = _single_name(self.loop.targets)

    def take(self, index: int, data: Value) -> tuple[int, Value]:
        """Expand one iteration, or copy it and the identical ones after it."""
        context = self.context
        tensors = tensors_of(context.builder, data)
        if tensors is None:
            return 1, self._carry_out(self._open(index), data)
        iteration = self._open(index) if self.name is None else None
        income = form_of(data, tensors)
        key = (self._value(index) if iteration is None else self._values(iteration), income)
        fragment = self.known.get(key)
        if fragment is not None:
            end = self._end(index) if fragment.is_stable else index + 1
            done, result = repeat(context, fragment, data, self.loop.span, range(index, end))
            if done:
                return done, result
        again = key in self.known and index + 1 < len(self.items)
        before = mark(context, tensors, self.start) if again else None
        result = self._carry_out(iteration or self._open(index), data)
        self.known[key] = (
            record(context, before, income, tensors, result, self.loop.span) if before else None
        )
        return 1, result

    def _open(self, index: int) -> GraphContext:
        """The place inside an iteration, with its names bound."""
        loop, outer = self.loop, self.context
        iteration = replace(
            outer.child(), iterations=(*outer.iterations, Iteration(loop.span, index))
        )
        bind_item(iteration, loop.targets, self.items[index], loop.span, loop.iterable)
        return iteration

    def _carry_out(self, iteration: GraphContext, data: Value) -> Value:
        iteration.session.budget.step(self.loop.span, ITERATION)
        if len(self.items) > 1 and not self.known:
            _warn_if_constant(iteration, self.loop.body)
        with iteration.builder.written_out():
            return result_of(run_body(iteration, self.loop.body, data, self.loop.span))

    def _value(self, index: int) -> Hashable:
        """The key of the value that the body reads in an iteration that binds one name."""
        return self.context.session.keys.of(self.items[index]) if self.name in self.read else None

    def _values(self, iteration: GraphContext) -> Hashable:
        """The keys of the values that the body reads in an iteration that binds several names."""
        of, bound = iteration.session.keys.of, iteration.environment.names
        return tuple((name, of(bound[name])) for name in bound if name in self.read)

    def _end(self, index: int) -> int:
        """The index of the next iteration with a different value."""
        count = len(self.items)
        if self.name is None:
            return index + 1
        if self.name not in self.read:
            return count
        value = self._value(index)
        return next((at for at in range(index + 1, count) if self._value(at) != value), count)


def _warn_if_constant(context: GraphContext, body: ast.Body) -> None:
    """Warn (W0705) of a body that begins with data instead of the result so far."""
    if len(body.statements) != 1 or not isinstance(body.statements[0], ast.ExprStmt):
        return
    whole = node = body.statements[0].value
    edits: tuple[Edit, ...] = ()
    if isinstance(whole, ast.Chain):
        node = whole.stages[0]
        place = Span(node.span.source, node.span.start, whole.stages[1].span.start)
        edits = (Edit(place, ""),)
    if not isinstance(node, ast.Name) or not context.environment.has_local(node.text):
        return
    value = context.environment.local(node.text)
    if not is_data(value) or has_poison(value):
        return
    warning = context.error(
        "W0705",
        f"each iteration begins with `{node.text}` again, so only the last one counts",
        node.span,
        notes=("a body without `input` is a layer, which is applied to the result so far",),
        fix=Fix(
            f"remove `{node.text} ->`, or name the result so far: `{{ input y .. output z }}`",
            edits,
        ),
        severity=Severity.WARNING,
    )
    context.session.report(warning)


def _single_name(targets: tuple[ast.Target, ...]) -> str | None:
    """The name bound to the whole item; None if the item is unpacked or its type is checked."""
    first = targets[0]
    if len(targets) > 1 or not isinstance(first, ast.NameTarget) or first.claim is not None:
        return None
    return first.name
