"""The exception that ends a phase."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.model import Diagnostic


class CompileFailed(Exception):
    """The spec is at fault; `diagnostics` says how. Never shown as a traceback by a command.

    As text it is what the command would write, so that a notebook shows the place, too.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from archspec.diagnostics.text import render  # only when it is printed

        return "\n" + render(self.diagnostics)
