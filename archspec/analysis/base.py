"""The interface of an analysis of a network, discovered by entry point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from archspec.analysis.cost import Report
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.options import Options

Cell: TypeAlias = str | int | float | None
"""A text, or a number, which `archspec show` formats for people and `--json` prints unchanged."""


@frozen
class Finding:
    """The result of an analysis: facts with their names, and a table whose first row is the header.

    A column without an entry for a row has None there.
    """

    facts: Sequence[tuple[str, Cell]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()


class Analysis(Protocol):
    """One analysis. It changes nothing."""

    name: str
    summary: str
    """What it reports, in one line: its title, and for the list of analyses if an unknown one is
    requested."""
    options: type[Options]

    def find(self, network: Compiled, report: Report, options: Any) -> Finding:
        """The result for the mode and the sizes of `report`.

        `options` are an instance of its `options`. Raises CompileFailed if it has no result.
        """
        ...
