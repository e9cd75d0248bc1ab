"""What the system refuses, as a diagnostic."""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, diagnostic


def refusal(fault: OSError) -> Diagnostic:
    """What the system said of a file that is read (E0804)."""
    words = fault.strerror or str(fault)
    return diagnostic("E0804", f"{fault.filename}: {words}" if fault.filename else words)
