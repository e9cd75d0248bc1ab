"""Statements that declare something in a body: bindings, parameters, buffers, shared layers."""

from __future__ import annotations

import re
from typing import TypeAlias, assert_never

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.suggest import rename
from archspec.graph.model import Draw, GraphOutput, InitRule, Instance, Origin, Region, Tie
from archspec.ops.base import Need, Op
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.layer_calls import initialiser_value
from archspec.semantics.building.graph_builder import GraphBuilder, Tensor
from archspec.semantics.expansion.captures import own
from archspec.semantics.expansion.nodes import add_node, instance_key
from archspec.semantics.expansion.ops import instantiate
from archspec.semantics.expansion.requirements import require, settle
from archspec.semantics.expansion.shape_patterns import (
    bind_targets,
    discard,
    dtype_of,
    name_free,
    size_of,
)
from archspec.semantics.expansion.sharing import one_instance
from archspec.semantics.expansion.sources import materialise
from archspec.semantics.expansion.unpacking_faults import explained
from archspec.semantics.values.context import GraphContext, Reported, SpecError
from archspec.semantics.values.data import ports_of, structure_of
from archspec.semantics.values.display import kind_of, values_in
from archspec.semantics.values.evaluation import evaluate, force, settled
from archspec.semantics.values.model import (
    AbsentLayer,
    Given,
    ListValue,
    OpLayer,
    Poison,
    SharedLayer,
    Value,
    has_poison,
    is_data,
    is_layer,
)
from archspec.semantics.values.operators import is_condition, plain, truth
from archspec.semantics.values.provenance import as_written, numbers_in, written_later
from archspec.semantics.values.single_tensors import as_one
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim, dim
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import DType, TensorType

Declaration: TypeAlias = (
    "ast.Bind | ast.ParamDecl | ast.BufferDecl | ast.Shared | ast.InitDecl | ast.DrawDecl | "
    "ast.TieDecl | ast.Assert"
)
"""A statement that is neither an input, an output nor an expression."""


def carry_out(context: GraphContext, statement: Declaration) -> None:
    """Expand a statement."""
    match statement:
        case ast.Bind():
            _bind(context, statement)
        case ast.ParamDecl():
            _param(context, statement)
        case ast.BufferDecl():
            _buffer(context, statement)
        case ast.Shared():
            _shared(context, statement)
        case ast.InitDecl():
            _init(context, statement)
        case ast.DrawDecl():
            _draw(context, statement)
        case ast.TieDecl():
            _tie(context, statement)
        case ast.Assert():
            _assert(context, statement)
        case _:
            assert_never(statement)


def data_value(context: GraphContext, expression: ast.Expr) -> Value:
    """The data of an expression. Raises SpecError if it is not data."""
    value = evaluate(context, expression)
    value = materialise(context, value, expression.span)
    if isinstance(value, Poison) or (is_data(value) and not _has_values(value)):
        return value
    forced = force(context, value, expression.span)
    raise context.error(
        "E0315",
        f"an output must be data, but this is {kind_of(forced)}",
        expression.span,
        fix=_as_data(expression, forced),
    )


def _as_data(expression: ast.Expr, value: Value) -> str | Fix:
    """A fix for an output that is not data."""
    if isinstance(value, ListValue) and value.items and all(map(is_data, value.items)):
        written = f"(...{expression.span.text})"
        edits = (Edit(expression.span, written),)
        return Fix(f"spread a list of data into a tuple: `{written}`", edits)
    if is_layer(value):
        return "apply it: `output x -> f`"
    return "an output is computed from an input: `output y = x -> f`"


def _has_values(value: Value) -> bool:
    if isinstance(value, tuple):
        return any(_has_values(item) for item in value)
    return not isinstance(value, (Tensor, Poison))


def _bind(context: GraphContext, statement: ast.Bind) -> None:
    value = evaluate(context, statement.value)
    value = force(context, value, statement.value.span)
    value = materialise(context, value, statement.value.span)
    try:
        bind_targets(context, statement.targets, value, statement.span)
    except SpecError as error:
        raise explained(context, error, statement, value) from None
    for target in statement.targets:
        if isinstance(target, (ast.NameTarget, ast.RestTarget)) and target.name != "_":
            _remember_name(context.environment.local(target.name), target.name)
    _remember_number(context, statement, value)


