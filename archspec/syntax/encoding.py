"""From the bytes of a file to its text."""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.source import Source, Span


def decode(name: str, data: bytes) -> tuple[Source, Diagnostic | None]:
    """The text in a file, and None; where it is no UTF-8, the text before the fault, and E0830.

    Nothing is replaced: what is written back must be what was read.
    """
    try:
        return Source(name, data.decode("utf-8")), None
    except UnicodeDecodeError as fault:
        source = Source(name, data[: fault.start].decode("utf-8") + " ")
        end = len(source.text)
        message = f"this is not UTF-8 text: it has the byte {data[fault.start]:#04x} here"
        return source, diagnostic("E0830", message, Span(source, end - 1, end))
