"""`archspec show`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import chain
from typing import TYPE_CHECKING

from archspec.cli.console import coloured, working, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.cli.networks import open_network
from archspec.cli.passes import Passes
from archspec.cli.requests import request
from archspec.diagnostics.paint import paint
from archspec.diagnostics.printable import printable, width

if TYPE_CHECKING:
    from archspec.analysis.base import Analysis, Cell, Finding
    from archspec.analysis.cost import Report
    from archspec.analysis.machine import Json
    from archspec.network import Network
    from archspec.options import Request

BEFORE = "input"
_HEADING = ("name", "block", "output", "parameters", "MACs")
_NUMBERS = (3, 4)  # columns of the table of blocks that are aligned to the right


def run(
    spec: str,
    given: Sequence[str],
    sized: Sequence[str],
    passes: Passes,
    depth: int,
    training: bool,
    concrete: bool,
    after: str | None,
    analyses: Sequence[str],
    as_json: bool,
) -> None:
    """Print the structure and costs of a network; with `after`, its graphs after a pass.

    The results of `analyses` follow the standard output.
    """
    asked = [request("--analysis", text, "--analysis intensity") for text in analyses]
    network = open_network(spec, given, passes, sized)
    if after is not None:
        write(_listing(network, after))
        return
    with working(f"analysing {network.name}"):
        report = network.report(training=training, depth=depth, concrete=concrete)
        found = _found(network, report, asked)
    if as_json:
        write_json(_data(network, report, found))
        return
    colour = coloured(sys.stdout)
    pages = [_page(network, report, colour), *(_section(*item, colour) for item in found)]
    for line in chain.from_iterable(pages):
        write(line.rstrip() + "\n")


def _found(
    network: Network, report: Report, asked: Sequence[Request]
) -> list[tuple[Analysis, Finding]]:
    if not asked:
        return []
    from archspec.analysis.registry import find

    return [find(network.compiled, report, item) for item in asked]


def _data(
    network: Network, report: Report, found: Sequence[tuple[Analysis, Finding]]
) -> dict[str, Json]:
    from archspec.analysis.machine import finding_to_json, network_to_json, to_json

    data = {**to_json(report), **network_to_json(network.compiled, network.training_sizes)}
    if found:
        data["analyses"] = {analysis.name: finding_to_json(finding) for analysis, finding in found}
    return data


def _section(analysis: Analysis, finding: Finding, colour: bool) -> Iterator[str]:
    """The lines of the result of an analysis, below its title."""
    yield ""
    yield paint(printable(analysis.summary), "bold", colour)
    if finding.facts:
        yield from _aligned((name, _cell(value)) for name, value in finding.facts)
    if finding.rows:
        yield ""
        rows = [[_cell(value) for value in row] for row in finding.rows]
        numbers = {at for row in finding.rows for at, value in enumerate(row) if _is_number(value)}
        yield from _table([list(finding.columns), *rows], numbers, colour)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return f"{value:,}" if _is_number(value) else str(value)


def _is_number(value: Cell) -> bool:
    return isinstance(value, (int, float))


def _listing(network: Network, after: str) -> str:
    """The graphs after the last run of a pass, or before all passes."""
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
    from archspec.analysis.markdown import block_rows, facts
    from archspec.analysis.number_format import sizes_text

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
        yield from _table([_HEADING, *block_rows(report)], set(_NUMBERS), colour)
    if network.compiled.parameters:
        yield ""
        yield from _table(_parameters(network), set(), colour)


def _parameters(network: Network) -> list[list[str]]:
    """The table of the network's parameters, one per row; empty columns are left out."""
    found = network.compiled.parameters
    rows = [["--set", "type", "default", "domain", "value"]]
    rows += [
        [one.name, one.type or "", one.default or "", one.domain or "", one.value or ""]
        for one in found
    ]
    kept = [at for at in range(len(rows[0])) if any(row[at] for row in rows[1:])]
    return [[row[at] for at in kept] for row in rows]


def _aligned(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    listed = list(pairs)
    left = max(len(name) for name, _ in listed)
    for name, value in listed:
        yield f"{printable(name):<{left}}  {printable(value)}"


def _table(table: Sequence[Sequence[str]], numbers: Set[int], colour: bool) -> Iterator[str]:
    """The lines of a table with a heading; the columns in `numbers` are right-aligned."""
    cells = [[printable(cell) for cell in row] for row in table]
    widths = [max(width(row[column]) for row in cells) for column in range(len(cells[0]))]
    for index, row in enumerate(cells):
        line = "  ".join(_pad(cell, widths[at], at in numbers) for at, cell in enumerate(row))
        yield line if index else paint(line, "bold", colour)


def _pad(cell: str, space: int, right: bool) -> str:
    blank = " " * (space - width(cell))
    return blank + cell if right else cell + blank
