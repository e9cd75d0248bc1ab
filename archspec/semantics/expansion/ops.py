"""Addition of primitive ops to the graph: checks attributes, infers types, settles requirements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from archspec.diagnostics.model import Fix
from archspec.graph.model import Instance, Region, Requirement
from archspec.ops.base import Check, Need, Op, OpError, Parameter
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.op_arguments import complete
from archspec.semantics.arguments.torch_habits import (
    warn_of_channels,
    warn_of_no_state,
    with_separated_letters,
)
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.building.instance_paths import has_weights, owns_weights
from archspec.semantics.expansion.axis_faults import axis_meant, channels_last, integers_declared
from archspec.semantics.expansion.captures import own
from archspec.semantics.expansion.nodes import add_node, instance_key, next_number
from archspec.semantics.expansion.regions import build_regions, input_labels
from archspec.semantics.expansion.requirements import require, settle
from archspec.semantics.expansion.sharing import one_instance
from archspec.semantics.foreign.words import HOW
from archspec.semantics.program.op_attributes import positional
from archspec.semantics.values.context import GraphContext, NotInductive, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.model import POISON, Copies, Given, OpLayer, Value, has_poison
from archspec.semantics.values.operators import MAX_INTEGER
from archspec.semantics.values.provenance import written_later
from archspec.semantics.values.single_tensors import as_one
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.atoms import OutsideFragment
from archspec.types.condition import Condition, at_least
from archspec.types.solver import VerdictKind
from archspec.types.tensor import TensorType

Types = tuple[TensorType, ...]


def data_op(
    context: GraphContext,
    name: str,
    attributes: Mapping[str, Value],
    inputs: Value,
    span: Span,
    number: ast.Expr | None = None,
) -> Value:
    """Apply an unnamed operation on data: arithmetic or a comparison.

    `number` is the operand that is not data, as written.
    """
    place = context.environment
    given = tuple(
        Given(key, value, span, number if key == "scalar" else None, place)
        for key, value in attributes.items()
    )
    return instantiate(context, OpLayer(all_ops()[name], given, span), inputs, None, span, key="")


def instantiate(
    context: GraphContext,
    layer: OpLayer,
    data: Value,
    label: str | None,
    span: Span,
    *,
    key: str | None = None,
) -> Value:
    """Add the op to the graph and return its results.

    `key` is used unchanged if given; otherwise the scope names the instance. Raises SpecError if
    the op rejects these attributes or inputs.
    """
    if has_poison(data) or any(has_poison(item.value) for item in layer.given):
        return POISON
    if isinstance(data, tuple) and any(isinstance(item, Copies) for item in data):
        return _over_copies(context, layer, data, span)
    op, layers = complete(context, layer, data, span)
    frozen = context.session.frozen
    if frozen:
        op = op.in_inference()
    if op.transparent:
        return _vanished(context, data, label, key, span)
    inputs = _inputs(context, op, data, span)
    if len(inputs) == 1 and op.vanishes(inputs[0].type):
        _, needs = _infer(context, op, layer, inputs, {}, span)
        require(context, needs, inputs[0])
        return _vanished(context, inputs[0], label, key, span)
    regions, captured, yields = build_regions(context, op, layers, inputs, span)
    if key is None:
        unnamed = op.arity[1] == 0 and label is None
        key = (
            _source_key(context, op, span)
            if unnamed
            else instance_key(context, label, op.name, span, lambda: _owns(op, inputs, regions))
        )
    warn_of_channels(context, layer, op, inputs, span)
    warn_of_no_state(context, op, inputs, regions, span)
    found, needs = _infer(context, op, layer, inputs, yields, span)
    written = written_later(
        layer.given, positional(type(op)), context.builder.owner, type(op).variadic
    )
    origin, explicit = context.origin(span), _explicit(layer, op)
    instance = Instance(key, op, None, regions, origin, explicit, frozen, written)
    if key:
        types = tuple(item.type for item in inputs + captured)
        instance = one_instance(context, instance, types, span)
    results = add_node(
        context, instance, inputs + captured, found.outputs, span, needs, found.parameters
    )
    if found.single:
        return as_one(results[0])
    # a tuple of one is its element
    return results[0] if len(results) == 1 else tuple(map(as_one, results))


def _vanished(
    context: GraphContext, data: Value, label: str | None, key: str | None, span: Span
) -> Value:
    """Skip the node of an op without effect, which still takes its number."""
    scope = context.scope
    if label is None and key is None and scope is not None and scope.counter is not None:
        next_number(context, span, lambda: False)
    return data


def _owns(op: Op, inputs: tuple[Tensor, ...], regions: tuple[Region, ...]) -> bool:
    """Whether an instance on these inputs has weights; true if it cannot have these inputs."""
    try:
        own = op.parameters(*(item.type for item in inputs))
    except OpError:
        return True
    return has_weights(own) or any(owns_weights(region.graph) for region in regions)


def _over_copies(
    context: GraphContext, layer: OpLayer, data: tuple[Value, ...], span: Span
) -> Value:
    """Apply the op to a tuple whose length depends on a parameter; sizes must grow linearly."""
    if layer.op.transparent:
        return data
    counts = [item.count for item in data if isinstance(item, Copies)]
    for count in counts:
        if context.session.decide(at_least(count, 1), span).kind is not VerdictKind.ALWAYS:
            raise NotInductive(f"a tuple may have {count} parts, possibly none")

    def result(times: list[int]) -> Tensor:
        left = list(times)
        inputs: list[Value] = []
        for item in data:
            parts = [item.item] * left.pop(0) if isinstance(item, Copies) else [item]
            inputs.extend(parts)
        made = instantiate(context, layer, tuple(inputs), None, span, key="")
        if not isinstance(made, Tensor):
            raise NotInductive(f"`{layer.op.name}` returns several tensors here")
        return made

    base = result([1] * len(counts))
    shape = list(base.type.shape)
    for index, count in enumerate(counts):
        grown = [
            result([n if i == index else 1 for i in range(len(counts))]).type.shape for n in (2, 3)
        ]
        for axis, size in enumerate(base.type.shape):
            step = grown[0][axis] - size
            if grown[1][axis] - grown[0][axis] != step:
                raise NotInductive(
                    f"`{layer.op.name}` has a size that is not linear in the number of its inputs"
                )
            shape[axis] = shape[axis] + step * (count - 1)
    return Tensor(base.builder, base.port, base.type.with_shape(*shape))


def _source_key(context: GraphContext, op: Op, span: Span) -> str:
    if op.parameters():
        raise context.error(
            "E0606",
            f"a `{op.name}` needs a name for its weights",
            span,
            fix=f"`param p: f32[..] = zeros`, or a label: `p: {op.name}(..)`",
        )
    return ""


def _explicit(layer: OpLayer, op: Op) -> frozenset[str]:
    if not layer.given:
        return frozenset()
    names = [item.name for item in layer.given if item.name is not None]
    count = sum(1 for item in layer.given if item.name is None)
    return frozenset([*names, *positional(type(op))[:count]])


# ---------------------------------------------------------------------- inputs and types


def _inputs(context: GraphContext, op: Op, data: Value, span: Span) -> tuple[Tensor, ...]:
    items = data if isinstance(data, tuple) else (data,)
    found: list[Tensor] = []
    for item in items:
        if not isinstance(item, Tensor):
            what = "a tuple inside the tuple" if isinstance(item, tuple) else kind_of(item)
            raise context.error(
                "E0304",
                f"`{op.name}` takes tensors, but one of its inputs is {what}",
                span,
                fix=HOW.get(op.name),
            )
        found.append(own(context, item, span))
    least, most = op.arity
    if len(found) < least or (most is not None and len(found) > most):
        wanted = str(least) if least == most else f"{least} to {most}" if most else f"{least} up"
        raise context.error(
            "E0304",
            f"`{op.name}` takes {wanted} input{'s' if wanted != '1' else ''}, not {len(found)}",
            span,
            secondary=input_labels(tuple(found)),
            fix="join them first with `concat` or `add`, or apply it to each: `(x -> f for x in t)`"
            if most == 1 and found
            else op.with_more_inputs,
        )
    return tuple(found)


def _infer(
    context: GraphContext,
    op: Op,
    layer: OpLayer,
    inputs: tuple[Tensor, ...],
    yields: Mapping[str, Types],
    span: Span,
) -> tuple[_Inferred, tuple[Requirement, ...]]:
    """The inferred results of an op, and those of its requirements that must be kept."""
    session, types = context.session, tuple([item.type for item in inputs])
    key = ("infer", op, types)
    found: _Inferred | None = None if op.regions else session.op_results.get(key)
    if found is None:
        found = _infer_now(context, op, layer, inputs, yields, span)
        session.op_results[key] = found
    if found.settled is session.given:
        return found, ()
    kept: list[Requirement] = []
    for need in found.needs:
        if need.training_only and session.frozen:
            continue
        try:
            held = settle(context, need, span, lambda: input_labels(inputs))
        except SpecError as error:
            raise _along_axis(context, error, op, layer, inputs, span) from None
        kept.extend(held)
        for one in held:
            session.note_axis(
                one.origin.span, lambda: _axis_meant(context, op, layer, inputs, span)
            )
    if not kept and not session.frozen and not session.integer_symbols:
        found.settled = session.given
    return found, tuple(kept)


@dataclass
class _Inferred:
    """The results of an op for inputs of given types, and its requirements on their sizes."""

    outputs: Types
    single: bool
    needs: tuple[Need, ...]
    parameters: tuple[Parameter, ...] | None
    settled: Condition | None = None
    """The condition object on sizes under which all requirements are known to hold."""


def _infer_now(
    context: GraphContext,
    op: Op,
    layer: OpLayer,
    inputs: tuple[Tensor, ...],
    yields: Mapping[str, Types],
    span: Span,
) -> _Inferred:
    types = tuple(item.type for item in inputs)
    check, parameters = Check(symbolic=context.session.inductive), None
    try:
        result = op.infer_regions(check, types, yields) if op.regions else op.infer(check, *types)
        outputs = (result,) if isinstance(result, TensorType) else tuple(result)
        if not context.session.inductive:
            parameters = op.parameters(*types)
            _check_initialisers(op, parameters)
    except OpError as error:
        failure = op_failure(context, error, layer, inputs, span)
        raise _along_axis(context, failure, op, layer, inputs, span) from None
    except OutsideFragment as error:
        raise context.error(
            "E0411",
            f"this is not supported for symbolic sizes: {error}",
            span,
            secondary=input_labels(inputs),
        ) from None
    _check_sizes(context, op, outputs, inputs, span)
    if op.regions:  # the tensors that they capture are inputs, too
        parameters = None
    return _Inferred(outputs, isinstance(result, TensorType), tuple(check.needs), parameters)


def _axis_meant(
    context: GraphContext, op: Op, layer: OpLayer, inputs: tuple[Tensor, ...], span: Span
) -> Fix | None:
    return axis_meant(op, _explicit(layer, op), inputs, span, context.environment)


def _along_axis(
    context: GraphContext,
    error: SpecError,
    op: Op,
    layer: OpLayer,
    inputs: tuple[Tensor, ...],
    span: Span,
) -> SpecError:
    """The error of an op on sizes, with the axis that was probably meant as a fix."""
    item = error.item
    if item is None or item.code not in ("E0401", "E0402", "E0403"):
        return error
    advice = item.fix.message if item.fix is not None else ""
    if "cast(" in advice or "compare first" in advice:
        return error  # the element types differ, whatever the axes
    fix = integers_declared(inputs) if "takes i64 or i32" in item.message else None
    fix = fix or _axis_meant(context, op, layer, inputs, span)
    if fix is None and item.code == "E0403" and inputs:
        fix = channels_last(op, layer, inputs, span)
    return SpecError(replace(item, fix=fix)) if fix is not None else error


def _check_initialisers(op: Op, parameters: tuple[Parameter, ...]) -> None:
    for item in parameters:
        fault = item.initialiser.shape_error(item.shape) if item.initialiser is not None else ""
        if fault:
            named = f"{item.name.removesuffix('_v')}_init"
            attribute = named if named in type(op).model_fields else "init"
            raise OpError(fault, code="E0301", attribute=attribute)


def _check_sizes(
    context: GraphContext, op: Op, outputs: Types, inputs: tuple[Tensor, ...], span: Span
) -> None:
    for type_ in outputs:
        if any((size.constant or 0) > MAX_INTEGER for size in type_.shape):
            raise context.error(
                "E0314",
                f"`{op.name}` would make a size that does not fit in 64 bits",
                span,
                secondary=input_labels(inputs),
            )


def op_failure(
    context: GraphContext, error: OpError, layer: OpLayer, inputs: tuple[Tensor, ...], span: Span
) -> SpecError:
    """The error of an op, located at the attribute or input that caused it."""
    place = span
    if error.attribute is not None:
        names = positional(layer.op)
        position = 0
        for item in layer.given:
            name = item.name or (names[position] if position < len(names) else "")
            position += item.name is None
            if name == error.attribute:
                place = item.span
    return context.error(
        error.code,
        error.message,
        place,
        secondary=[entry for entry in input_labels(inputs) if entry[0] != place],
        notes=error.notes,
        fix=error.fix or (with_separated_letters(place) if error.attribute == "pattern" else None),
    )