def _remember_number(context: GraphContext, statement: ast.Bind, value: Value) -> None:
    """Record how a number bound to a name was written; a bound size becomes a definition."""
    if len(statement.targets) != 1 or not isinstance(statement.targets[0], ast.NameTarget):
        return  # none is left where a fault of syntax took it
    target, environment = statement.targets[0], context.environment
    if isinstance(value, (int, float)):
        environment.stands_for(target.name, statement.value)
    elif isinstance(value, Dim) and environment.is_body:
        written = as_written(statement.value, environment)
        if written is not None:
            context.builder.definitions[target.name] = written


def _remember_name(value: Value, name: str) -> None:
    """Record what a value is bound to; the parts of a tuple are numbered."""
    if isinstance(value, tuple):
        for number, part in enumerate(value):
            _remember_name(part, f"{name}_{number}" if len(value) > 1 else name)
    elif isinstance(value, Tensor):
        node, index = value.builder.nodes[value.port.node], value.port.index
        names = node.name.split(", ") if node.name else [""] * len(node.types)
        if not node.is_input and not names[index]:
            names[index] = name
            node.name = ", ".join(names)


def _param(context: GraphContext, statement: ast.ParamDecl) -> None:
    shape = _fixed_shape(context, statement.type, statement.name)
    init = initialiser_value(context, statement.init) if statement.init is not None else None
    if dtype_of(context, statement.type) is not DType.F32:
        raise context.error(
            "E0407",
            f"`{statement.name}` is learned, so its elements must be f32",
            statement.type.span,
            fix="a constant of another type is a `buffer`",
        )
    given = [_shape_given(context, statement, shape)]
    if isinstance(init, Initialiser) and statement.init is not None:
        given.append(Given("init", init, statement.init.span))
    layer = OpLayer(all_ops()["param"], tuple(given), statement.span)
    _declare(context, statement, layer)


def _shape_given(
    context: GraphContext, statement: ast.ParamDecl | ast.BufferDecl, shape: tuple[int, ...]
) -> Given:
    """The shape of what is declared, as it is written."""
    span = statement.type.span
    node = ast.TupleExpr(span, tuple(one.value for one in statement.type.dims))
    return Given("shape", shape, span, node, context.environment)


def _declare(context: GraphContext, statement: ast.ParamDecl, layer: OpLayer) -> None:
    name_free(context, statement.name, statement.span)
    value = instantiate(context, layer, (), statement.name, statement.span)
    context.environment.bind(statement.name, value, statement.span)
    if statement.name.startswith("_"):
        discard(context, value)
    _remember_name(value, statement.name)


def _fixed_shape(context: GraphContext, shape: ast.TypeExpr, name: str) -> tuple[int, ...]:
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


def _buffer(context: GraphContext, statement: ast.BufferDecl) -> None:
    name_free(context, statement.name, statement.span)
    shape = _fixed_shape(context, statement.type, statement.name)
    dtype = dtype_of(context, statement.type)
    inner = GraphBuilder(statement.name, "buffer", context.builder, len(context.frames))
    inner.owner, inner.names = context.builder.owner, numbers_in(context.environment)
    inside = context.entering(inner)
    context.session.mode_readers.append(False)
    try:
        value = data_value(inside, statement.value)
    finally:
        reads_mode = context.session.mode_readers.pop()
    if has_poison(value):
        raise Reported()
    if reads_mode:
        raise context.error(
            "E0409",
            "a buffer is computed once, so it can't depend on `training`",
            statement.value.span,
        )
    wanted = TensorType(dtype, tuple(dim(size) for size in shape))
    if not isinstance(value, Tensor):
        raise context.error("E0409", "a buffer is one tensor, not a tuple", statement.value.span)
    value = own(inside, value, statement.value.span)
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
    key = instance_key(context, statement.name, "buffer", statement.span)
    origin = context.origin(statement.span)
    region, owner = Region("value", "", graph), context.builder.owner
    source = written_later((_shape_given(context, statement, shape),), ("shape",), owner)
    instance = Instance(key, op, None, (region,), origin, source=source)
    instance = one_instance(context, instance, (), statement.span)
    (result,) = add_node(context, instance, (), (wanted,), statement.span)
    context.environment.bind(statement.name, as_one(result), statement.span)
    _remember_name(result, statement.name)


