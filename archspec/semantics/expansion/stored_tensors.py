"""Statements that declare tensors of a module: `param` and `buffer`.

An expression for their values is a graph of its own, of the kind "buffer", that is computed when
the module is created.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from archspec.diagnostics.model import Edit, Fix
from archspec.graph.model import Graph, GraphOutput, Instance, Origin, Region
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.batch_sizes import without_batch
from archspec.semantics.arguments.layer_calls import initial_value, no_initialiser
from archspec.semantics.building.graph_builder import GraphBuilder, Tensor
from archspec.semantics.expansion.captures import own
from archspec.semantics.expansion.nodes import add_node, instance_key
from archspec.semantics.expansion.ops import instantiate
from archspec.semantics.expansion.shape_patterns import dtype_of, size_of
from archspec.semantics.expansion.sharing import one_instance
from archspec.semantics.expansion.sources import as_data, materialise
from archspec.semantics.values.context import GraphContext, Reported
from archspec.semantics.values.data import ports_of, structure_of
from archspec.semantics.values.model import Given, OpLayer, Value, has_poison, is_data
from archspec.semantics.values.provenance import numbers_around, written_later
from archspec.semantics.values.single_tensors import as_one
from archspec.syntax import ast
from archspec.types.dim import dim
from archspec.types.initialiser import Initialiser, Ones, Zeros
from archspec.types.tensor import DType, TensorType


def parameter(context: GraphContext, statement: ast.ParamDecl) -> Value:
    """The tensor of `param p: f32[..] = init`. Raises SpecError if there can't be one."""
    if statement.fixed:
        context = replace(context, session=context.session.for_frozen())
    shape = _fixed_shape(context, statement.type, statement.name)
    if dtype_of(context, statement.type) is not DType.F32:
        raise context.error(
            "E0407",
            f"`{statement.name}` is learned, so its elements must be f32",
            statement.type.span,
            fix="a constant of another type is a `buffer`",
        )
    given = [_shape_given(context, statement, shape)]
    if statement.init is not None:
        with _computed_once(context, statement, statement.init) as inside:
            value = initial_value(inside, statement.init)
            if not isinstance(value, Initialiser):
                value = materialise(inside, value, statement.init.span)
        if not isinstance(value, Initialiser):
            if not is_data(value) and not has_poison(value):
                raise no_initialiser(context, statement.init, value)
            op = all_ops()["computed_param"].model_validate({"shape": shape})
            wanted = TensorType(DType.F32, tuple(map(dim, shape)))
            graph = _graph_of(inside, statement, statement.init, value, wanted)
            return _declared(context, statement, op, graph, shape)
        place, environment = statement.init.span, context.environment
        given.append(Given("init", value, place, statement.init, environment))
    layer = OpLayer(all_ops()["param"], tuple(given), statement.span)
    return instantiate(context, layer, (), statement.name, statement.span)


def buffer(context: GraphContext, statement: ast.BufferDecl) -> Value:
    """The tensor of `buffer b: i64[..] = value`. Raises SpecError if there can't be one."""
    shape = _fixed_shape(context, statement.type, statement.name)
    dtype = dtype_of(context, statement.type)
    with _computed_once(context, statement, statement.value) as inside:
        value = initial_value(inside, statement.value)
        if not isinstance(value, Initialiser):
            value = as_data(inside, statement.value, value, "the value of a buffer")
    if isinstance(value, Initialiser):
        return _initialised_buffer(context, statement, dtype, shape, value)
    wanted = TensorType(dtype, tuple(map(dim, shape)))
    graph = _graph_of(inside, statement, statement.value, value, wanted)
    op = all_ops()["buffer"].model_validate(
        {"shape": shape, "dtype": str(dtype), "transient": statement.transient}
    )
    return _declared(context, statement, op, graph, shape)


def _initialised_buffer(
    context: GraphContext,
    statement: ast.BufferDecl,
    dtype: DType,
    shape: tuple[int, ...],
    value: Initialiser,
) -> Value:
    """The tensor of a buffer whose value is drawn by an initialiser."""
    if dtype is not DType.F32:
        message = f"`{statement.name}` is filled by an initialiser, so its elements must be f32"
        raise context.error(
            "E0407", message, statement.type.span, fix=_of_type(statement, dtype, shape, value)
        )
    if statement.transient:
        message = "a buffer that an initialiser fills is part of the state dict"
        raise context.error("E0409", message, statement.span, fix="remove `transient`")
    given = (
        _shape_given(context, statement, shape),
        Given("init", value, statement.value.span, statement.value, context.environment),
    )
    layer = OpLayer(all_ops()["initialised_buffer"], given, statement.span)
    return instantiate(context, layer, (), statement.name, statement.span)


