"""Fixes for inputs whose axes are not aligned: `keep` of [B, N] is combined with [B, N, 64]."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import TypeAlias

from archspec.diagnostics.model import Edit, Fix
from archspec.ops.base import Check, Op
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.foreign.places import in_place
from archspec.semantics.values.model import Environment
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import path_to
from archspec.types.dim import ONE, Dim
from archspec.types.tensor import TensorType

Shape: TypeAlias = tuple[Dim, ...]

MAX_AXES = 8
"""Number of axes up to which all ways to align two shapes are compared."""


def aligned(op: Op, inputs: Sequence[Tensor], span: Span, place: Environment) -> Fix | None:
    """The shape that an input needs to be combined with the others, for an op that broadcasts.

    `place` has the names that are visible where the op is written.
    """
    wanted = op.broadcast_target(*(item.type for item in inputs))
    if wanted is not None:
        index, target = wanted
        new = _spread(inputs[index].type.shape, target)
        if not new:
            return None
        words = f"it is broadcast to {shape_text(target)}: write "
        return _reshaped(words, inputs, index, new, span, place)
    if not op.pointwise or op.category != "arithmetic" or len(inputs) != 2:
        return None
    one, other = (item.type.shape for item in inputs)
    if (cut := _longer(one, other) or _longer(other, one)) is not None:
        return cut
    if len(one) == len(other):
        return _crossed(inputs, span, place) or _projected(one, other)
    if (kept := _with_axes_kept(inputs)) is not None:
        return kept
    index = int(len(other) < len(one))
    small, large = sorted((one, other), key=len)
    if new := _spread(small, large):
        words = "axes are aligned at the last one: write "
        return _reshaped(words, inputs, index, new, span, place)
    where = f"no other place in {shape_text(large)} fits all of {shape_text(small)}"
    return Fix(f"axes are aligned at the last one, and {where}")


def _reshaped(
    words: str,
    inputs: Sequence[Tensor],
    index: int,
    shapes: Sequence[Shape],
    span: Span,
    place: Environment,
) -> Fix:
    """The fix that inserts axes of size 1 into an input. The first of the shapes is meant."""
    old, new = inputs[index].type.shape, shapes[0]
    how = _inserted(old, new)
    if "->" in how and _are_named(new, place):
        how = f"reshape({', '.join(map(str, new))})"
    written = _operands(place, span)
    if len(written) != len(inputs):
        text = f"`-> {how}` after {shape_text(old)}, for {shape_text(new)}"
        return Fix(words + text)
    data = written[index].span
    text = f"{_text_in_chain(written[index])} -> {how}"
    edits = (Edit(data, in_place(text, data)),) if len(shapes) == 1 else ()
    shown = text if len(text) <= 60 and "\n" not in text else f".. -> {how}"
    return Fix(f"{words}`{shown}`, for {shape_text(new)}", edits)


def _inserted(old: Shape, new: Shape) -> str:
    """The stages that insert the axes of size 1 which a shape has more than another."""
    rest, stages = list(old), []
    for axis, size in enumerate(new):
        if rest and size == rest[0]:
            rest.pop(0)
        else:
            stages.append(f"unsqueeze({axis if rest else -1})")
    return " -> ".join(stages)


def _are_named(shape: Shape, place: Environment) -> bool:
    """Whether the sizes can be written where the op is: each is a number or a visible name."""
    names = {str(size): size for size in shape if size.constant is None}
    return all(place.has_local(name) and place.local(name) == names[name] for name in names)


# ---------------------------------------------------------------------- the text of an input


def _operands(place: Environment, span: Span) -> Sequence[ast.Expr]:
    """The expressions of the data to which the op at a place is applied; () if not written so."""
    tree = place.module.tree
    if span.source is not tree.source:
        return ()
    for node in reversed(path_to(tree, span.start)):
        if isinstance(node, ast.Binary) and node.span == span:
            return (node.left, node.right)
        for before, stage in pairwise(node.stages) if isinstance(node, ast.Chain) else ():
            layer = stage.inner if isinstance(stage, ast.Labelled) else stage
            if layer.span == span:
                items = before.items if isinstance(before, ast.TupleExpr) else (before,)
                return () if any(isinstance(item, ast.Spread) for item in items) else items
    return ()


def _text_in_chain(data: ast.Expr) -> str:
    """The text of data as the first stage of a chain, without parentheses around it."""
    return (data.inner if isinstance(data, ast.Group) else data).span.text


_CALL = re.compile(r"[A-Za-z_]\w*(?=\Z|\()")


def called(span: Span) -> str:
    """The name that is called in a text; empty if it is not a plain call."""
    found = _CALL.match(span.text)
    return found[0] if found else ""


def shape_text(shape: Shape) -> str:
    """A shape as it is shown in messages."""
    return f"[{', '.join(map(str, shape))}]"


# ---------------------------------------------------------------------- how shapes are aligned


def _projected(one: Shape, other: Shape) -> Fix | None:
    """The projection of one of two tensors with other numbers of channels."""
    differ = [at for at, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
    at = 1 if len(one) > 3 else len(one) - 1
    if differ != [at] or one[at].constant is None or other[at].constant is None:
        return None
    small, large = sorted((one, other), key=lambda shape: shape[at].constant or 0)
    layer = f"conv({large[at]}, 1)" if len(one) > 3 else f"linear({large[at]})"
    words = f"give both the same number of channels: write `-> {layer}` after {shape_text(small)}"
    return Fix(words + ", or `concat` them")


def _with_axes_kept(inputs: Sequence[Tensor]) -> Fix | None:
    """The reduction that one of two inputs comes from, with `keepdim`, if the result then fits."""
    for item, other in (inputs, tuple(reversed(inputs))):
        node = item.builder.nodes[item.port.node]
        op = node.instance.op if node.instance is not None else None
        if op is None or getattr(op, "keepdim", None) is not False or len(node.inputs) != 1:
            continue
        (port,) = node.inputs
        given = item.builder.nodes[port.node].types[port.index]
        kept = op.derived(keepdim=True).infer(Check(), given)
        if not isinstance(kept, TensorType) or not _broadcast(kept.shape, other.type.shape):
            continue
        place = node.origin.span
        call = place.text if called(place) == op.name and len(place.text) <= 60 else ""
        inside = call[len(op.name) :].strip()[1:-1].rstrip(", ")
        written = f"{op.name}({inside}{', ' * bool(inside)}keepdim=true)"
        edits = (Edit(place, written),) if call and "\n" not in call else ()
        return Fix(f"axes are aligned at the last one; keep those reduced: `{written}`", edits)
    return None


def _broadcast(one: Shape, other: Shape) -> bool:
    """Whether two shapes agree if an axis of size 1 is repeated."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return all(left == right or ONE in (left, right) for left, right in pairs)


