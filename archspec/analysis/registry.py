"""Discovery of analyses by entry point: each installed package can provide some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from archspec import extensions
from archspec.analysis.base import Analysis, Finding
from archspec.analysis.cost import Report
from archspec.graph.compiled import Compiled
from archspec.options import Request, read_options

BUNDLED: Mapping[str, str] = {"intensity": "archspec.analysis.intensity:INTENSITY"}
"""Analyses of this package that are shown on request."""

KIND = extensions.Kind("analysis", "archspec.analyses", "E0912", BUNDLED, {}, Analysis)


def available() -> tuple[str, ...]:
    """Names of all analyses, sorted. Nothing is imported."""
    return extensions.available(KIND)


def analysis_named(name: str) -> Analysis:
    """The analysis with a name. Raises CompileFailed (E0912) if there is none."""
    return cast(Analysis, extensions.load(KIND, name))


def find(network: Compiled, report: Report, request: Request) -> tuple[Analysis, Finding]:
    """The result of a requested analysis for the mode and the sizes of a report.

    Raises CompileFailed: E0912 for an unknown analysis, one that fails, or an option that it does
    not accept.
    """
    found = analysis_named(request.name)
    with extensions.attributing_failures(KIND, request.name, KIND.code):
        options = read_options("analysis", found, request.options, KIND.code)
        finding = found.find(network, report, options)
        if not isinstance(finding, Finding):
            raise TypeError(f"`find` returns {type(finding).__name__}, not a Finding")
    return found, finding
