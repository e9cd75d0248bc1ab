"""Shapes in comments, over the names of a class: `[B, window**2, 3*in_features]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.graph.codegen.sizes import Axis
from archspec.graph.expression import (
    Expression,
    Name,
    Number,
    choices_in,
    evaluated,
    has_names,
    has_unknown_sizes,
    names_in,
    substituted,
)
from archspec.types.dim import Dim
from archspec_torch.classes.constructor.parameters import Filling, Parameter, Written
from archspec_torch.classes.constructor.ratios import whole_factor
from archspec_torch.classes.draft import Draft
from archspec_torch.code.expressions import expression_code
from archspec_torch.code.lines import Comment, Extent
from archspec_torch.code.pieces import code
from archspec_torch.code.products import collected
from archspec_torch.code.text import flat
from archspec_torch.planning.known_numbers import known_numbers

UNKNOWN = "_"


class Shapes:
    """Writes the shapes of one class, which has one draft for each specialisation."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        parameters: Sequence[Parameter],
        filled: Sequence[Filling | None],
    ) -> None:
        self.drafts, self.parameters, self.filled = drafts, parameters, filled
        self._parts: dict[tuple[int, ...], Shapes] = {}
        self.known = [known_numbers(draft.unit.either) for draft in drafts]
        self.shown = {parameter.name: parameter.name for parameter in parameters}
        for item in filled:
            if isinstance(item, Written):
                self.shown |= dict(item.spelled)
        if not drafts[0].layout.root:
            self.shown = {**{name: name for name in self._bound()}, **self.shown}

    def text(self, comments: Sequence[Comment | None]) -> str:
        """The shapes of values in a comment, given those in each specialisation.

        A specialisation that does not run the line has None. The result is "" if most sizes of
        each value differ between the specialisations.
        """
        runs = tuple(at for at, comment in enumerate(comments) if comment is not None)
        if len(runs) < len(comments):
            return self._only(runs).text([comments[at] for at in runs])
        known = [comment or () for comment in comments]
        if len({len(comment) for comment in known}) > 1:
            alike = all(len(set(comment)) == 1 for comment in known)
            text = self.text([comment[:1] for comment in known]) if alike else ""
            return text and f"each {text}"
        parts, told = [], 0
        for outputs in zip(*known, strict=True):
            dtypes = {dtype for dtype, _ in outputs}
            shapes = [shape for _, shape in outputs]
            if len(dtypes) > 1 or len({len(shape) for shape in shapes}) > 1:
                parts.append(UNKNOWN)
                continue
            dtype = dtypes.pop()
            found = [self._size(sizes) for sizes in zip(*shapes, strict=True)]
            told += 2 * found.count(UNKNOWN) <= len(found)
            parts.append(f"{'' if dtype == 'f32' else dtype}[{', '.join(found)}]")
        if not told:
            return ""
        alike = len(parts) > 1 and len(set(parts)) == 1
        return f"each {parts[0]}" if alike else ", ".join(parts)

    def _only(self, runs: tuple[int, ...]) -> Shapes:
        """The same for some of the specialisations."""
        if runs not in self._parts:
            drafts = [self.drafts[at] for at in runs]
            parameters = [
                replace(one, values=tuple(one.values[at] for at in runs)) for one in self.parameters
            ]
            self._parts[runs] = Shapes(drafts, parameters, self.filled)
        return self._parts[runs]

    def _bound(self) -> Iterator[str]:
        """Sizes named by the block itself, if no variable has the name."""
        graphs = [draft.unit.either for draft in self.drafts]
        variables = {
            name for draft in self.drafts for mode in draft.layout.locals for name in mode.known
        }
        for name in graphs[0].names:
            everywhere = all(
                name in graph.names and name not in graph.arguments for graph in graphs
            )
            if name[0].isupper() and everywhere and name not in variables:
                yield name

    # ------------------------------------------------------------------ one size

    def _size(self, sizes: tuple[Extent, ...]) -> str:
        found = [extent.size for extent in sizes]
        given = [size for size in found if size is not None]
        if len(given) < len(found):
            return UNKNOWN
        numbers = [size.constant for size in given]
        values = [number for number in numbers if number is not None]
        if len(values) == len(given):
            return self._number(sizes, values)
        if len(values) > 0:
            return _over_axes(given, self.drafts) or UNKNOWN
        return (
            self._multiple(sizes, given)
            or _part(given, self.parameters)
            or _over_axes(given, self.drafts)
            or UNKNOWN
        )

    def _number(self, sizes: Sequence[Extent], values: Sequence[int]) -> str:
        for origin in dict.fromkeys(extent.origin for extent in sizes):
            text = self._spelled(origin, values) if origin is not None else ""
            if text:
                return text
        if len(set(values)) == 1:
            return str(values[0])
        for parameter in self.parameters:
            factor = whole_factor(values, parameter.values)
            if factor:
                return parameter.name if factor == 1 else f"{factor}*{parameter.name}"
        return UNKNOWN

    def _spelled(self, origin: Expression, values: Sequence[int]) -> str:
        """An expression over names of the class, if it has these values; else ""."""
        if has_unknown_sizes(origin):
            return ""
        literals: dict[str, Expression] = {}
        for name in names_in(origin):
            if name not in self.shown:
                number = self.known[0].get(name)
                other = _same_size(name, self.shown, self.known)
                if other:
                    literals[name] = Name(other)
                    continue
                if number is None or any(known.get(name) != number for known in self.known):
                    return ""
                literals[name] = Number(number)
        expression = collected(substituted(origin, literals))
        rows = zip(self.known, values, strict=True)
        if (
            not has_names(expression)
            or any(choices_in(expression))
            or any(evaluated(expression, known) != value for known, value in rows)
        ):
            return ""
        return self._compact(expression)

    def _compact(self, expression: Expression) -> str:
        text = flat(expression_code(expression, lambda name: code(self.shown[name])))
        for sign in ("**", "//", "*"):
            text = text.replace(f" {sign} ", sign)
        return text

    def _multiple(self, sizes: Sequence[Extent], given: Sequence[Dim]) -> str:
        """A size that is equal in all; `window*rows` if 7 is the window."""
        symbols = {tuple(monomial for monomial, _ in size.terms) for size in given}
        factors = [size.terms[0][1] for size in given]
        origins = dict.fromkeys(extent.origin for extent in sizes)
        if len(symbols) == 1 and len(given[0].terms) == 1:
            for origin in origins:
                name = self._spelled(origin, factors) if origin is not None else ""
                if name:
                    return f"{name}*{given[0].terms[0][0][0]}"
            for parameter in self.parameters if len({*factors}) > 1 else ():
                if [*parameter.values] == factors:
                    return f"{parameter.name}*{given[0].terms[0][0][0]}"
        return str(given[0]) if len(set(given)) == 1 else ""


