"""Diagnostics: the model, the catalogue of codes, and the renderers."""

from archspec.diagnostics.model import (
    Annotation,
    CompileFailed,
    Diagnostic,
    Edit,
    Fix,
    Frame,
    Severity,
    Sink,
    diagnostic,
)

__all__ = [
    "Annotation",
    "CompileFailed",
    "Diagnostic",
    "Edit",
    "Fix",
    "Frame",
    "Severity",
    "Sink",
    "diagnostic",
]
