"""`archspec show`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from archspec.cli.console import coloured, working, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.cli.opening import open_network
from archspec.cli.passes import Passes
from archspec.diagnostics.paint import paint
from archspec.diagnostics.printable import printable, width

if TYPE_CHECKING:
    from archspec.analysis.cost import Report
    from archspec.network import Network

BEFORE = "input"
_NUMBERS = (3, 4)  # columns of the table of blocks that are aligned to the right


def run(
    spec: str,
    given: Sequence[str],
    passes: Passes,
    depth: int,
    training: bool,
    after: str | None,
    as_json: bool,
) -> None:
    """Print what a network is and costs; with `after`, its graphs as they are after a pass."""
    network = open_network(spec, given, passes)
    if after is not None:
        write(_listing(network, after))
        return
    with working(f"analysing {network.name}"):
        report = network.report(training=training, depth=depth)
    if as_json:
        from archspec.analysis.machine import to_json

        write_json(to_json(report))
        return
    colour = coloured(sys.stdout)
    for line in _page(network, report, colour):
        write(line.rstrip() + "\n")


def _listing(network: Network, after: str) -> str:
    """The graphs after the last run of a pass, or before all."""
    from archspec.graph.text import network_text

    if after == BEFORE:
        first = network.applied[0].before if network.applied else network.compiled
        return network_text(first)
    for item in reversed(network.applied):
        if item.request.name == after:
            return network_text(item.outcome.network)
    ran = ", ".join(item.request.name for item in network.applied) or "no pass"
    raise WrongUsage(f"--after {after}: {ran} ran", f"--pass {after} --after {after}")


def _page(network: Network, report: Report, colour: bool) -> Iterator[str]:
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
    if report.rows:
        yield ""
        yield from _table(report, colour)


def _aligned(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    listed = list(pairs)
    left = max(len(name) for name, _ in listed)
    for name, value in listed:
        yield f"{printable(name):<{left}}  {printable(value)}"


def _table(report: Report, colour: bool) -> Iterator[str]:
    table = [("name", "block", "output", "parameters", "MACs")]
    table += [
        (
            "  " * row.level + row.name,
            row.title,
            _shapes(row.shapes),
            f"{row.parameters:,}",
            f"{row.macs.evaluate(report.sizes):,}",
        )
        for row in report.rows
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
