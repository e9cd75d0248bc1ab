"""Decoding of files."""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.source import Source, Span


def decode(name: str, data: bytes) -> tuple[Source, Diagnostic | None]:
    """The text of a file and None; or, if it is not UTF-8, the text before the error and E0830.

    Invalid bytes are not replaced, so that a file is written back as it was read.
    """
    try:
        return Source(name, data.decode("utf-8")), None
    except UnicodeDecodeError as fault:
        source = Source(name, data[: fault.start].decode("utf-8") + " ")
        end = len(source.text)
        message = f"the file is not valid UTF-8: it has the byte {data[fault.start]:#04x} here"
        return source, diagnostic("E0830", message, Span(source, end - 1, end))
