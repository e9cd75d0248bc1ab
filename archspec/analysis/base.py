"""What an analysis is: something found by entry point that says more of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from archspec.analysis.cost import Report
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.options import Options

Cell: TypeAlias = str | int | float | None
"""A text, or a number as it is: `archspec show` writes it for people, `--json` as it is."""


@frozen
class Finding:
    """What an analysis says: facts with their names, and a table of which the first row is above.

    A column without an entry for a row has None there.
    """

    facts: Sequence[tuple[str, Cell]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()


class Analysis(Protocol):
    """One analysis. It changes nothing."""

    name: str
    summary: str
    """What it says, in one line: the title above it, and said where one is asked for that there is
    not."""
    options: type[Options]

    def find(self, network: Compiled, report: Report, options: Any) -> Finding:
        """What there is to say of the mode and the sizes of `report`.

        `options` are an instance of its `options`. Raises CompileFailed where it cannot say it.
        """
        ...
