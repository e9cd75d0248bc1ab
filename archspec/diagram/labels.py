"""The texts of ops in drawings: a call as in a spec, shortened.

Numbers have four digits, such as `p=0.01818`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from archspec.diagram.multiples import remainder, simpler
from archspec.frozen import frozen
from archspec.graph.model import Region
from archspec.ops.base import Op
from archspec.passes.flat import Step, Tap
from archspec.semantics.values.operators import OP_OF_OPERATOR
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import TensorType

WIDEST = 48
"""Characters in one line of a label."""
LONGEST = 2 * WIDEST
"""Characters in the text of an op, which may have two lines."""
LONGEST_KEY = 24
"""Characters in the name of an instance."""

NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
"""A number in a text."""

LONGEST_DIM = 12
"""Characters in a size, such as `(H + 15)//16`; longer ones are numbers."""

OPERATORS = {op: sign for sign, op in OP_OF_OPERATOR.items()}
"""The operator that each op implements, if any."""


@frozen
class Dims:
    """How sizes are written: those of more than `longest` characters as numbers, at `sizes`.

    Symbols are multiples of `units`. An amount that is 0 at these sizes is not always 0, so it is
    a longer expression, or an ellipsis.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    longest: int = LONGEST_DIM
    units: Mapping[str, int] = field(default_factory=dict)

    def text(self, dim: Dim) -> str:
        """`H//2`, or a number."""
        text = str(simpler(dim, self.units) if self.units else dim)
        if len(text) <= self.longest or not dim.symbols <= self.sizes.keys():
            return text
        number = dim.evaluate(self.sizes)
        if not dim.symbols or not self.longest:
            return str(number)
        rest = remainder(dim)
        most = self.longest if number else 2 * self.longest
        if rest is not None and len(rest) <= most:
            return rest
        return str(number) if number else "…"

    @property
    def exact(self) -> Dims:
        """Without abbreviations: all sizes are numbers, or none."""
        return self if self.longest == 0 else SYMBOLIC


SYMBOLIC = Dims()
"""All sizes are as they are."""


def op_text(
    op: Op, regions: Sequence[Region] = (), dims: Dims = SYMBOLIC, last: Op | None = None
) -> str:
    """`conv(64, 3, stride=2)`: required attributes by position, then changed ones by name.

    Several required numbers of an op without weights are named as well: `select(axis=1, index=0)`.
    Layers of the op come first: `scan(cell, axis=1)`. Arithmetic with a number is written with its
    operator, and the data as `x`: `x / 2`. With the `last` of several ops of one kind, numbers that
    differ are ranges: `conv(64 .. 192, 3)`.
    """
    last = op if last is None else last

    def both(value: Any, end: Any) -> str:
        return spanned(value_text(value, dims), value_text(end, dims))

    number = getattr(op, "scalar", None)
    if op.name in OPERATORS and number is not None:
        operands = ["x", both(number, getattr(last, "scalar", None))]
        if getattr(op, "reverse", False):
            operands.reverse()
        return shortened(f" {OPERATORS[op.name]} ".join(operands))
    shown = op.written_as or op.name
    parts: list[str] = [] if op.written_as else [region.graph.name for region in regions]
    positional = True
    named = _has_numbers_without_order(op)
    for name, declared in type(op).model_fields.items():
        value, end = getattr(op, name), getattr(last, name)
        if declared.is_required() and positional and not (named and is_number(value)):
            parts.append(both(value, end))
            continue
        positional = False
        default = (
            None if declared.is_required() else declared.get_default(call_default_factory=True)
        )
        if declared.is_required() or value != default or end != default:
            if isinstance(value, Initialiser) or name in op.regions:
                continue
            if _are_named(value):
                pairs = zip(value, end, strict=True)
                parts += [f"{one[0]}={both(one[1], other[1])}" for one, other in pairs]
                continue
            parts.append(f"{name}={both(value, end)}")
    return shortened(f"{shown}({', '.join(parts)})" if parts else shown, LONGEST)


def _has_numbers_without_order(op: Op) -> bool:
    """Whether an op has several required numbers, and is no layer, whose arguments are known."""
    if type(op).parameters is not Op.parameters:
        return False
    required = (name for name, item in type(op).model_fields.items() if item.is_required())
    return sum(is_number(getattr(op, name)) for name in required) > 1


def _are_named(value: Any) -> bool:
    """Whether an attribute is a list of names with values, such as the axes of `rearrange`."""
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(p, (list, tuple)) and len(p) == 2 for p in value)
        and all(isinstance(p[0], str) for p in value)
    )


