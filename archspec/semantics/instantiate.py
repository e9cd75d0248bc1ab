"""Putting a primitive op into the graph: attributes checked, types inferred, needs settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from archspec.graph.model import Instance
from archspec.ops.base import Check, Need, Op, OpError
from archspec.ops.registry import all_ops
from archspec.semantics.attributes import positional
from archspec.semantics.callables import force
from archspec.semantics.context import Context, NotInductive, SpecError
from archspec.semantics.environment import did_you_mean
from archspec.semantics.functions import RangeValue
from archspec.semantics.operators import kind_of, plain
from archspec.semantics.regions import build_regions, input_labels
from archspec.semantics.requirements import settle
from archspec.semantics.values import (
    POISON,
    Copies,
    Given,
    ListValue,
    OpLayer,
    Tensor,
    Value,
    freeze,
    has_poison,
    is_layer,
)
from archspec.source import Span
from archspec.types.condition import at_least
from archspec.types.dim import Dim, OutsideFragment
from archspec.types.solver import VerdictKind, decide
from archspec.types.tensor import TensorType

Types = tuple[TensorType, ...]


def data_op(
    context: Context, name: str, attributes: Mapping[str, Value], inputs: Value, span: Span
) -> Value:
    """An operation on data that has no name of its own: arithmetic, comparisons."""
    given = tuple(Given(key, value, span) for key, value in attributes.items())
    return instantiate(context, OpLayer(all_ops()[name], given, span), inputs, None, span, key="")


def instantiate(
    context: Context,
    layer: OpLayer,
    data: Value,
    label: str | None,
    span: Span,
    *,
    key: str | None = None,
) -> Value:
    """Add the op to the graph; its results.

    A key that is given is used as it is; otherwise the scope names the instance. Raises SpecError
    when the op can't take these attributes or inputs.
    """
    if has_poison(data) or any(has_poison(item.value) for item in layer.given):
        return POISON
    builder, scope = context.builder, context.scope
    assert builder is not None
    assert scope is not None
    if isinstance(data, tuple) and any(isinstance(item, Copies) for item in data):
        return _over_copies(context, layer, data, span)
    op, layers = complete(context, layer, span)
    if op.transparent:
        if label is None and scope.counter is not None and key is None:
            scope.take(context, span)
        return data
    inputs = _inputs(context, op, data, span)
    tape = scope.tape if key is None else None
    known = tape.replayed() if tape is not None else None
    if known is not None:
        key = known.key
    elif key is None:
        unnamed = op.arity[1] == 0 and label is None
        key = (
            _source_key(context, op, span)
            if unnamed
            else scope.key_for(context, label, op.name, span)
        )
    regions, captured, yields = build_regions(context, op, layers, inputs, span)
    outputs, single = _infer(context, op, layer, inputs, yields, span)
    if known is not None:
        _check_shared(context, known, op, inputs, span)
    instance = known or Instance(
        key, op, None, regions, builder.origin(context, span), _explicit(layer, op)
    )
    if tape is not None and known is None:
        tape.record(instance, tuple(item.type for item in inputs))
    results = builder.add(context, instance, inputs + captured, outputs, span)
    return results[0] if single else results


def _over_copies(context: Context, layer: OpLayer, data: tuple[Value, ...], span: Span) -> Value:
    """The op on a tuple whose length depends on a parameter: its type must grow evenly with it."""
    if layer.op.transparent:
        return data
    counts = [item.count for item in data if isinstance(item, Copies)]
    for count in counts:
        if decide(at_least(count, 1), context.session.given).kind is not VerdictKind.ALWAYS:
            raise NotInductive(f"a tuple may have {count} parts, which may be none")

    def result(times: list[int]) -> Tensor:
        left = list(times)
        inputs: list[Value] = []
        for item in data:
            parts = [item.item] * left.pop(0) if isinstance(item, Copies) else [item]
            inputs.extend(parts)
        made = instantiate(context, layer, tuple(inputs), None, span, key="")
        if not isinstance(made, Tensor):
            raise NotInductive(f"`{layer.op.name}` has several results here")
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
                raise NotInductive(f"`{layer.op.name}` does not grow evenly with its inputs")
            shape[axis] = shape[axis] + step * (count - 1)
    return Tensor(base.builder, base.port, base.type.with_shape(*shape))


def _source_key(context: Context, op: Op, span: Span) -> str:
    if op.name in ("param", "buffer"):
        raise context.error(
            "E0606",
            f"a `{op.name}` needs a name for its weights",
            span,
            fix=f"`param p: f32[..] = zeros`, or a label: `p: {op.name}(..)`",
        )
    return ""


def _explicit(layer: OpLayer, op: Op) -> frozenset[str]:
    names = [item.name for item in layer.given if item.name is not None]
    count = sum(1 for item in layer.given if item.name is None)
    return frozenset([*names, *positional(type(op))[:count]])


# ---------------------------------------------------------------------- attributes


def complete(context: Context, layer: OpLayer, span: Span) -> tuple[Op, dict[str, Given]]:
    """The op with all its attributes, and the layers it holds.

    Raises SpecError with one diagnostic for the first attribute that is missing or wrong; the
    others are reported beside it.
    """
    cache_key = ("op", layer.op.name, freeze(layer))
    session = context.session
    by_name, extra, open_pairs = _sorted(context, layer)
    layers = {name: by_name.pop(name) for name in layer.op.regions if name in by_name}
    for name in layer.op.regions:
        if name not in layers:
            raise context.error("E0303", f"`{layer.op.name}` needs the layer `{name}`", span)
    if cache_key in session.op_results:
        return session.op_results[cache_key], layers
    attributes: dict[str, Any] = {
        name: _attribute(context, item.value, item.span) for name, item in by_name.items()
    }
    if layer.op.variadic is not None and extra:
        values = tuple(_attribute(context, item.value, item.span) for item in extra)
        whole = len(values) == 1 and isinstance(values[0], tuple)
        attributes[layer.op.variadic] = values[0] if whole else values
    if layer.op.open_attributes is not None:
        attributes[layer.op.open_attributes] = tuple(
            (item.name, _attribute(context, item.value, item.span)) for item in open_pairs
        )
    if session.integer_symbols and any(isinstance(v, Dim) for v in attributes.values()):
        return _symbolic(layer, attributes), layers
    try:
        op = layer.op.model_validate(attributes)
    except ValidationError as error:
        raise _attribute_errors(context, layer, by_name, error, span) from None
    session.op_results[cache_key] = op
    return op, layers


def _symbolic(layer: OpLayer, attributes: dict[str, Any]) -> Op:
    """The op with symbols for integer attributes, while a signature is checked."""
    stand_in = {name: 1 if isinstance(v, Dim) else v for name, v in attributes.items()}
    try:
        layer.op.model_validate(stand_in)
    except ValidationError as error:
        raise NotInductive(f"`{layer.op.name}` checks its attributes one by one") from error
    return layer.op.model_construct(**attributes)


def _sorted(context: Context, layer: OpLayer) -> tuple[dict[str, Given], list[Given], list[Given]]:
    op = layer.op
    order = positional(op)
    by_name: dict[str, Given] = {}
    extra: list[Given] = []
    open_pairs: list[Given] = []
    position = 0
    for item in layer.given:
        if item.name is None:
            if op.variadic is not None:
                extra.append(item)
            elif position < len(order):
                by_name[order[position]] = item
                position += 1
            else:
                raise context.error(
                    "E0303",
                    f"`{op.name}` takes {len(order)} attributes, this is one too many",
                    item.span,
                )
        elif item.name in order or item.name == op.variadic:
            by_name[item.name] = item
        elif op.open_attributes is not None:
            open_pairs.append(item)
        else:
            raise context.error(
                "E0302",
                f"`{op.name}` has no attribute `{item.name}`",
                item.span,
                notes=(f"it has {', '.join(order)}",) if order else (),
                fix=did_you_mean(item.name, order),
            )
    return by_name, extra, open_pairs


def _attribute(context: Context, value: Value, span: Span) -> Any:
    value = plain(force(context, value, span))
    if isinstance(value, ListValue):
        return tuple(_attribute(context, item, span) for item in value.items)
    if isinstance(value, tuple):
        return tuple(_attribute(context, item, span) for item in value)
    if isinstance(value, RangeValue):
        return value.items(context, span)
    if is_layer(value):
        raise context.error("E0301", "this attribute is a value, not a layer", span)
    return value


def _attribute_errors(
    context: Context,
    layer: OpLayer,
    by_name: Mapping[str, Given],
    error: ValidationError,
    span: Span,
) -> SpecError:
    found: dict[str, SpecError] = {}
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else ""
        if name in found:
            continue
        if detail["type"] == "missing":
            found[name] = context.error("E0303", f"`{layer.op.name}` needs `{name}`", span)
            continue
        place = by_name[name].span if name in by_name else span
        code, message = _what_is_wrong(layer.op, name, detail)
        found[name] = context.error(code, message, place)
    first, *others = found.values()
    for other in others:
        context.session.sink.report(other.item)
    return first


def _what_is_wrong(op: type[Op], name: str, detail: Any) -> tuple[str, str]:
    value = detail["input"]
    what = f"`{name}` of `{op.name}`"
    shown = kind_of(plain(value)) if not isinstance(value, (dict, type(None))) else "nothing"
    if shown == "a dimension":
        return "E0403", f"{what} must be a fixed number, but `{value}` depends on a free size"
    if detail["type"] == "value_error":
        return "E0301", f"{what}: {detail['ctx']['error']}"
    message = str(detail["msg"]).removeprefix("Input should be ").replace("'", "`")
    text = f" {value}" if isinstance(value, (int, float, str)) else ""
    return "E0301", f"{what} should be {message}, not {shown}{text}"


# ---------------------------------------------------------------------- inputs and types


def _inputs(context: Context, op: Op, data: Value, span: Span) -> tuple[Tensor, ...]:
    builder = context.builder
    assert builder is not None
    items = data if isinstance(data, tuple) else (data,)
    found: list[Tensor] = []
    for item in items:
        if not isinstance(item, Tensor):
            what = "a tuple inside the tuple" if isinstance(item, tuple) else kind_of(item)
            raise context.error(
                "E0304", f"`{op.name}` takes tensors, but one of its inputs is {what}", span
            )
        found.append(builder.own(context, item, span))
    least, most = op.arity
    if len(found) < least or (most is not None and len(found) > most):
        wanted = str(least) if least == most else f"{least} to {most}" if most else f"{least} up"
        raise context.error(
            "E0304",
            f"`{op.name}` takes {wanted} input{'s' if wanted != '1' else ''}, not {len(found)}",
            span,
            secondary=input_labels(tuple(found)),
            fix="apply it to each: `(x -> f for x in t)`" if most == 1 and found else None,
        )
    return tuple(found)


def _infer(
    context: Context,
    op: Op,
    layer: OpLayer,
    inputs: tuple[Tensor, ...],
    yields: Mapping[str, Types],
    span: Span,
) -> tuple[Types, bool]:
    types = tuple(item.type for item in inputs)
    cache_key = ("infer", op.name, op, types)
    results = context.session.op_results
    if op.regions or cache_key not in results:
        results[cache_key] = _infer_now(context, op, layer, inputs, yields, span)
    outputs, needs, single = results[cache_key]
    for need in needs:
        settle(context, need, span, input_labels(inputs))
    return outputs, single


def _infer_now(
    context: Context,
    op: Op,
    layer: OpLayer,
    inputs: tuple[Tensor, ...],
    yields: Mapping[str, Types],
    span: Span,
) -> tuple[Types, tuple[Need, ...], bool]:
    types = tuple(item.type for item in inputs)
    check = Check()
    try:
        result = op.infer_regions(check, types, yields) if op.regions else op.infer(check, *types)
        outputs = (result,) if isinstance(result, TensorType) else tuple(result)
        if not context.session.integer_symbols:
            op.parameters(*types)
    except OpError as error:
        raise op_failure(context, error, layer, inputs, span) from None
    except (TypeError, AttributeError) as error:
        if not context.session.integer_symbols:
            raise
        raise NotInductive(f"`{op.name}` needs numbers for its attributes") from error
    except OutsideFragment as error:
        raise context.error(
            "E0411", f"this is beyond symbolic sizes: {error}", span, secondary=input_labels(inputs)
        ) from None
    return outputs, tuple(check.needs), isinstance(result, TensorType)


def op_failure(
    context: Context, error: OpError, layer: OpLayer, inputs: tuple[Tensor, ...], span: Span
) -> SpecError:
    """What an op said, at the attribute or input at fault."""
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
        fix=error.fix,
    )


def _check_shared(
    context: Context, known: Instance, op: Op, inputs: tuple[Tensor, ...], span: Span
) -> None:
    assert context.scope is not None
    assert context.scope.tape is not None
    first = context.scope.tape.types_of(known)
    types = tuple(item.type for item in inputs)
    same = known.op is not None and [
        (item.name, item.shape) for item in known.op.parameters(*first)
    ] == [(item.name, item.shape) for item in op.parameters(*types)]
    if not same:
        raise context.error(
            "E0607",
            f"this `{op.name}` is shared, but its weights would have other shapes here",
            span,
            secondary=[(known.origin.span, "its first use")],
        )
