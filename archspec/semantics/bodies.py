"""What stands in braces: statements with inputs and outputs, or one point-free chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archspec.graph.model import Draw, GraphOutput, InitRule, Instance, Origin, Region
from archspec.ops.base import Need
from archspec.ops.registry import all_ops
from archspec.semantics.attributes import initialiser_value
from archspec.semantics.builder import GraphBuilder, NameScope, ports_of, structure_of
from archspec.semantics.callables import force
from archspec.semantics.context import Context, Reported, SpecError
from archspec.semantics.environment import did_you_mean
from archspec.semantics.instantiate import instantiate
from archspec.semantics.operators import is_condition, kind_of, truth
from archspec.semantics.requirements import settle
from archspec.semantics.shapes import (
    bind_targets,
    claim,
    dtype_of,
    name_free,
    poison_dims,
    poison_targets,
    size_of,
)
from archspec.semantics.sources import materialise
from archspec.semantics.values import (
    POISON,
    AbsentLayer,
    Closure,
    Given,
    OpLayer,
    Poison,
    SharedLayer,
    Tensor,
    Value,
    has_poison,
    is_data,
    is_layer,
)
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import dim
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import DType, TensorType


@dataclass(frozen=True, slots=True)
class Result:
    """An output of a body; `name` is "" where none was given."""

    name: str
    value: Value
    span: Span


def result_of(results: Sequence[Result]) -> Value:
    """All outputs as data: one as itself, several as a tuple."""
    if len(results) == 1:
        return results[0].value
    return tuple(item.value for item in results)


def run_body(
    context: Context,
    body: ast.Body,
    data: Value,
    span: Span,
    *,
    inputs_bound: bool = False,
) -> tuple[Result, ...]:
    """Carry out a body on data; `context` has a scope of names of its own.

    Errors are reported where they occur; what depends on them is POISON.
    """
    results: list[Result] = []
    if not inputs_bound:
        _bind_inputs(context, body, data, span)
    for statement in body.statements:
        try:
            if isinstance(statement, ast.Output):
                _output(context, statement, results)
            elif isinstance(statement, ast.ExprStmt):
                results.append(_point_free(context, statement, data, results))
            elif not isinstance(statement, ast.Input):
                _STATEMENTS[type(statement)](context, statement)
        except SpecError as error:
            context.session.report(error)
            _after_error(context, statement, results)
    if not results:
        raise context.error("E0704", "this body has no output", body.span)
    return tuple(results)


def _after_error(
    context: Context, statement: ast.Statement, results: list[Result]
) -> None:
    if isinstance(statement, ast.Bind):
        poison_targets(context, statement.targets)
    elif isinstance(statement, ast.Output):
        results.append(Result(statement.name or "", POISON, statement.span))
    elif isinstance(statement, ast.ExprStmt):
        results.append(Result("", POISON, statement.span))
    elif isinstance(statement, (ast.ParamDecl, ast.BufferDecl, ast.Shared)):
        context.environment.names.setdefault(statement.name, POISON)


# ---------------------------------------------------------------------- inputs


def active_inputs(context: Context, body: ast.Body) -> list[ast.Input]:
    """The input statements that exist in this mode and for these arguments."""
    found: list[ast.Input] = []
    for statement in body.statements:
        if isinstance(statement, ast.Input):
            when = statement.when
            if when is None or truth(context, context.evaluate(when), when.span):
                found.append(statement)
    return found


def _bind_inputs(context: Context, body: ast.Body, data: Value, span: Span) -> None:
    statements = active_inputs(context, body)
    items = [item for statement in statements for item in statement.items]
    if not items:
        return
    targets: list[ast.Target] = [
        ast.RestTarget(item.span, item.name)
        if item.rest
        else ast.NameTarget(item.span, item.name, None)
        for item in items
    ]
    if has_poison(data):
        poison_targets(context, targets)
        for item in items:
            if item.type is not None:
                poison_dims(context, item.type)
        return
    _check_count(context, items, data, span)
    bind_targets(context, targets, data, span)
    for item in items:
        if item.type is not None:
            try:
                claim(context, item.type, context.environment.local(item.name), item.name)
            except SpecError as error:
                context.session.report(error)
    for statement in statements:
        for condition in statement.where:
            _require(context, condition, "`where` asks for it")


def _check_count(
    context: Context, items: Sequence[ast.InputItem], data: Value, span: Span
) -> None:
    count = len(data) if isinstance(data, tuple) else 1
    least = sum(1 for item in items if not item.rest)
    if len(items) == 1 and (items[0].rest or count >= 1):
        return
    if count < least or (count > least and least == len(items)):
        raise context.error(
            "E0304",
            f"this takes {least} input{'s' if least != 1 else ''}, not {count}",
            span,
            secondary=[(items[0].span, "declared here")],
        )


def _require(context: Context, expression: ast.Expr, reason: str) -> None:
    value = context.evaluate(expression)
    if isinstance(value, Poison):
        return
    if is_condition(value):
        text = f"`{expression.span.text}` is needed"
        settle(context, Need(value, f"{text}: {reason}"), expression.span, [])  # type: ignore[arg-type]
    elif value is not True:
        raise context.error("E0408", f"`{expression.span.text}` does not hold here", expression.span)


# ---------------------------------------------------------------------- outputs


def _output(context: Context, statement: ast.Output, results: list[Result]) -> None:
    when = statement.when
    if when is not None and not truth(context, context.evaluate(when), when.span):
        return
    name = statement.name
    if name is None and isinstance(statement.value, ast.Name):
        name = statement.value.text
    if name and any(item.name == name for item in results):
        raise context.error("E0705", f"there are two outputs called `{name}`", statement.span)
    value = _data(context, statement.value)
    results.append(Result(name or "", value, statement.span))


def _data(context: Context, expression: ast.Expr) -> Value:
    value = context.evaluate(expression)
    value = materialise(context, value, expression.span)
    if isinstance(value, Poison) or (is_data(value) and not _has_values(value)):
        return value
    shown = kind_of(force(context, value, expression.span))
    fix = "apply it: `output x -> f`" if is_layer(value) else None
    raise context.error("E0315", f"an output is data, but this is {shown}", expression.span, fix=fix)


def _has_values(value: Value) -> bool:
    if isinstance(value, tuple):
        return any(_has_values(item) for item in value)
    return not isinstance(value, (Tensor, Poison))


def _point_free(
    context: Context, statement: ast.ExprStmt, data: Value, results: list[Result]
) -> Result:
    if results:
        raise context.error(
            "E0706",
            "this stands alone: nothing flows into it and nothing uses it",
            statement.span,
            secondary=[(results[0].span, "the result is given here")],
            fix="join chains with `->`, or bind the result: `y = ..`",
        )
    value = context.evaluate(statement.value)
    if isinstance(value, Poison):
        return Result("", POISON, statement.span)
    if is_data(value):
        return Result("", value, statement.span)
    value = force(context, value, statement.span)
    if not is_layer(value) and not isinstance(value, AbsentLayer):
        raise context.error(
            "E0308", f"a layer or data stands here, but this is {kind_of(value)}", statement.span
        )
    result = context.session.apply(context, value, data, statement.span)
    return Result("", result, statement.span)


# ---------------------------------------------------------------------- other statements


def _bind(context: Context, statement: ast.Bind) -> None:
    value = context.evaluate(statement.value)
    value = force(context, value, statement.value.span)
    value = materialise(context, value, statement.value.span)
    bind_targets(context, statement.targets, value, statement.span)
    for target in statement.targets:
        if isinstance(target, (ast.NameTarget, ast.RestTarget)) and target.name != "_":
            _remember_name(context.environment.local(target.name), target.name)


def _remember_name(value: Value, name: str) -> None:
    if isinstance(value, Tensor):
        node = value.builder.nodes[value.port.node]
        if not node.name and len(node.types) == 1:
            node.name = name


def _param(context: Context, statement: ast.ParamDecl) -> None:
    shape = _fixed_shape(context, statement.type, statement.name)
    init = initialiser_value(context, statement.init) if statement.init is not None else None
    if dtype_of(context, statement.type) is not DType.F32:
        raise context.error(
            "E0407",
            f"`{statement.name}` is learnt, so its elements are f32",
            statement.type.span,
            fix="a constant of another type is a `buffer`",
        )
    given = [Given("shape", shape, statement.type.span)]
    if isinstance(init, Initialiser) and statement.init is not None:
        given.append(Given("init", init, statement.init.span))
    layer = OpLayer(all_ops()["param"], tuple(given), statement.span)
    _declare(context, statement, layer)


def _declare(context: Context, statement: ast.ParamDecl, layer: OpLayer) -> None:
    name_free(context, statement.name, statement.span)
    value = instantiate(context, layer, (), statement.name, statement.span)
    context.environment.bind(statement.name, value, statement.span)
    _remember_name(value, statement.name)


def _fixed_shape(context: Context, shape: ast.TypeExpr, name: str) -> tuple[int, ...]:
    sizes: list[int] = []
    for entry in shape.dims:
        size = size_of(context, entry.value)
        if size is None:
            raise Reported()
        if size.constant is None:
            raise context.error(
                "E0403",
                f"the shape of `{name}` must be fixed, but `{size}` depends on a free size",
                entry.span,
                fix="make the size a parameter of the network: `size: int = 224` and "
                "`input image: f32[B = 1, 3, size, size]`",
            )
        if size.constant < 1:
            raise context.error("E0402", f"`{name}` would have size {size.constant}", entry.span)
        sizes.append(size.constant)
    return tuple(sizes)


def _buffer(context: Context, statement: ast.BufferDecl) -> None:
    name_free(context, statement.name, statement.span)
    shape = _fixed_shape(context, statement.type, statement.name)
    dtype = dtype_of(context, statement.type)
    assert context.builder is not None
    assert context.scope is not None
    inner = GraphBuilder(statement.name, "buffer", context.builder, len(context.frames))
    inside = replace(context, builder=inner, scope=NameScope(inner), turns=())
    value = _data(inside, statement.value)
    if has_poison(value):
        raise Reported()
    wanted = TensorType(dtype, tuple(dim(size) for size in shape))
    if not isinstance(value, Tensor) or value.builder is not inner:
        raise context.error(
            "E0409", "a buffer is computed from constants only", statement.value.span
        )
    if value.type != wanted:
        raise context.error(
            "E0405",
            f"`{statement.name}` is declared {wanted}, but its value is {value.type}",
            statement.span,
        )
    graph = inner.finish(
        (GraphOutput("output", ports_of(value), structure_of(value)),),
        {},
        (),
        Origin(statement.span),
    )
    op = all_ops()["buffer"].model_validate(
        {"shape": shape, "dtype": str(dtype), "transient": statement.transient}
    )
    key = context.scope.key_for(context, statement.name, "buffer", statement.span)
    origin = context.builder.origin(context, statement.span)
    instance = Instance(key, op, None, (Region("value", "", graph),), origin)
    (result,) = context.builder.add(context, instance, (), (wanted,), statement.span)
    context.environment.bind(statement.name, result, statement.span)
    _remember_name(result, statement.name)


def _shared(context: Context, statement: ast.Shared) -> None:
    name_free(context, statement.name, statement.span)
    value = context.evaluate(statement.value)
    assert context.scope is not None
    if isinstance(value, (AbsentLayer, Poison)):
        context.environment.bind(statement.name, value, statement.span)
        return
    if not is_layer(value):
        raise context.error(
            "E0308", f"a layer is shared, but this is {kind_of(value)}", statement.value.span
        )
    scope = context.scope.copy()
    shared = SharedLayer(statement.name, value, statement.span, scope)
    context.environment.bind(statement.name, shared, statement.span)


def _init(context: Context, statement: ast.InitDecl) -> None:
    op = all_ops().get(statement.op)
    if op is None:
        fix = did_you_mean(statement.op, all_ops())
        raise context.error(
            "E0210", f"there is no op called `{statement.op}`", statement.span, fix=fix
        )
    value = initialiser_value(context, statement.value)
    if isinstance(value, Initialiser) and context.builder is not None:
        context.builder.init_rules.append(InitRule(statement.op, statement.parameter, value))


def _draw(context: Context, statement: ast.DrawDecl) -> None:
    policy, ratio = "mixed", 0.5
    node = statement.value
    name = node.function if isinstance(node, ast.Call) else node
    if not isinstance(name, ast.Name) or name.text not in ("local", "global", "mixed"):
        raise context.error(
            "E0301",
            "the policy of a draw is `local`, `global` or `mixed(ratio)`",
            node.span,
        )
    policy = name.text
    if isinstance(node, ast.Call) and node.arguments:
        value = context.evaluate(node.arguments[0].value)
        valid = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
        if not valid or len(node.arguments) > 1 or policy != "mixed":
            raise context.error(
                "E0301", "`mixed(ratio)` takes one number from 0 to 1", node.arguments[0].span
            )
        ratio = float(value)  # type: ignore[arg-type]  # checked above
    if context.builder is not None:
        context.builder.draws.append(Draw(statement.name, policy, ratio))


def _assert(context: Context, statement: ast.Assert) -> None:
    message = context.evaluate(statement.message) if statement.message is not None else None
    value = force(context, context.evaluate(statement.condition), statement.condition.span)
    if isinstance(value, Poison):
        return
    text = message if isinstance(message, str) else f"`{statement.condition.span.text}` is false"
    if is_condition(value):
        settle(context, Need(value, text), statement.condition.span, [])  # type: ignore[arg-type]
    elif not truth(context, value, statement.condition.span):
        raise context.error("E0318", text, statement.condition.span, "asserted here")


_STATEMENTS: dict[type, Callable[[Context, Any], None]] = {
    ast.Bind: _bind,
    ast.ParamDecl: _param,
    ast.BufferDecl: _buffer,
    ast.Shared: _shared,
    ast.InitDecl: _init,
    ast.DrawDecl: _draw,
    ast.Assert: _assert,
}

__all__ = ["Closure", "Result", "active_inputs", "result_of", "run_body"]