def _of_type(
    statement: ast.BufferDecl, dtype: DType, shape: tuple[int, ...], value: Initialiser
) -> Fix | None:
    """The fix for zeros or ones of another type: the op of the same name."""
    if not isinstance(value, (Zeros, Ones)):
        return None
    written = f"{statement.value.span.text}({list(shape)}, dtype={dtype})"
    return Fix(f"a tensor of this type is `{written}`", (Edit(statement.value.span, written),))


@contextmanager
def _computed_once(
    context: GraphContext, statement: ast.ParamDecl | ast.BufferDecl, value: ast.Expr
) -> Iterator[GraphContext]:
    """The context of a value that is computed once: a graph that does not depend on the mode."""
    inner = GraphBuilder(statement.name, "buffer", context.builder, len(context.frames))
    inner.owner, inner.names = context.builder.owner, numbers_around(context.environment)
    readers = context.session.mode_readers
    readers.append(False)
    try:
        yield context.entering(inner)
    finally:
        reads_mode = readers.pop()
    if reads_mode:
        what = "a buffer" if isinstance(statement, ast.BufferDecl) else "an initial value"
        message = f"{what} is computed once, so it can't depend on `training`"
        raise context.error("E0409", message, value.span)


def _graph_of(
    inside: GraphContext,
    statement: ast.ParamDecl | ast.BufferDecl,
    expression: ast.Expr,
    value: Value,
    wanted: TensorType,
) -> Graph:
    """The graph that computes a value of the declared type."""
    if has_poison(value):
        raise Reported()
    if not isinstance(value, Tensor):
        what = "a buffer" if isinstance(statement, ast.BufferDecl) else "a parameter"
        raise inside.error("E0409", f"{what} is one tensor, not a tuple", expression.span)
    value = own(inside, value, expression.span)
    if value.type != wanted:
        raise inside.error(
            "E0405",
            f"`{statement.name}` is declared {wanted}, but its value is {value.type}",
            statement.span,
        )
    output = GraphOutput("output", ports_of(value), structure_of(value))
    return inside.builder.finish((output,), {}, (), Origin(statement.span))


def _declared(
    context: GraphContext,
    statement: ast.ParamDecl | ast.BufferDecl,
    op: Op,
    graph: Graph,
    shape: tuple[int, ...],
) -> Value:
    """The tensor of an op that holds the graph of its value."""
    key = instance_key(context, statement.name, op.name, statement.span)
    given = _shape_given(context, statement, shape)
    source = written_later((given,), ("shape",), context.builder.owner)
    instance = Instance(
        key,
        op,
        None,
        (Region("value", "", graph),),
        context.origin(statement.span),
        frozen=context.session.frozen,
        source=source,
    )
    instance = one_instance(context, instance, (), statement.span)
    (result,) = add_node(context, instance, (), graph.output_types, statement.span)
    return as_one(result)


def _shape_given(
    context: GraphContext, statement: ast.ParamDecl | ast.BufferDecl, shape: tuple[int, ...]
) -> Given:
    """The shape of what is declared, as it is written."""
    span = statement.type.span
    node = ast.TupleExpr(span, tuple(one.value for one in statement.type.dims))
    return Given("shape", shape, span, node, context.environment)


def _fixed_size(entry: ast.DimExpr, without: str | None) -> Fix:
    """The fix for a free size in a shape; `without` is the advice if it is the batch."""
    if without is not None:
        return Fix(without, (Edit(entry.span, "1"),))
    return Fix(
        "make the size a parameter of the network, `length: int = 128`, to write for "
        f"`{entry.span.text}` in the input, or store the longest one and apply `slice`"
    )


def _fixed_shape(context: GraphContext, shape: ast.TypeExpr, name: str) -> tuple[int, ...]:
    sizes: list[int] = []
    for at, entry in enumerate(shape.dims):
        size = size_of(context, entry.value)
        if size is None:
            raise Reported()
        if size.constant is None:
            rest = [one.span.text for one in shape.dims[1:]]
            raise context.error(
                "E0403",
                f"the shape of `{name}` must be fixed, but `{size}` depends on a free size",
                entry.span,
                fix=_fixed_size(entry, without_batch(context, (size, *rest)) if at == 0 else None),
            )
        if size.constant < 1:
            raise context.error("E0402", f"`{name}` would have size {size.constant}", entry.span)
        sizes.append(size.constant)
    return tuple(sizes)