def _shared(context: GraphContext, statement: ast.Shared) -> None:
    name_free(context, statement.name, statement.span)
    value = evaluate(context, statement.value)
    if isinstance(value, (AbsentLayer, Poison)):
        context.environment.bind(statement.name, value, statement.span)
        return
    if not is_layer(value):
        raise context.error(
            "E0308",
            f"only a layer can be shared, but this is {kind_of(value)}",
            statement.value.span,
        )
    shared = SharedLayer(statement.name, value, statement.span, context.scope.for_shared_layer())
    context.environment.bind(statement.name, shared, statement.span)


def _behind_word(span: Span, name: str) -> Span:
    """The span of a name in a statement."""
    at = span.text.find(name, len("init"))
    return Span(span.source, span.start + at, span.start + at + len(name))


def _init(context: GraphContext, statement: ast.InitDecl) -> None:
    op = all_ops().get(statement.op)
    if op is None:
        place = _behind_word(statement.span, statement.op)
        fix = rename(place, statement.op, all_ops())
        raise context.error(
            "E0210", f"there is no op called `{statement.op}`", statement.span, fix=fix
        )
    known = _weights_of(op)
    if _ANY_NUMBER.sub("0", statement.parameter) not in known:
        place = _behind_word(statement.span, statement.parameter)
        fix = rename(place, statement.parameter, known)
        listed = ", ".join(f"`{name}`" for name in sorted(known))
        raise context.error(
            "E0302",
            f"`{op.name}` has no weights called `{statement.parameter}`",
            statement.span,
            notes=(f"it has {listed}",) if known else (),
            fix=fix,
        )
    value = initialiser_value(context, statement.value)
    if isinstance(value, Initialiser) and context.builder is not None:
        origin = context.origin(statement.span)
        rule = InitRule(statement.op, statement.parameter, value, origin)
        context.builder.init_rules.append(rule)


_ANY_NUMBER = re.compile(r"\d+")


def _weights_of(op: type[Op]) -> set[str]:
    """Names of the trainable tensors that an op may own, taken from its examples."""
    names: set[str] = set()
    for example in op.examples:
        made = op.model_validate(dict(example.attributes))
        found = made.parameters(*example.input_types)
        names |= {_ANY_NUMBER.sub("0", item.name) for item in found if item.learnable}
    return names - {""}


def _draw(context: GraphContext, statement: ast.DrawDecl) -> None:
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
        value = evaluate(context, node.arguments[0].value)
        valid = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
        if not valid or len(node.arguments) > 1 or policy != "mixed":
            raise context.error(
                "E0301", "`mixed(ratio)` takes one number from 0 to 1", node.arguments[0].span
            )
        ratio = float(value)  # type: ignore[arg-type]  # checked above
    if context.builder is not None:
        context.builder.draws.append(Draw(statement.name, policy, ratio))


def _tie(context: GraphContext, statement: ast.TieDecl) -> None:
    names: list[str] = []
    for node in (statement.name, statement.source):
        value = plain(settled(context, node))
        if isinstance(value, Poison):
            return
        if not isinstance(value, str):
            what = f"the full name of weights, but this is {kind_of(value)}"
            fix = 'in quotes: `tie "head.weight" = "embed.weight"`'
            raise context.error("E0305", f"`tie` takes {what}", node.span, fix=fix)
        names.append(value)
    if context.builder is not None:
        origin = context.origin(statement.span)
        context.builder.ties.append(Tie(names[0], names[1], origin))


def _assert(context: GraphContext, statement: ast.Assert) -> None:
    message = evaluate(context, statement.message) if statement.message is not None else None
    value = force(context, evaluate(context, statement.condition), statement.condition.span)
    if isinstance(value, Poison):
        return
    text = message if isinstance(message, str) else f"`{statement.condition.span.text}` is false"
    if is_condition(value):
        need = Need(value, text, chosen=True)
        require(context, settle(context, need, statement.condition.span))
    elif not truth(context, value, statement.condition.span):
        raise context.error(
            "E0318",
            text,
            statement.condition.span,
            "asserted here",
            notes=values_in(context.environment, statement.condition),
        )