def _longer(table: Shape, data: Shape) -> Fix | None:
    """The first positions of a table of fixed length, for data of any length."""
    if len(table) < 2 or len(table) > len(data):
        return None
    pairs = enumerate(zip(table, data[len(data) - len(table) :], strict=True))
    differ = [(at, size, new) for at, (size, new) in pairs if size not in (new, ONE)]
    if len(differ) != 1:
        return None
    axis, size, new = differ[0]
    if size.constant is None or new.constant is not None or new == ONE or axis == len(table) - 1:
        return None
    how = f"-> slice(axis={axis}, stop={new})"
    return Fix(
        f"for the first {new} of its {size} positions write `{how}` after {shape_text(table)}"
    )


def _spread(small: Shape, large: Shape) -> list[Shape]:
    """`small` with axes of size 1, so that each of its sizes is at its place in `large`.

    There may be several such shapes. The last axis stays where it is if that fits.
    """
    if len(large) > MAX_AXES:
        return []
    stays = len(small) > 1 and small[-1] == large[-1]
    left, last = (small[:-1], small[-1:]) if stays else (small, ())
    sizes = [size for size in left if size != ONE]
    axes = large[: len(large) - len(last)]
    found: list[Shape] = []
    for chosen in combinations(range(len(axes)), len(sizes)):
        if [axes[at] for at in chosen] == sizes:
            start = chosen[0] if chosen else len(axes)
            ones = [axes[at] if at in chosen else ONE for at in range(start, len(axes))]
            found.append((*ones, *last))
    return [shape for shape in found if shape != small and _broadcast(shape, large)]


def _crossed(inputs: Sequence[Tensor], span: Span, place: Environment) -> Fix | None:
    """`[N]` with `[B]`, `[B, N, C]` with `[B, M, C]`: each with all of the other."""
    one, other = (item.type.shape for item in inputs)
    differ = [at for at, sizes in enumerate(zip(one, other, strict=True)) if sizes[0] != sizes[1]]
    if len(differ) != 1 or len(one) > 3:
        return None
    (at,) = differ
    if one[at].constant is not None or other[at].constant is not None:
        return None
    pairs = f"for each pair of {one[at]} and {other[at]} write"
    same = "; if they are always equal, give both one name"
    if len(one) == 1:
        given = [item for item in inputs if item.builder.nodes[item.port.node].is_input]
        if len(given) != 1:
            return None
        index = inputs.index(given[0])
        words = f"axes are aligned at the last one: {pairs} "
        fix = _reshaped(words, inputs, index, [(*given[0].type.shape, ONE)], span, place)
        return Fix(fix.message, fix.edits)
    if ONE in (one[at], other[at]) or not _is_size(one[at]) or not _is_size(other[at]):
        return None
    first, second = f"unsqueeze({at + 1})", f"unsqueeze({at})"
    texts = [shape_text(one), shape_text(other)]
    written = _operands(place, span)
    if len(written) == 2 and all(len(item.span.text) <= 30 for item in written):
        texts = [_text_in_chain(item) for item in written]
    words = f"{pairs} `{texts[0]} -> {first}` and `{texts[1]} -> {second}`"
    return Fix(words + same)


def _is_size(size: Dim) -> bool:
    """Whether a size is a single name, not computed from others."""
    return str(size).isidentifier()