def key_text(key: str, name: str) -> str:
    """The label of an instance, unless it only repeats the name of its op or block.

    The last names of a long one are kept, because labels with equal prefixes differ there.
    """
    plain = key == name or (key.startswith(name + "_") and key[len(name) + 1 :].isdecimal())
    if plain or len(key) <= LONGEST_KEY:
        return "" if plain else shortened(key)
    kept = key[-LONGEST_KEY:]
    starts = [at for at, mark in enumerate(kept[:-1]) if mark in "./"]
    return shortened(f"…{kept[starts[0] + 1 :] if starts else kept[1:]}")


def range_text(first: str, last: str) -> str:
    """`layers.0 .. 5`: the first and the last of several names, which differ in one number."""
    one, other = first.split("."), last.split(".")
    at = [
        place for place, names in enumerate(zip(one, other, strict=False)) if names[0] != names[1]
    ]
    if not last or first == last:
        return first
    if len(one) != len(other) or len(at) != 1:
        return f"{first} .. {last}"
    number = other[at[0]]
    start = one[at[0]].rstrip("0123456789")
    if start != one[at[0]] and number.startswith(start) and number[len(start) :].isdecimal():
        number = number[len(start) :]
    one[at[0]] = f"{one[at[0]]} .. {number}"
    return ".".join(one)


def spanned(first: str, last: str) -> str:
    """`conv(64 .. 192, 3)`: the texts of the first and the last of several, without repetitions."""
    if first == last:
        return first
    numbers, others = NUMBERS.findall(first), NUMBERS.findall(last)
    between = NUMBERS.split(first)
    if between != NUMBERS.split(last):
        common = first.partition("(")[0]
        return common if common == last.partition("(")[0] else f"{first} .. {last}"
    pairs = zip(numbers, others, strict=True)
    spans = [one if one == other else f"{one} .. {other}" for one, other in pairs]
    return "".join(text for pair in zip(between, [*spans, ""], strict=True) for text in pair)


def step_text(step: Step, dims: Dims) -> str:
    """`64 -> 256, +32 each`."""
    each = dims.text(step.each)
    sign = "" if each.startswith("-") else "+"
    return f"{dims.text(step.start)} -> {dims.text(step.end)}, {sign}{each} each"


def tap_text(tap: Tap) -> str:
    """`2nd of 4`."""
    number = tap.number + 1
    regular = number % 10 > 3 or number % 100 in (11, 12, 13)
    ending = "th" if regular else ("th", "st", "nd", "rd")[number % 10]
    return f"{number}{ending} of {tap.count}"


def full_range(path: str, key: str, last: str) -> str:
    """The range of full names from `path`, which ends in `key`, to the one that ends in `last`."""
    return range_text(path, path.removesuffix(key) + last) if last else path


def counted_text(names: str, text: str, count: int) -> str:
    """`layers.0 .. 5: layer(8) × 6`."""
    named = f"{names}: {text}" if names else text
    return f"{named} × {count}".strip() if count > 1 else named


def shortened(text: str, most: int = WIDEST) -> str:
    """A text that is truncated if necessary, with control characters made visible."""
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


def in_lines(text: str) -> Sequence[str]:
    """A text in one line, or in two of which the first ends after an argument."""
    end = text.rfind(", ", 0, WIDEST)
    if len(text) <= WIDEST or end < 0:
        return [shortened(text)]
    return [text[: end + 1], shortened(text[end + 2 :])]


def is_number(value: Any) -> bool:
    """Whether an argument is a number or a short list of numbers."""
    if isinstance(value, (list, tuple)):
        return len(value) <= 4 and all(is_number(item) for item in value)
    return isinstance(value, (int, float, Dim)) and not isinstance(value, bool)


def value_text(value: Any, dims: Dims = SYMBOLIC) -> str:
    """A value as in a spec."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if value.isidentifier() else f'"{value}"'
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(item, dims) for item in value) + "]"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={value_text(item, dims)}" for name, item in value.items())
    return dims.text(value) if isinstance(value, Dim) else str(value)


def shape_text(kind: TensorType, dims: Dims = SYMBOLIC, first: TensorType | None = None) -> str:
    """`[B, 64, H//2]`; with the `first` of several that grow, `[B, 64 .. 256, H//2]`."""
    if first is None or first == kind or len(first.shape) != len(kind.shape):
        return value_text(kind.shape, dims)
    pairs = zip(first.shape, kind.shape, strict=True)
    sizes = (one if one == other else f"{one} .. {other}" for one, other in _texts(pairs, dims))
    return f"[{', '.join(sizes)}]"


def _texts(pairs: Iterable[tuple[Dim, Dim]], dims: Dims) -> Iterator[tuple[str, str]]:
    return ((dims.text(one), dims.text(other)) for one, other in pairs)


def type_text(kind: TensorType, dims: Dims = SYMBOLIC, first: TensorType | None = None) -> str:
    """`f32[B, 64, H//2]`."""
    return f"{kind.dtype}{shape_text(kind, dims, first)}"
