"""Records of what an iteration of a `for` adds to its graph, used to add it again.

An iteration with the values of an earlier one, on data of the same types, makes the same nodes:
only their numbers, their iteration and the names counted by the scope differ. So the earlier one is
copied, which is much faster. Any other effect that an iteration may have is checked: if there is
one, nothing is recorded, and the next such iteration is expanded.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.model import Instance, Iteration, Node, Port, Structure
from archspec.semantics.building.graph_builder import GraphBuilder, Tensor
from archspec.semantics.building.names import NameScope
from archspec.semantics.expansion.nodes import AXES
from archspec.semantics.values.context import GraphContext
from archspec.semantics.values.data import pack, structure_of
from archspec.semantics.values.model import Value
from archspec.source import Span
from archspec.types.tensor import TensorType

Form: TypeAlias = "tuple[tuple[TensorType, ...], Structure, tuple[int, ...]]"
"""The form of data: types, structure, and for each tensor the index of its first occurrence."""

ITERATION = 5
"""Steps charged for an iteration of a `for`, besides the work inside it."""

PLAN = 2
"""Steps charged for recording a node."""


@frozen
class Name:
    """A number taken by an iteration, relative to its first, and the rest of the key with it.

    `span` is where the key is claimed; None if only the number is taken.
    """

    number: int
    rest: str
    span: Span | None


@frozen
class NodePlan:
    """The information needed to make a node again."""

    node: Node
    instance: Instance
    variable: str
    key: int | None
    """Index of its key among the names; None if it has no key."""
    inputs: tuple[int, ...]
    """Indices into the ports: those of the data, of outside the loop, and of the iteration."""
    inner: tuple[Iteration, ...]
    """Iterations of loops inside this one."""


@frozen
class Fragment:
    """The nodes of an iteration, and their connections to the nodes before and after them."""

    income: Form
    outcome: Form
    fixed: tuple[Port, ...]
    """Ports read from outside the loop."""
    made: tuple[tuple[int, int], ...]
    """Its own ports: the node, relative to its first, and the output index."""
    nodes: tuple[NodePlan, ...]
    names: tuple[Name, ...]
    numbers: int
    """How many numbers of the scope it takes."""
    results: tuple[int, ...]
    """Indices into the ports."""
    steps: int

    @property
    def is_stable(self) -> bool:
        """Whether its results can be its inputs again."""
        return self.outcome is self.income


# ---------------------------------------------------------------------- data


def tensors_of(builder: GraphBuilder, data: Value) -> tuple[Tensor, ...] | None:
    """The tensors of data that is entirely in this graph; None for anything else."""
    if isinstance(data, Tensor):
        return (data,) if data.builder is builder else None
    if not isinstance(data, tuple):
        return None
    found: list[Tensor] = []
    for item in data:
        inner = tensors_of(builder, item)
        if inner is None:
            return None
        found.extend(inner)
    return tuple(found)


def form_of(data: Value, tensors: Sequence[Tensor]) -> Form:
    """The form of data with these tensors."""
    if isinstance(data, Tensor):
        return (data.type,), None, (0,)
    first: dict[Port, int] = {}
    pattern = tuple(first.setdefault(item.port, at) for at, item in enumerate(tensors))
    return tuple(item.type for item in tensors), structure_of(data), pattern


# ---------------------------------------------------------------------- recording


@frozen
class Mark:
    """The state of a graph before an iteration, used to find the effects of the iteration."""

    nodes: int
    keys: int
    number: int
    watched: Hashable


def mark(context: GraphContext, tensors: Sequence[Tensor], start: int) -> Mark | None:
    """The state before an iteration on this data; None if the iteration can't be recorded.

    `start` is the first node of the loop. The data must come from an iteration: then no other
    visible name refers to it, and reads of it differ from reads of data outside the loop.
    """
    builder, scope, session = context.builder, context.scope, context.session
    if session.by_signature is not None or session.integer_symbols:
        return None
    if builder.captured or scope.shared is not None:
        return None
    nodes = builder.nodes
    if any(item.port.node < start or nodes[item.port.node].is_input for item in tensors):
        return None
    assert scope.counter is not None
    watched = _watched(context, tensors)
    return Mark(len(nodes), len(builder.keys), scope.counter.value, watched)


def _watched(context: GraphContext, tensors: Sequence[Tensor]) -> Hashable:
    """Properties that an iteration must not change if it is to be copied."""
    builder, scope = context.builder, context.scope
    return (
        len(builder.requirements),
        len(builder.init_rules),
        len(builder.draws),
        len(builder.ties),
        len(builder.captured),
        builder.shared_uses,
        len(scope.loops),
        scope.counter.irregular if scope.counter is not None else 0,
        context.session.sink.count,
        tuple([_marks(builder.nodes[item.port.node]) for item in tensors]),
    )


def _marks(node: Node) -> Hashable:
    """Properties that an iteration may change at an earlier node."""
    return node.name, len(node.requirements), len(node.discarded)


def record(
    context: GraphContext,
    before: Mark,
    income: Form,
    tensors: Sequence[Tensor],
    result: Value,
    loop: Span,
) -> Fragment | None:
    """The effect of the iteration since `before`; None if it did more than add nodes.

    Raises OutOfBudget: in nested loops, a node may be recorded at each level.
    """
    builder, scope = context.builder, context.scope
    yielded = tensors_of(builder, result)
    if yielded is None or _watched(context, tensors) != before.watched:
        return None
    names = _names(builder, scope, before)
    if names is None:
        return None
    nodes = builder.nodes[before.nodes :]
    context.session.budget.step(loop, PLAN * len(nodes), context.frames)
    made = tuple((at, index) for at, node in enumerate(nodes) for index in range(len(node.types)))
    places, fixed = _places(before, tensors, nodes, yielded, made)
    keys = {_text(scope, name, before.number): at for at, name in enumerate(names) if name.span}
    outer = len(context.iterations) + 1
    plans: list[NodePlan] = []
    for node in nodes:
        instance = node.instance
        if instance is None or instance.regions:
            return None  # a region has weights of its own: it is not shared as blocks are
        if instance.key and instance.key not in keys:
            return None
        key, inputs = keys.get(instance.key), tuple(places[port] for port in node.inputs)
        plans.append(NodePlan(node, instance, node.name, key, inputs, node.iterations[outer:]))
    assert scope.counter is not None
    outcome = form_of(result, yielded)
    return Fragment(
        income,
        income if outcome == income else outcome,
        fixed,
        made,
        tuple(plans),
        names,
        scope.counter.value - before.number,
        tuple(places[item.port] for item in yielded),
        ITERATION + sum(sum(type_.rank for type_ in node.types) // AXES for node in nodes),
    )


def _names(builder: GraphBuilder, scope: NameScope, before: Mark) -> tuple[Name, ...] | None:
    """The numbers and keys taken by an iteration; None unless they follow from the first number."""
    assert scope.counter is not None
    numbers = scope.counter.value - before.number
    claimed = list(islice(reversed(builder.keys.items()), len(builder.keys) - before.keys))
    found: list[Name] = []
    for key, span in reversed(claimed):
        text = key.removeprefix(scope.path(""))
        digits, dot, rest = text.partition(".")
        if not digits.isdecimal() or not 0 <= int(digits) - before.number < numbers:
            return None
        found.append(Name(int(digits) - before.number, dot + rest, span))
    whole = {name.number for name in found if not name.rest}
    for number in range(numbers):
        if number not in whole:
            found.append(Name(number, "", None))
    return tuple(found)


def _text(scope: NameScope, name: Name, first: int) -> str:
    return scope.path(f"{first + name.number}{name.rest}")


def _places(
    before: Mark,
    tensors: Sequence[Tensor],
    nodes: Sequence[Node],
    yielded: Sequence[Tensor],
    made: Sequence[tuple[int, int]],
) -> tuple[Mapping[Port, int], tuple[Port, ...]]:
    """The index of each port that an iteration reads or yields, and the ports outside the loop."""
    own = {Port(before.nodes + at, index): None for at, index in made}
    data = {item.port: None for item in reversed(tensors)}
    read = [port for node in nodes for port in node.inputs] + [item.port for item in yielded]
    fixed = tuple(dict.fromkeys(port for port in read if port not in own and port not in data))
    order = [*(item.port for item in tensors), *fixed, *own]
    return {port: at for at, port in reversed(list(enumerate(order)))}, fixed


# ---------------------------------------------------------------------- copying


def repeat(
    context: GraphContext, fragment: Fragment, data: Value, loop: Span, iterations: range
) -> tuple[int, Value]:
    """Add the fragment for each of these iterations; return how many were added, and the data.

    It stops at an iteration whose name is taken. Raises OutOfBudget.
    """
    builder, scope = context.builder, context.scope
    assert scope.counter is not None
    tensors = tensors_of(builder, data)
    assert tensors is not None
    counter, keys, prefix = scope.counter, scope.builder.keys, scope.path("")
    charge, around, frames = context.session.budget.node, context.iterations, context.frames
    span = fragment.nodes[0].node.origin.span if fragment.nodes else loop
    count, ports, done = len(fragment.nodes), tuple([item.port for item in tensors]), 0
    for index in iterations:
        first = counter.value
        names = [f"{prefix}{first + name.number}{name.rest}" for name in fragment.names]
        if not keys.keys().isdisjoint(names):
            break
        charge(span, frames, count, fragment.steps)
        counter.value = first + fragment.numbers
        for text, name in zip(names, fragment.names, strict=True):
            if name.span is not None:
                keys[text] = name.span
        ports = _copy(builder.nodes, fragment, ports, names, (*around, Iteration(loop, index)))
        done += 1
    if not done:
        return 0, data
    types, structure, _ = fragment.outcome
    return done, pack(
        structure, [Tensor(builder, *item) for item in zip(ports, types, strict=True)]
    )


def _copy(
    nodes: list[Node],
    fragment: Fragment,
    data: tuple[Port, ...],
    names: list[str],
    iterations: tuple[Iteration, ...],
) -> tuple[Port, ...]:
    """Add the nodes of an iteration on this data, and return its results."""
    base = len(nodes)
    ports = [*data, *fragment.fixed, *[Port(base + at, i) for at, i in fragment.made]]
    for number, plan in enumerate(fragment.nodes, base):
        node, known = plan.node, plan.instance
        instance = Instance(
            "" if plan.key is None else names[plan.key],
            known.op,
            known.graph,
            known.regions,
            known.origin,
            known.explicit,
            known.frozen,
            known.source,
        )
        copied = Node(
            number,
            instance,
            tuple([ports[at] for at in plan.inputs]),
            node.types,
            node.origin,
            iterations + plan.inner if plan.inner else iterations,
            plan.variable,
            None,
            node.requirements,
            node.discarded,
        )
        copied.parameters = node.parameters
        nodes.append(copied)
    return tuple([ports[at] for at in fragment.results])
