"""Errors at a stage of a chain that earlier stages explain.

`x -> lstm(8) -> linear(4)`: an LSTM returns three tensors. `global_avg_pool -> conv(8, 1)`: the
pool removed the axes that a convolution needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archspec.diagnostics.model import Edit, Fix
from archspec.ops.registry import all_ops
from archspec.semantics.program.definitions import BlockDefinition
from archspec.semantics.values.context import SpecError
from archspec.semantics.values.model import (
    BlockLayer,
    GroupLayer,
    LabelledLayer,
    OpLayer,
    Value,
)
from archspec.source import Span
from archspec.syntax import ast


def explained(
    error: SpecError, stages: Sequence[ast.Expr], at: int, before: Value | None, data: Value
) -> SpecError:
    """The error of stage `at`, with an explanation by earlier stages.

    `before` is the layer of the previous stage, `data` its result.
    """
    item = error.item
    if item is None or item.primary is None or at < 1:
        return error
    if not _within(item.primary.span, stages[at].span):
        return error
    if item.code == "E0304" and isinstance(data, tuple) and before is not None:
        return _several(error, stages, at, before, len(data))
    if item.code == "E0401" and "takes [B, C, L]" in item.message:
        return _without_axes(error, stages, at)
    return error


def in_sum(error: SpecError, stages: Sequence[ast.Expr], at: int) -> SpecError:
    """The error of `x -> f + x`, where `->` is meant to end before the sign."""
    item, stage = error.item, stages[at]
    if item is None or item.code != "E0307" or at < 1 or item.primary is None:
        return error
    if not isinstance(stage, ast.Binary):
        return error
    if at + 1 < len(stages) and not isinstance(stage.right, ast.Number | ast.Call):
        return error  # `x -> f + y -> g`, of which the second part is `y -> g` or not
    left = stage.left
    while isinstance(left, ast.Binary):
        left = left.left
    if item.primary.span != left.span or any(isinstance(one, ast.Labelled) for one in stages[at:]):
        return error
    start, end = stages[0].span, left.span
    edits = (Edit(_at(start, start.start), "("), Edit(_at(end, end.end), ")"))
    whole = Span(start.source, start.start, end.end).text
    short = whole if len(whole) <= 40 and "\n" not in whole else f".. -> {end.text[:40]}"
    words = f"`->` binds least tightly: write `({short}) {stage.operator} ..`"
    return SpecError(replace(item, fix=Fix(words, edits)))


def in_front(error: SpecError, stages: Sequence[ast.Expr], at: int) -> SpecError:
    """The error of `x -> matmul(y)`, whose inputs are a tuple: `(x, y) -> matmul`."""
    item, stage = error.item, stages[at]
    labelled = stage
    while isinstance(stage, ast.Labelled | ast.Group):
        stage = stage.inner
    if item is None or item.code != "E0310" or at < 1 or not isinstance(stage, ast.Call):
        return error
    op = all_ops().get(stage.function.span.text)
    if op is None or op.arity[1] == 1 or stage is not labelled:
        return error
    start, end = stages[0].span, stages[at - 1].span
    before = Span(start.source, start.start, end.end)
    attributes = {*op.model_fields, *op.regions}
    data = [one for one in stage.arguments if one.name is None or one.name not in attributes]
    kept = [one.span.text for one in stage.arguments if one not in data]
    inputs = ", ".join((before.text, *(_flat(one.value) for one in data)))
    called = op.name + (f"({', '.join(kept)})" if kept else "")
    written = f"({inputs}) -> {called}"
    shown = written if len(written) <= 90 and "\n" not in written else f"(x, y) -> {called}"
    place = Span(start.source, start.start, stage.span.end)
    fix = Fix(f"both inputs precede the arrow: `{shown}`", (Edit(place, written),))
    return SpecError(replace(item, fix=fix))


def _flat(node: ast.Expr) -> str:
    """Data as a part of a tuple."""
    while isinstance(node, ast.Group):
        node = node.inner
    if isinstance(node, ast.ListExpr | ast.TupleExpr):
        return node.span.text[1:-1]
    return node.span.text


def _several(
    error: SpecError, stages: Sequence[ast.Expr], at: int, before: Value, count: int
) -> SpecError:
    assert error.item is not None
    while isinstance(before, LabelledLayer | GroupLayer):
        before = before.inner
    start, end = stages[0].span, stages[at - 1].span
    here, there = _at(start, start.start), _at(end, end.end)
    if isinstance(before, OpLayer):
        name, names = before.op.name, before.op.output_names[:count]
        listed = ", ".join(names) or ", ".join("abcdefgh"[: min(count, 8)])
        words = f"take the first, `(..)[0]`, or name them: `{listed} = x -> {name}(..)`"
        fix = Fix(words, (Edit(here, "("), Edit(there, ")[0]")))
    elif isinstance(before, BlockLayer) and isinstance(before.definition, BlockDefinition):
        name, names = before.definition.name, _outputs(before.definition)
        if len(names) != count:
            return error
        fix = Fix(f"select one: `x -> {name}.{names[0]}`", (Edit(there, f".{names[0]}"),))
    else:
        return error
    what = " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else ""
    takes = error.item.message.partition(", not ")[0]
    message = f"{takes}, but `{name}` returns {count}" + (f": {what}" if what else "")
    return SpecError(replace(error.item, message=message, fix=fix))


def _outputs(definition: BlockDefinition) -> tuple[str, ...]:
    found = [item for item in definition.node.body.statements if isinstance(item, ast.Output)]
    return tuple(name for item in found for name in item.names)


def _without_axes(error: SpecError, stages: Sequence[ast.Expr], at: int) -> SpecError:
    """The error of a convolution after a reduction that removed the axes."""
    assert error.item is not None
    for stage in reversed(stages[:at]):
        while isinstance(stage, ast.Labelled | ast.Group):
            stage = stage.inner
        function = stage.function if isinstance(stage, ast.Call) else stage
        op = all_ops().get(function.text) if isinstance(function, ast.Name) else None
        if op is None:
            return error
        if "keepdim" in op.model_fields:
            break
    else:
        return error
    inside = ", ".join(item.span.text for item in stage.arguments) if isinstance(
        stage, ast.Call
    ) else ""  # fmt: skip
    if "keepdim" in inside:
        return error
    written = f"{op.name}({inside}{', ' * bool(inside)}keepdim=true)"
    fix = Fix(f"keep the axes: `{written}`", (Edit(stage.span, written),))
    return SpecError(replace(error.item, fix=fix))


def _at(span: Span, offset: int) -> Span:
    return Span(span.source, offset, offset)


def _within(inner: Span, outer: Span) -> bool:
    same = inner.source is outer.source
    return same and outer.start <= inner.start and inner.end <= outer.end
