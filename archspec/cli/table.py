"""`archspec table`: the costs of a network for values of its parameters and for sizes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from archspec.cli.console import coloured, working, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.cli.networks import load_spec, require_free
from archspec.cli.passes import Passes
from archspec.cli.values import Value, settings, value_in
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.paint import paint
from archspec.diagnostics.printable import printable, width
from archspec.frozen import frozen

if TYPE_CHECKING:
    from archspec.network import Network

MOST_ROWS = 1_000
VARY, SIZES = "--vary", "--sizes"
_EXAMPLES = {VARY: "--vary factor='[0.5, 1.0]'", SIZES: "--sizes H=W='[192, 224]'"}
_LISTED = re.compile(r"[\w -]+(?:\.\d+)?(?:,[\w -]+(?:\.\d+)?)*")
"""Values without brackets: `16,32`."""
_SEVERAL = re.compile(r"\w+=\[.*\]\s*,\s*\[.*\]")
"""Several lists for one parameter: `width=[8, 16],[4, 4]`."""
_AXIS = re.compile(r"((?:[^\W\d]\w*\s*=\s*)+)(.*)", re.DOTALL)


@frozen
class Axis:
    """Names that take the same values together."""

    names: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def title(self) -> str:
        """The heading of its column."""
        return " = ".join(self.names)


@frozen
class Row:
    """A network at some sizes. `macs` and `depth` are None if it does not accept them."""

    choice: tuple[Value, ...]
    settings: Mapping[str, Value]
    sizes: Mapping[str, int]
    parameters: int
    macs: int | None
    depth: int | None


def run(
    spec: str,
    varied: Sequence[str],
    sized: Sequence[str],
    given: Sequence[str],
    passes: Passes,
    as_json: bool,
) -> None:
    """Print parameters, MACs and depth for all combinations of values, the last varying fastest."""
    axes = [_axis(VARY, text) for text in varied]
    sizes = [_axis(SIZES, text) for text in sized]
    for text in given:
        if _SEVERAL.fullmatch(text):
            name, _, listed = text.partition("=")
            raise WrongUsage(f"--set {text}: one value is needed", _varied(name, listed))
    fixed = settings(given)
    _distinct({VARY: axes, SIZES: sizes}, fixed)
    count = prod(len(axis.values) for axis in (*axes, *sizes))
    if count > MOST_ROWS:
        raise WrongUsage(f"the table would have {count:,} rows; at most {MOST_ROWS:,} are allowed")
    rows: list[Row] = []
    for choice in product(*(axis.values for axis in axes)):
        chosen = _named(axes, choice)
        words = ", ".join(f"{name}={value}" for name, value in chosen.items())
        with working(f"compiling {spec} {words}".rstrip()), _values_of_one_parameter(fixed):
            network = load_spec(spec, {**fixed, **chosen}, passes)
        rows.extend(_rows(network, choice, chosen, sizes))
    if as_json:
        write_json({"name": network.name, "rows": [_json(row) for row in rows]})
        return
    _write([axis.title for axis in (*axes, *sizes)], rows)


@contextmanager
def _values_of_one_parameter(fixed: Mapping[str, Value]) -> Iterator[None]:
    """Name `--vary` if `--set` gives a list to a parameter that takes one value."""
    try:
        yield
    except CompileFailed as failed:
        for item in failed.diagnostics:
            place = item.primary.span.source if item.primary is not None else None
            name = place.text.partition(" ")[0] if place and place.name == "<parameters>" else ""
            if isinstance(fixed.get(name), list):
                listed = place.text.partition("= ")[2] if place else ""
                raise WrongUsage(
                    f"--set {name}={listed}: {item.message}", _varied(name, listed[1:-1])
                ) from None
        raise


def _varied(name: str, listed: str) -> str:
    return f"for a row of the table for each value write {VARY} {name}='[{listed}]'"


def _axis(option: str, text: str) -> Axis:
    given, example = f"{option} {text}", _EXAMPLES[option]
    found = _AXIS.fullmatch(text.strip())
    if found is None:
        raise WrongUsage(f"{given}: write it as name=[..]", example)
    names = tuple(name.strip() for name in found[1].split("=")[:-1])
    if not found[2]:
        raise WrongUsage(f"{given}: the list of values is missing", example)
    if _LISTED.fullmatch(found[2]):
        listed = ", ".join(value.strip() for value in found[2].split(","))
        hint = f"{option} {found[1]}'[{listed}]'"
        raise WrongUsage(f"{given}: the values must be a list", hint)
    values = value_in(given, found[2])
    if not isinstance(values, list):
        raise WrongUsage(f"{given}: the values must be a list", f"{option} {names[0]}='[..]'")
    if not values:
        raise WrongUsage(f"{given}: the list of values is empty", example)
    if option == SIZES and not all(type(value) is int and value >= 0 for value in values):
        raise WrongUsage(f"{given}: sizes are whole numbers")
    return Axis(names, tuple(values))


def _distinct(axes: Mapping[str, Iterable[Axis]], fixed: Iterable[str]) -> None:
    """Raise WrongUsage if options repeat a name; `axes` maps each option to its axes."""
    seen = dict.fromkeys(fixed, "--set")
    for option, listed in axes.items():
        for name in (name for axis in listed for name in axis.names):
            if name in seen:
                by = option if seen[name] == option else f"{seen[name]} and {option}"
                raise WrongUsage(f"`{name}` is given twice, by {by}")
            seen[name] = option


def _named(axes: Sequence[Axis], choice: Sequence[Value]) -> dict[str, Value]:
    pairs = zip(axes, choice, strict=True)
    return {name: value for axis, value in pairs for name in axis.names}


def _rows(
    network: Network, choice: tuple[Value, ...], chosen: Mapping[str, Value], sizes: Sequence[Axis]
) -> Iterator[Row]:
    from archspec.analysis.depth import depth

    free, graph = network.compiled.sizes, network.compiled.inference
    require_free(network, (name for axis in sizes for name in axis.names), "--vary {}='[..]'")
    for at in product(*(axis.values for axis in sizes)):
        given: dict[str, Any] = _named(sizes, at)
        here, taken = {**free, **given}, network.accepts(**given)
        yield Row(
            (*choice, *at),
            chosen,
            here,
            network.parameters,
            network.macs(**given) if taken else None,
            depth(graph, here).longest if taken else None,
        )


def _json(row: Row) -> dict[str, Any]:
    return {
        "settings": dict(row.settings),
        "sizes": dict(row.sizes),
        "parameters": row.parameters,
        "macs": row.macs,
        "depth": row.depth,
    }


def _write(titles: Sequence[str], rows: Sequence[Row]) -> None:
    head = [*titles, "parameters", "MACs", "depth"]
    cells = [head]
    for row in rows:
        words = [printable(_text(value)) for value in row.choice]
        costs = ["-" if cost is None else f"{cost:,}" for cost in (row.macs, row.depth)]
        cells.append([*words, f"{row.parameters:,}", *costs])
    widths = [max(width(line[at]) for line in cells) for at in range(len(head))]
    colour = coloured(sys.stdout)
    for number, line in enumerate(cells):
        text = "  ".join(
            " " * (columns - width(cell)) + cell for cell, columns in zip(line, widths, strict=True)
        )
        write((text if number else paint(text, "bold", colour)) + "\n")
    if any(row.macs is None for row in rows):
        write("\n- : an invalid size\n")


def _text(value: Value) -> str:
    """A value as written in a spec."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return str(value)
