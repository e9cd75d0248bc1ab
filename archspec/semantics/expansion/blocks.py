"""Calls of blocks, which are specialised once for their arguments and input types, then shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from archspec.diagnostics.suggest import rename
from archspec.frozen import frozen
from archspec.graph.model import Graph, GraphOutput, Instance, Origin, Structure, leaves
from archspec.graph.selection import NothingThere, select_outputs
from archspec.semantics.arguments.binding import bind_arguments, body_environment
from archspec.semantics.arguments.rules import rule_value
from archspec.semantics.building.graph_builder import GraphBuilder, Tensor
from archspec.semantics.building.instance_paths import owns_weights
from archspec.semantics.decisions import decisive_names
from archspec.semantics.expansion.bodies import Result, run_body
from archspec.semantics.expansion.captures import inlined, own
from archspec.semantics.expansion.collisions import check_collisions
from archspec.semantics.expansion.named_outputs import no_named_outputs
from archspec.semantics.expansion.nodes import add_node, instance_key
from archspec.semantics.expansion.rule_recursion import descending
from archspec.semantics.expansion.sharing import one_instance
from archspec.semantics.expansion.signatures import require_signature
from archspec.semantics.expansion.tap_faults import nothing_there
from archspec.semantics.program.definitions import BlockDefinition, Definition, RuleDefinition
from archspec.semantics.values.context import GraphContext, ModeWatch, SpecError
from archspec.semantics.values.data import pack, ports_of, structure_of
from archspec.semantics.values.display import call_text, kind_of, show
from archspec.semantics.values.evaluation import apply_layer, force
from archspec.semantics.values.model import (
    POISON,
    BlockLayer,
    GroupLayer,
    LabelledLayer,
    ListValue,
    OutputOf,
    TapLayer,
    Value,
    has_poison,
    is_layer,
    tensors,
)
from archspec.semantics.values.provenance import (
    clause_conditions,
    conditions_of,
    defaults_of,
    numbers_in,
    written_to_block,
)
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.tensor import TensorType

Types = tuple[TensorType, ...]


@frozen
class Call:
    """A block with its arguments and the types it is applied to."""

    definition: Definition
    layer: BlockLayer
    arguments: Mapping[str, Value]
    types: Types
    structure: Structure
    span: Span

    def key(self, context: GraphContext) -> int:
        """The key of the memo, apart from the mode."""
        keys, given = context.session.keys, context.session.given
        arguments = keys.all_of(tuple(self.arguments.values()))
        frozen = context.session.frozen
        parts = (self.definition, arguments, self.types, self.structure, given, frozen)
        return keys.number(("call", *parts))

    @property
    def text(self) -> str:
        """The call in the notation of specs."""
        return call_text(self.definition.name, self.arguments)


def call_graph(
    context: GraphContext,
    layer: Value,
    data: Value,
    label: str | None,
    span: Span,
    output: OutputOf | None = None,
) -> Value:
    """Add a call of a block to the graph; return its results, or the one output requested."""
    while isinstance(layer, (LabelledLayer, GroupLayer)):
        if isinstance(layer, LabelledLayer):
            label = layer.label
            if label is not None and context.scope is not None:
                context.scope.given(label)
        layer = layer.inner
    if not isinstance(layer, BlockLayer) or layer.definition.inline:
        name, place = ("output", span) if output is None else (output.name, output.span)
        raise no_named_outputs(context, layer, name, place)
    if has_poison(data):
        return POISON
    inputs, graph = _specialised(context, layer, data, span)
    if graph is None:
        return POISON
    parts = _add_call(context, graph, layer, inputs, label, span)
    if output is None:
        return parts[0] if len(parts) == 1 else parts
    names = [item.name for item in graph.outputs]
    if output.name not in names:
        raise context.error(
            "E0212",
            f"`{graph.name}` has no output `{output.name}`",
            output.span,
            notes=(_named(graph),),
            fix=rename(_name_of(output.span, output.name), output.name, names),
        )
    return parts[names.index(output.name)]


def _name_of(span: Span, name: str) -> Span:
    """The span of the name at the end of `block.name`."""
    return Span(span.source, span.end - len(name), span.end)


def _named(graph: Graph) -> str:
    """A sentence that lists the outputs of a block."""
    names = [item.name for item in graph.outputs]
    if names == ["output"]:
        return "its only output has no name: a body names it with `output name = ..`"
    return f"its outputs are {', '.join(names)}"


def _specialised(
    context: GraphContext, layer: BlockLayer, data: Value, span: Span
) -> tuple[tuple[Tensor, ...], Graph | None]:
    """The inputs of a call, and the graph for their types; None if the block has errors."""
    inputs = tuple(own(context, item, span) for item in tensors(data))
    types = tuple(item.type for item in inputs)
    arguments = bind_arguments(context, layer, span)
    call = Call(layer.definition, layer, arguments, types, structure_of(data), span)
    return inputs, specialise(context, call)


def _add_call(
    context: GraphContext,
    graph: Graph,
    layer: BlockLayer,
    inputs: tuple[Tensor, ...],
    label: str | None,
    span: Span,
) -> tuple[Value, ...]:
    """Add the call and return the value of each output."""
    builder = context.builder
    if builder.kind == "buffer":
        results = list(inlined(context, builder, graph, inputs, span))
    else:
        types = tuple(item.type for item in inputs)
        instance = _instance(context, graph, label, layer, span, types)
        results = list(add_node(context, instance, inputs, graph.output_types, span))
    return tuple(pack(item.structure, results) for item in graph.outputs)


def _instance(
    context: GraphContext,
    graph: Graph,
    label: str | None,
    layer: BlockLayer,
    span: Span,
    types: Types,
) -> Instance:
    name = layer.definition.name
    key = instance_key(context, label, name, span, lambda: owns_weights(graph))
    frozen, origin = context.session.frozen, context.origin(span)
    written = written_to_block(layer, context.builder.owner)
    instance = Instance(key, None, graph, (), origin, frozenset(), frozen, written)
    return one_instance(context, instance, types, span)


# ---------------------------------------------------------------------- the memo


def specialise(context: GraphContext, call: Call) -> Graph | None:
    """The graph of a call, built once, or once for each mode if it depends on the mode.

    None if the block has errors, which were reported. Raises OutOfBudget, and SpecError for a call
    that contains itself.
    """
    session = context.session
    key = call.key(context)
    for mode in (None, session.training):
        if (mode, key) in session.specialised:
            graph = session.specialised[(mode, key)]
            if mode is not None:
                session.read_mode()
            return graph
    if key in session.active_graphs:
        raise context.error(
            "E0503",
            f"`{call.text}` contains itself with the same inputs, so it never ends",
            call.span,
        )
    inner = context.expanding(call.text, call.span)
    session.budget.graph(call.span, inner.frames)
    session.active_graphs.add(key)
    try:
        with ModeWatch(session) as watch:
            graph = _build(inner, call)
    finally:
        session.active_graphs.discard(key)
    session.specialised[(session.training if watch.depends else None, key)] = graph
    return graph


def _build(context: GraphContext, call: Call) -> Graph | None:
    definition = call.definition
    is_rule = isinstance(definition, RuleDefinition)
    kind = "rule" if is_rule else "block"
    if isinstance(definition, BlockDefinition) and definition.node.is_network:
        kind = "network"
    builder = GraphBuilder(definition.name, kind, None, len(context.frames))
    builder.frozen, builder.owner = context.session.frozen, definition
    names = _input_names(definition, call.structure, len(call.types))
    flat = [
        builder.add_input(name, type_, definition.name_span)
        for name, type_ in zip(names, call.types, strict=True)
    ]
    data = pack(call.structure, list(flat)) if flat else ()
    inside = context.entering(builder)
    try:
        results = _results(inside, call, data)
    except SpecError as error:
        context.session.report(error)
        return None
    return finish(inside, results, definition, call.arguments, (call.structure,))


def _input_names(definition: Definition, structure: Structure, count: int) -> list[str]:
    """Names of the tensors that a block is applied to: `memory`, or `memory_0`, `memory_1`."""
    statements: list[ast.Input] = []
    if isinstance(definition, BlockDefinition):
        body = definition.node.body.statements
        statements = [one for one in body if isinstance(one, ast.Input)]
    always = [statement for statement in statements if statement.when is None]
    for declared in (statements, always):
        names = _names_of(_shares([item for one in declared for item in one.items], structure))
        if names and len(names) == count:
            return names
    return ["x"] if count == 1 else [f"x{index}" for index in range(count)]


def _shares(items: Sequence[ast.InputItem], structure: Structure) -> list[tuple[str, int]]:
    """The number of tensors that each input takes; empty if the data does not fit."""
    if len(items) == 1:
        return [(items[0].name, leaves(structure))]
    parts = [leaves(part) for part in structure] if structure is not None else [1]
    rests = sum(item.rest for item in items)
    spare = len(parts) - (len(items) - rests)
    if rests > 1 or spare < 0 or (spare and not rests):
        return []
    found, at = [], 0
    for item in items:
        taken = spare if item.rest else 1
        found.append((item.name, sum(parts[at : at + taken])))
        at += taken
    return found


def _names_of(shares: Sequence[tuple[str, int]]) -> list[str]:
    """One name for each tensor; those of one input are numbered."""
    found: list[str] = []
    for name, count in shares:
        numbered = count > 1 and name != "_"
        found += [f"{name}_{place}" if numbered else name for place in range(count)]
    named = [name for name in found if name != "_"]
    return found if len(named) == len(set(named)) else []


def _results(context: GraphContext, call: Call, data: Value) -> tuple[Result, ...]:
    definition = call.definition
    if isinstance(definition, RuleDefinition):
        value = rule_value(context, call.layer, call.span)
        if has_poison(value):
            return (Result("", POISON, call.span),)
        if not is_layer(value):
            raise context.error(
                "E0308",
                f"`{call.text}` is {kind_of(value)}, which can't be applied to data",
                call.span,
            )
        with descending(context, definition, call.arguments, call.span):
            result = apply_layer(context, value, data, definition.name_span)
        require_signature(context, definition, call.arguments, data, result, call.span)
        return (Result("", result, definition.name_span),)
    assert isinstance(definition, BlockDefinition)
    environment = body_environment(definition, call.arguments)
    results = run_body(context.within(environment), definition.node.body, data, call.span)
    context.builder.names = numbers_in(environment)
    return results


def finish(
    context: GraphContext,
    results: tuple[Result, ...],
    definition: Definition,
    arguments: Mapping[str, Value],
    structures: tuple[Structure, ...],
) -> Graph | None:
    """The graph with these results as outputs; None if one of them failed."""
    builder = context.builder
    if any(has_poison(item.value) for item in results):
        return None
    outputs: list[GraphOutput] = []
    for index, item in enumerate(results):
        value = item.value
        for tensor in tensors(value):
            if tensor.builder is not builder:
                context.session.report(
                    context.error("E0306", "this output is data of another block", item.span)
                )
                return None
        name = item.name or ("output" if len(results) == 1 else f"output_{index}")
        outputs.append(GraphOutput(name, ports_of(value), structure_of(value)))
    shown = {name: plain_argument(value) for name, value in arguments.items()}
    if not builder.names:  # the graph of a rule
        builder.names = {k: v for k, v in shown.items() if isinstance(v, (int, float))}
    builder.defaults = defaults_of(definition)
    builder.decisive = partial(decisive_names, definition, arguments)
    if isinstance(definition, RuleDefinition):
        builder.decisions = partial(clause_conditions, definition)
    else:
        builder.decisions = partial(conditions_of, builder.decided, definition)
    origin = Origin(definition.name_span)
    graph = builder.finish(tuple(outputs), shown, structures, origin, _doc(definition))
    check_collisions(context, graph)
    return graph


def _doc(definition: Definition) -> str:
    """The comment above a definition; for a rule, the first comment above one of its heads."""
    if not isinstance(definition, RuleDefinition):
        return definition.node.doc
    heads = (definition.signature, *definition.clauses)
    return next((head.doc for head in heads if head is not None and head.doc), "")


def plain_argument(value: Value) -> Any:
    """An argument as plain data: numbers, strings and tuples; layers as text."""
    if isinstance(value, ListValue):
        return tuple(plain_argument(item) for item in value.items)
    if isinstance(value, tuple):
        return tuple(plain_argument(item) for item in value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return show(value)


# ---------------------------------------------------------------------- taps


def call_tap(
    context: GraphContext, tap: TapLayer, data: Value, label: str | None, span: Span
) -> Value:
    """The outputs of instances inside a block, in the order of the paths; the rest is dropped.

    Raises SpecError (E0902) if a path does not exist.
    """
    inner = force(context, tap.inner, span)
    while isinstance(inner, (GroupLayer, LabelledLayer)):
        inner = inner.inner
    if isinstance(inner, BlockLayer) and inner.definition.inline:
        name = inner.definition.name
        message = f"`tap` takes a block with a scope of its own, but `{name}` is inline"
        fix = f"tap a block that holds it: `block whole {{ {name} }}`"
        raise context.error("E0902", message, tap.span, fix=fix)
    if not isinstance(inner, BlockLayer):
        raise context.error("E0902", f"`tap` takes a block, not {kind_of(inner)}", tap.span)
    if has_poison(data):
        return POISON
    inputs, graph = _specialised(context, inner, data, span)
    if graph is None:
        return POISON
    key = ("tap", graph, tap.paths)
    results = context.session.op_results
    if key not in results:
        try:
            results[key] = select_outputs(graph, tap.paths)
        except NothingThere as error:
            raise nothing_there(context, tap, error) from None
        except LookupError as error:
            raise context.error("E0902", str(error.args[0]), tap.span) from None
    parts = _add_call(context, results[key], inner, inputs, label, span)
    return parts[0] if len(parts) == 1 else parts
