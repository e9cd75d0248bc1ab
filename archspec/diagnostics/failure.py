"""The exception that ends a phase."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.model import Diagnostic


class CompileFailed(Exception):
    """An error in the spec, described by `diagnostics`. Commands never show it as a traceback.

    Its text is the output of the command line, so a notebook shows the source line too.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from archspec.diagnostics.text import render  # only needed for printing

        return "\n" + render(self.diagnostics)
