"""Converts errors of the operating system to diagnostics."""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, diagnostic


def refusal(fault: OSError) -> Diagnostic:
    """The diagnostic (E0804) for an error on reading a file."""
    words = fault.strerror or str(fault)
    return diagnostic("E0804", f"{fault.filename}: {words}" if fault.filename else words)
