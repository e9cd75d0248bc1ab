"""Errors at a stage of a chain that earlier stages explain.

`x -> lstm(8) -> linear(4)`: an LSTM returns three tensors. `global_avg_pool -> conv(8, 1)`: the
pool removed the axes that a convolution needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from archspec.diagnostics.model import Edit, Fix
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope
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
from archspec.syntax.visit import path_to


def explained(
    error: SpecError, stages: Sequence[ast.Expr], at: int, before: Value | None, data: Value
) -> SpecError:
    """The error of stage `at`, with an explanation by earlier stages.

    `before` is the layer of the previous stage, `data` its result.
    """
    item = error.item
    if item is None or item.primary is None or not _within(item.primary.span, stages[at].span):
        return error
    if item.fix is not None and "channels are on axis 1" in item.fix.message:
        return _once(error, stages, at)
    if at < 1:
        return error
    if item.code == "E0308" and isinstance(data, tuple) and (index := _index(stages[at])):
        return SpecError(replace(item, fix=_indexed(stages, at, index)))
    if item.code == "E0304" and isinstance(data, tuple) and before is not None:
        return _several(error, stages, at, before, len(data))
    if item.code == "E0403" and "last axis of fixed size" in item.message:
        return _batch_merged(error, stages, at)
    if item.code == "E0401" and "takes [B, C, L]" in item.message:
        return _without_axes(error, stages, at)
    if item.code == "E0401" and "at least one axis, but it has none" in item.message:
        return _all_reduced(error, stages, at)
    return error


def index_of_result(tree: ast.Module, node: ast.Index) -> Fix:
    """The fix for `x -> f[0]`, which takes a part of the layer: `(x -> f)[0]`."""
    words = "first apply it, then index its result: "
    for around in reversed(path_to(tree, node.span.start)):
        if isinstance(around, ast.Chain) and node in around.stages[1:]:
            at = around.stages.index(node)
            base, index = node.base.span, node.span.text[len(node.base.span.text) :]
            start = around.stages[0].span
            edits = (Edit(_at(start, start.start), "("), Edit(_at(base, base.end), ")"))
            shown = f"({Span(start.source, start.start, base.end).text}){index}"
            short = at < 4 and len(shown) <= 60 and "\n" not in shown
            return Fix(f"{words}`{shown if short else f'(x -> f){index}'}`", edits)
    return Fix(f"{words}`(x -> f)[0]`")


def _index(stage: ast.Expr) -> str:
    """The text of a stage that is an index, `[0]` or `[-1]`; empty for others."""
    if not isinstance(stage, ast.ListExpr) or len(stage.items) != 1:
        return ""
    text = stage.span.text
    return text if re.fullmatch(r"\[-?\d+\]", text) else ""


def _indexed(stages: Sequence[ast.Expr], at: int, index: str) -> Fix:
    """The fix for `x -> f -> [0]`: `(x -> f)[0]`."""
    start, end = stages[0].span, stages[at - 1].span
    rest = Span(start.source, end.end, stages[at].span.end)
    edits = (Edit(_at(start, start.start), "("), Edit(rest, f"){index}"))
    whole = Span(start.source, start.start, end.end).text
    short = whole if len(whole) <= 40 and "\n" not in whole else f"x -> {end.text[:40]}"
    return Fix(f"a part of the result is taken from all of it: `({short}){index}`", edits)


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


def in_front(
    error: SpecError, stages: Sequence[ast.Expr], at: int, module: ModuleScope
) -> SpecError:
    """The error of `x -> matmul(y)`, whose inputs are a tuple: `(x, y) -> matmul`."""
    item, stage = error.item, stages[at]
    labelled = stage
    while isinstance(stage, ast.Labelled | ast.Group):
        stage = stage.inner
    if item is None or item.code != "E0310" or at < 1 or not isinstance(stage, ast.Call):
        return error
    name = stage.function.span.text
    attributes = _attributes_of_several(name, module)
    if attributes is None or stage is not labelled:
        return error
    start, end = stages[0].span, stages[at - 1].span
    before = Span(start.source, start.start, end.end)
    data = [one for one in stage.arguments if one.name is None or one.name not in attributes]
    kept = [one.span.text for one in stage.arguments if one not in data]
    inputs = ", ".join((before.text, *(_flat(one.value) for one in data)))
    called = name + (f"({', '.join(kept)})" if kept else "")
    written = f"({inputs}) -> {called}"
    shown = written if len(written) <= 90 and "\n" not in written else f"(x, y) -> {called}"
    place = Span(start.source, start.start, stage.span.end)
    fix = Fix(f"both inputs precede the arrow: `{shown}`", (Edit(place, written),))
    return SpecError(replace(item, fix=fix))


def _attributes_of_several(name: str, module: ModuleScope) -> set[str] | None:
    """The attributes of an op or block that takes several inputs; None for others."""
    definition, op = module.definition(name), all_ops().get(name)
    if isinstance(definition, BlockDefinition):
        body = definition.node.body.statements
        inputs = [item for one in body if isinstance(one, ast.Input) for item in one.items]
        return {one.name or "_" for one in definition.parameters} if len(inputs) > 1 else None
    if definition is not None or op is None or op.arity[1] == 1:
        return None
    return {*op.model_fields, *op.regions}


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
    elif (loop := _in_sequence(stages[at - 1])) is not None:
        return SpecError(replace(error.item, fix=loop))
    else:
        return error
    what = " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else ""
    takes = error.item.message.partition(", not ")[0]
    message = f"{takes}, but `{name}` returns {count}" + (f": {what}" if what else "")
    return SpecError(replace(error.item, message=message, fix=fix))


def _in_sequence(stage: ast.Expr) -> Fix | None:
    """The loop for a list of layers that is a stage: a list applies its layers side by side."""
    if not isinstance(stage, ast.Comprehension) or stage.condition is not None:
        return None
    targets = ", ".join(one.span.text for one in stage.targets)
    written = f"for {targets} in {stage.iterable.span.text} {{ {stage.element.span.text} }}"
    words = f"a list applies its layers side by side; in sequence they are `{written}`"
    return Fix(words, (Edit(stage.span, written),))


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


_IMAGE_OPS = ("convolution", "pooling")
"""Categories of ops that take the channels on axis 1."""


def _once(error: SpecError, stages: Sequence[ast.Expr], at: int) -> SpecError:
    """The same, without a second transposition if ops that take channels on axis 1 follow."""
    item = error.item
    assert item is not None
    assert item.fix is not None
    if " -> " not in item.fix.message:
        return error  # the declaration of an input
    later = [_op(stage) for stage in stages[at + 1 :]]
    if not any(op is not None and op.category in _IMAGE_OPS for op in later):
        return error
    edits = tuple(
        replace(edit, text=" -> ".join(edit.text.split(" -> ")[:-1])) for edit in item.fix.edits
    )
    words = item.fix.message.rpartition(" -> ")[0] + "`"
    return SpecError(replace(item, fix=Fix(words, edits)))


def _op(stage: ast.Expr) -> type[Op] | None:
    """The op that a stage names."""
    while isinstance(stage, ast.Labelled | ast.Group):
        stage = stage.inner
    function = stage.function if isinstance(stage, ast.Call) else stage
    return all_ops().get(function.text) if isinstance(function, ast.Name) else None


def _batch_merged(error: SpecError, stages: Sequence[ast.Expr], at: int) -> SpecError:
    """The error after `reshape(-1)`, which merges the batch with the other axes."""
    assert error.item is not None
    stage = stages[at - 1]
    if stage.span.text not in ("reshape(-1)", "flatten(0)", "flatten(start=0)"):
        return error
    words = f"`{stage.span.text}` merges the batch with the other axes: write `flatten`"
    return SpecError(replace(error.item, fix=Fix(words, (Edit(stage.span, "flatten"),))))


def _all_reduced(error: SpecError, stages: Sequence[ast.Expr], at: int) -> SpecError:
    """The error after a reduction without `axis`, which is over the batch, too."""
    assert error.item is not None
    stage = stages[at - 1]
    op = _op(stage)
    while isinstance(stage, ast.Labelled | ast.Group):
        stage = stage.inner
    if op is None or "keepdim" not in op.model_fields or "axis" not in op.model_fields:
        return error
    if isinstance(stage, ast.Call) and stage.arguments:
        return error
    words = (
        f"without `axis`, `{op.name}` is over all axes, and the batch is one of them: write "
        f"`{op.name}(axis=1)` for axis 1, `{op.name}(axis=[2, 3])` for an image"
    )
    edit = Edit(stage.span, f"{op.name}(axis=1)")
    return SpecError(replace(error.item, fix=Fix(words, (edit,))))


def _at(span: Span, offset: int) -> Span:
    return Span(span.source, offset, offset)


def _within(inner: Span, outer: Span) -> bool:
    same = inner.source is outer.source
    return same and outer.start <= inner.start and inner.end <= outer.end
