"""Tensors that are certainly one tensor, and those that a tuple of one may be.

A tuple of one is its element, so code that takes any number of tensors may index a tensor, ask for
its `len` and iterate over it. The result of an op, an input with a type and a sum are never such a
tuple: there `x[0]` is meant as in PyTorch, and is an error.
"""

from __future__ import annotations

import re

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.foreign.places import in_place
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.model import RangeValue, Value
from archspec.source import Span

_SHORT = 40


def as_one(value: Value) -> Value:
    """The value; a tensor is marked as certainly one tensor."""
    return _marked(value, True)


def as_any_number(value: Value) -> Value:
    """The value; a tensor is marked as one that may be a tuple of one."""
    return _marked(value, False)


def _marked(value: Value, one: bool) -> Value:
    if not isinstance(value, Tensor) or value.one is one:
        return value
    return Tensor(value.builder, value.port, value.type, one)


def indexed(context: Context, base: Tensor, index: Value, place: Span, span: Span) -> SpecError:
    """The error for `x[0]` and `x[1..3]` of one tensor; `place` is that of `x`."""
    text = place.text
    name = text if len(text) <= _SHORT and "\n" not in text else "x"
    if isinstance(index, RangeValue):
        ends = [f"start={index.start}"] if index.start else []
        ends += [f"stop={index.stop}"] if index.stop is not None else []
        written = f"{name} -> slice({', '.join(('axis=0', *ends))})"
    else:
        written = f"{name} -> select(axis=0, index={index})"
    edits = (Edit(span, in_place(written, span)),) if name == text else ()
    return context.error(
        "E0309",
        f"{_what(text)} is one tensor, {base.type}: `[..]` chooses from a tuple or a list",
        span,
        notes=(
            "tensors are cut along an axis by ops: `select` for one index, `slice` for several",
        ),
        fix=_as_list(base) or Fix(f"along the first axis: `{written}`", edits),
    )


def iterated(context: Context, base: Tensor, span: Span) -> SpecError:
    """The error for `for t in x` of one tensor."""
    inner = span.text.partition("(")[2].removesuffix(")")  # of `enumerate(x)`
    name = next((text for text in (span.text, inner) if text.isidentifier()), "")
    shown = name or ("z" if base.type.rank != 1 else "numbers")
    axis = min(1, base.type.rank - 1)
    state = "what runs along an axis with a state is `scan(layer, axis=1)`"
    unbound = f"for a tuple of its parts along axis {axis} write `({shown} -> unbind({axis}))`"
    what = _what(span.text) if name or not inner else f"an argument of `{span.text}`"
    return context.error(
        "E0313",
        f"{what} is one tensor, {base.type}, and cannot be iterated over",
        span,
        notes=(state,) if axis == 1 else (),
        fix=_as_list(base) or (unbound if axis >= 0 else None),
    )


def _as_list(base: Tensor) -> Fix | None:
    """The list of numbers for `linspace(a, b, n)` or `arange(n)`, as for the rates of layers."""
    node = base.builder.nodes[base.port.node]
    op = node.instance.op if node.instance is not None else None
    return numbers_listed(op.name, node.origin.span) if op is not None else None


def numbers_listed(op: str, place: Span) -> Fix | None:
    """The list of the numbers of a call of `linspace` or `arange` at a place; None for others."""
    if op not in ("linspace", "arange"):
        return None
    found = re.fullmatch(rf"{op}\(((?:[^(),=]|\([^(),]*\)|, )+)\)", place.text)
    given = found[1].split(", ") if found is not None else []
    count = {"linspace": 3, "arange": 1}[op]
    edited = len(given) == count
    if not edited:
        given = ["a", "b", "n"] if count == 3 else ["n"]
    written = f"0..{given[-1]}"
    if count == 3:
        start, stop, number = given
        step = stop if start in ("0", "0.0") else f"({stop} - {start})"
        offset = "" if start in ("0", "0.0") else f"{start} + "
        written = f"[{offset}{step} * i / ({number} - 1) for i in 0..{number}]"
    edits = (Edit(place, written),) if edited else ()
    return Fix(f"`{op}` makes a tensor; for a list of numbers write `{written}`", edits)


def measured(context: Context, base: Tensor, span: Span) -> SpecError:
    """The error for `len(x)` of one tensor; `span` is the whole call."""
    sizes = base.type.shape
    text = str(sizes[0]) if sizes else ""
    inner = span.text.partition("(")[2].removesuffix(")").strip()
    known = sizes and all(context.environment.has_local(name) for name in sizes[0].symbols)
    if known:
        fix = Fix(f"the size of its first axis is `{text}`", (Edit(span, text),))
    else:
        fix = Fix("sizes have names in the type of an input: `input x: [B, C, H, W]`")
    message = (
        f"{_what(inner)} is one tensor, {base.type}: `len` counts the parts of a tuple or list"
    )
    return context.error("E0309", message, span, fix=fix)


def _what(text: str) -> str:
    return f"`{text}`" if text.isidentifier() else "this"
