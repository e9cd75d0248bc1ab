"""Sides of a signature: `[B, C, H, W]`, `c * [B, width, H, W]`, or tuples of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archspec.frozen import frozen
from archspec.ops.base import Need
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.requirements import require, settle
from archspec.semantics.expansion.shape_patterns import size_of
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.context import GraphContext, NotInductive, Reported, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import evaluate
from archspec.semantics.values.model import POISON, Copies, Environment, Value, has_poison
from archspec.semantics.values.operators import equality, is_number, plain
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.condition import equal
from archspec.types.dim import ONE, Dim, DimLike, dim
from archspec.types.solver import VerdictKind
from archspec.types.tensor import DType, TensorType


@frozen
class Segment:
    """`count` consecutive tensors of one type."""

    count: Dim
    type: TensorType


def signature_sides(
    context: GraphContext,
    side: ast.Expr,
    *,
    fresh: bool = False,
    against: Sequence[Value] = (),
) -> list[Segment]:
    """The input side. New names are bound: to new symbols, or to the dims of `against`."""
    found: list[Segment] = []
    for index, part in enumerate(_entries(side)):
        count, shape = _count_and_shape(context, part)
        other = against[index] if index < len(against) else None
        actual = other.item if isinstance(other, Copies) else other
        dtype, dims = _shape(context, shape)
        if against and not isinstance(actual, Tensor):
            raise NotInductive("a call has fewer inputs than its signature")
        if isinstance(actual, Tensor) and len(dims) != actual.type.rank:
            raise context.error(
                "E0405",
                f"the signature has {len(dims)} axes, but this is {actual.type}",
                shape.span,
            )
        sizes: list[Dim] = []
        for axis, entry in enumerate(dims):
            size = actual.type.shape[axis] if isinstance(actual, Tensor) else None
            sizes.append(_bound(context, entry, size, fresh=fresh))
        found.append(Segment(count, TensorType(dtype, tuple(sizes))))
    return found


def promised(context: GraphContext, side: ast.Expr) -> list[Segment]:
    """The output side, all of whose names are bound."""
    found: list[Segment] = []
    for part in _entries(side):
        count, shape = _count_and_shape(context, part)
        dtype, dims = _shape(context, shape)
        sizes = [size_of(context, entry) for entry in dims]
        if any(size is None for size in sizes):
            raise Reported()
        found.append(Segment(count, TensorType(dtype, tuple(s for s in sizes if s is not None))))
    return found


def _entries(side: ast.Expr) -> tuple[ast.Expr, ...]:
    while isinstance(side, ast.Group):
        side = side.inner
    return side.items if isinstance(side, ast.TupleExpr) else (side,)


def _count_and_shape(context: GraphContext, part: ast.Expr) -> tuple[Dim, ast.Expr]:
    while isinstance(part, (ast.Group, ast.Spread)):
        part = part.inner
    if not isinstance(part, ast.Binary) or part.operator != "*":
        return ONE, part
    is_left = isinstance(part.left, (ast.ListExpr, ast.Index))
    number, shape = (part.right, part.left) if is_left else (part.left, part.right)
    value = plain(evaluate(context, number))
    if not isinstance(value, Dim) and not (is_number(value) and isinstance(value, int)):
        raise context.error(
            "E0309", f"a number of tensors is an integer, not {kind_of(value)}", number.span
        )
    return dim(value), shape


def _shape(context: GraphContext, shape: ast.Expr) -> tuple[DType, tuple[ast.Expr, ...]]:
    if isinstance(shape, ast.ListExpr):
        return DType.F32, shape.items
    if isinstance(shape, ast.Index) and isinstance(shape.base, ast.Name):
        try:
            return DType(shape.base.text), shape.indices
        except ValueError:
            pass
    raise context.error(
        "E0509", "a side of a signature is a shape, `n * [..]`, or a tuple of these", shape.span
    )


def _bound(context: GraphContext, entry: ast.Expr, size: Dim | None, *, fresh: bool) -> Dim:
    environment = context.environment
    if isinstance(entry, ast.Name) and not environment.has_local(entry.text):
        value = Dim.symbol(entry.text) if fresh or size is None else size
        environment.bind(entry.text, value, entry.span)
        return value
    wanted = size_of(context, entry)
    if wanted is None:
        raise Reported()
    if size is not None:
        verdict = context.session.decide(equality(context, size, wanted, entry.span), entry.span)
        if verdict.kind is not VerdictKind.ALWAYS:
            raise context.error(
                "E0506", f"this call has {size}, but the signature has {wanted}", entry.span
            )
    return wanted


def require_signature(
    context: GraphContext,
    rule: RuleDefinition,
    arguments: Mapping[str, Value],
    data: Value,
    result: Value,
    span: Span,
) -> None:
    """Check one expansion of a rule against its signature. Raises SpecError if it differs."""
    signature = rule.signature
    if signature is None or context.session.integer_symbols or has_poison(result):
        return
    try:
        _compare(context, rule, signature, arguments, data, result, span)
    except NotInductive as reason:
        message = f"the signature of `{rule.name}` does not hold here: {reason}"
        place = [(signature.span, "the signature")]
        raise context.error("E0506", message, span, secondary=place) from None


def _compare(
    context: GraphContext,
    rule: RuleDefinition,
    signature: ast.Signature,
    arguments: Mapping[str, Value],
    data: Value,
    result: Value,
    span: Span,
) -> None:
    sides = context.within(Environment(rule.module))
    for name, value in arguments.items():
        sides.environment.bind(name, value)
    parts = list(data) if isinstance(data, tuple) else [data]
    against: list[Value] = []
    for entry in _entries(signature.inputs):
        count = _count_and_shape(sides, entry)[0].constant or 0
        against.append(parts[0] if parts else POISON)
        del parts[:count]
    signature_sides(sides, signature.inputs, against=against)
    wanted = _merged(promised(sides, signature.outputs))
    actual = _merged(segments_of(result))
    if [(item.count, item.type.rank) for item in actual] != [
        (item.count, item.type.rank) for item in wanted
    ]:
        raise _broken(context, rule, actual, wanted, span)
    for left, right in zip(actual, wanted, strict=True):
        for a, b in zip(left.type.shape, right.type.shape, strict=True):
            if a.constant is not None and b.constant is not None and a != b:
                raise _broken(context, rule, actual, wanted, span)
            reason = f"the signature of `{rule.name}` promises {b}, but it is {a}"
            need = Need(equality(context, a, b, span), reason)
            require(context, settle(context, need, span))


def _broken(
    context: GraphContext,
    rule: RuleDefinition,
    actual: Sequence[Segment],
    wanted: Sequence[Segment],
    span: Span,
) -> SpecError:
    assert rule.signature is not None
    return context.error(
        "E0506",
        f"`{rule.name}` returns {text_of(actual)} here, but its signature promises "
        f"{text_of(wanted)}",
        span,
        secondary=[(rule.signature.outputs.span, "promised here")],
    )


def segments_of(data: Value) -> list[Segment]:
    """Data as segments; neighbours of the same type are merged."""
    found: list[Segment] = []
    for item in data if isinstance(data, tuple) else (data,):
        if isinstance(item, Copies):
            segment = Segment(item.count, item.item.type)
        elif isinstance(item, Tensor):
            segment = Segment(ONE, item.type)
        else:
            raise NotInductive("the result is a tuple inside a tuple")
        if found and found[-1].type == segment.type:
            segment = Segment(found.pop().count + segment.count, segment.type)
        found.append(segment)
    return found


def matched(
    context: GraphContext,
    actual: Sequence[Segment],
    wanted: Sequence[Segment],
    real: Mapping[str, DimLike],
    span: Span,
) -> tuple[str, Mapping[str, int]] | None:
    """None if both are equal for all values; otherwise the difference, with a counterexample.

    `real` maps symbols to their names in the spec; `span` is the location of the comparison.
    """
    merged = _merged(wanted)
    mine = _merged(actual)
    difference = f"it returns {text_of(mine, real)} instead of {text_of(merged, real)}"
    if len(mine) != len(merged):
        return difference, {}
    for left, right in zip(mine, merged, strict=True):
        if left.type.rank != right.type.rank or left.type.dtype is not right.type.dtype:
            return difference, {}
        pairs = [(left.count, right.count), *zip(left.type.shape, right.type.shape, strict=True)]
        for a, b in pairs:
            verdict = context.session.decide(equal(a, b), span)
            if verdict.kind is VerdictKind.UNDECIDED:
                raise NotInductive(verdict.reason)
            if verdict.kind is not VerdictKind.ALWAYS:
                return difference, verdict.counterexample or {}
    return None


def _merged(segments: Sequence[Segment]) -> list[Segment]:
    found: list[Segment] = []
    for segment in segments:
        if segment.count == 0:
            continue
        if found and found[-1].type == segment.type:
            segment = Segment(found.pop().count + segment.count, segment.type)
        found.append(segment)
    return found


def text_of(segments: Sequence[Segment], real: Mapping[str, DimLike] | None = None) -> str:
    """The segments in the notation of the language, with the symbols replaced by `real`."""
    texts: list[str] = []
    for item in segments:
        shape = ", ".join(str(size.substitute(real or {})) for size in item.type.shape)
        count = item.count.substitute(real or {})
        texts.append(f"[{shape}]" if count == 1 else f"{_factor(count)} * [{shape}]")
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _factor(count: Dim) -> str:
    return str(count) if str(count).isalnum() else f"({count})"