def _same_size(place: str, shown: Iterable[str], known: Sequence[Mapping[str, Any]]) -> str:
    """A size of another input that is an argument, if this one has no name and is always equal."""
    values = [one.get(place) for one in known]
    alike = (name for name in shown if ":" in name and [one.get(name) for one in known] == values)
    return next(alike, "") if ":" in place else ""


def _part(given: Sequence[Dim], parameters: Sequence[Parameter]) -> str:
    """`H//stride` for a size that is a symbol divided by an argument."""
    for symbol in sorted(given[0].symbols):
        whole = Dim.symbol(symbol)
        for parameter in parameters:
            by = parameter.values
            if not all(type(value) is int and value > 0 for value in by):
                continue
            rows = [*zip(given, by, strict=True)]
            if all(size == whole // value for size, value in rows):
                return f"{symbol}//{parameter.name}"
            if all(size == (whole + value - 1) // value for size, value in rows):
                return f"ceil({symbol}/{parameter.name})"
    return ""


def _over_axes(given: Sequence[Dim], drafts: Sequence[Draft]) -> str:
    """A size over the axes of the inputs of one specialisation, if it holds for all.

    `[B, M]` for the second input of an attention, although N is M where it is the first one.
    """
    first = dict(zip(reversed(given), reversed(drafts), strict=True))
    for size in dict.fromkeys(given):
        own = (draft := first[size]).layout.locals[0]
        axes = {name: own.where.get(name) for name in size.symbols}
        if not axes or None in axes.values():
            continue
        if all(
            _in_other(size, draft, axes, other) == found
            for found, other in zip(given, drafts, strict=True)
        ):
            return str(size)
    return ""


def _in_other(size: Dim, draft: Draft, axes: Mapping[str, Axis | None], other: Draft) -> Dim | None:
    """A size over axes of the inputs of a draft, over the local symbols of another draft."""
    table: dict[str, Dim] = {}
    for name, axis in axes.items():
        part = _axis_size(draft, axis, other) if axis is not None else None
        if part is None:
            return None
        table[name] = part
    return size.substitute(table)


def _axis_size(draft: Draft, axis: Axis, other: Draft) -> Dim | None:
    """The size of an axis of an input of a draft in another draft, over its local symbols."""
    name = draft.layout.inputs[axis.input].name
    found = [item for item in other.layout.inputs if item.name == name]
    if not found:
        return None
    shape = found[0].type_in(False).shape
    return other.layout.locals[0].find(shape[axis.axis]) if axis.axis < len(shape) else None
