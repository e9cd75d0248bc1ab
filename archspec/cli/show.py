"""`archspec show`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from archspec.cli.console import coloured, working, write, write_json
from archspec.cli.opening import open_network
from archspec.diagnostics.paint import paint
from archspec.diagnostics.printable import printable, width

if TYPE_CHECKING:
    from archspec.analysis.cost import Report, Row
    from archspec.graph.model import Graph
    from archspec.network import Network

_NUMBERS = (3, 4)  # columns of the table of blocks that are aligned to the right


def run(
    spec: str,
    given: Sequence[str],
    column: int | None,
    depth: int,
    training: bool,
    as_json: bool,
) -> None:
    """Print what a network is and costs."""
    network = open_network(spec, given, column)
    with working(f"analysing {network.name}"):
        report = network.report(training=training)
    if as_json:
        from archspec.analysis.machine import to_json

        write_json(to_json(report))
        return
    colour = coloured(sys.stdout)
    for line in _page(network, report, depth, colour):
        write(line.rstrip() + "\n")


def _page(network: Network, report: Report, depth: int, colour: bool) -> Iterator[str]:
    from archspec.analysis.markdown import facts
    from archspec.analysis.words import sizes_text

    mode = " in training" if report.training else ""
    at = f" at {sizes_text(report.sizes)}" if report.sizes else ""
    yield paint(printable(report.name + mode + at), "bold", colour)
    for line in network.compiled.doc.splitlines():
        yield printable(line)
    yield ""
    signatures = [("input", str(item)) for item in report.inputs]
    signatures += [("output", str(item)) for item in report.outputs]
    other = None if report.training else network.training_sizes
    yield from _aligned([*signatures, *facts(report, other)])
    if depth:
        yield ""
        yield from _table(list(_opened(report.rows, depth, set())), report, colour)


def _aligned(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    listed = list(pairs)
    left = max(len(name) for name, _ in listed)
    for name, value in listed:
        yield f"{printable(name):<{left}}  {printable(value)}"


def _opened(
    rows: Iterable[Row], depth: int, seen: set[Graph], level: int = 0
) -> Iterator[tuple[int, Row]]:
    """Rows with their level: below the row of a block, the rows in one such block.

    A block is opened where it stands first; a fractal would fill the earth otherwise.
    """
    from archspec.analysis.cost import rows as rows_of

    for row in rows:
        yield level, row
        if row.graph is not None and level + 1 < depth and row.graph not in seen:
            seen.add(row.graph)
            yield from _opened(rows_of(row.graph), depth, seen, level + 1)


def _table(rows: Sequence[tuple[int, Row]], report: Report, colour: bool) -> Iterator[str]:
    table = [("name", "block", "output", "parameters", "MACs")]
    table += [
        (
            "  " * level + row.name,
            row.what if row.count == 1 else f"{row.what} × {row.count}",
            _shapes(row.shapes),
            f"{row.parameters:,}",
            f"{row.macs.evaluate(report.sizes):,}",
        )
        for level, row in rows
    ]
    cells = [[printable(cell) for cell in row] for row in table]
    widths = [max(width(row[column]) for row in cells) for column in range(len(cells[0]))]
    for index, row in enumerate(cells):
        line = "  ".join(_pad(cell, widths[at], at in _NUMBERS) for at, cell in enumerate(row))
        yield line if index else paint(line, "bold", colour)


def _shapes(shapes: Sequence[str]) -> str:
    """`4 × [B, 64, H, W]`, or one after the other where they differ."""
    if len(shapes) > 1 and len(set(shapes)) == 1:
        return f"{len(shapes)} × {shapes[0]}"
    return "; ".join(shapes)


def _pad(cell: str, room: int, right: bool) -> str:
    blank = " " * (room - width(cell))
    return blank + cell if right else cell + blank
