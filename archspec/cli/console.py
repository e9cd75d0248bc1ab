"""Terminal output: colours, diagnostics, progress. No progress without a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from threading import Lock, Timer
from typing import IO, Any, TextIO

from archspec.diagnostics.model import Diagnostic, Severity
from archspec.diagnostics.text import render


class Form(StrEnum):
    """The output format of diagnostics."""

    TEXT = "text"
    CONCISE = "concise"
    GITHUB = "github"
    JSON = "json"


_PATIENCE = 0.4  # seconds before progress is shown


def coloured(stream: IO[str]) -> bool:
    """Whether to write ANSI colours to a stream; see https://no-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def page_width(stream: IO[str]) -> int | None:
    """The width of the terminal in columns; None if the stream is not a terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def write(text: str, stream: IO[str] | None = None) -> None:
    """Write a text; characters outside the stream's encoding are escaped."""
    target: TextIO | IO[str] = stream or sys.stdout
    encoding = getattr(target, "encoding", None) or "utf-8"
    target.write(text.encode(encoding, "backslashreplace").decode(encoding))


def write_json(data: Any) -> None:
    """Write data to standard output as JSON."""
    write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def write_diagnostics(items: Iterable[Diagnostic], stream: IO[str] | None = None) -> None:
    """Write diagnostics as text, to standard error by default."""
    stream = stream or sys.stderr
    write(render(items, colour=coloured(stream), width=page_width(stream)), stream)


def verdict(items: Iterable[Diagnostic]) -> dict[str, Any]:
    """`{"ok": .., "diagnostics": [..]}`, the JSON of `check` and of a failed command."""
    from archspec.diagnostics.machine import to_json

    listed = list(items)
    failed = any(item.severity is Severity.ERROR for item in listed)
    return {"ok": not failed, "diagnostics": [to_json(item) for item in listed]}


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on the terminal what is in progress if it takes long; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    spinner = _Spinner(what)
    timer = Timer(_PATIENCE, spinner.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        spinner.stop()


class _Spinner:
    """Rich's spinner, imported only if the work is slow enough to need it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = Lock()
        self._done = False
        self._status: Any = None

    def start(self) -> None:
        """Show the spinner unless the work is done."""
        with suppress(ImportError), self._lock:
            if self._done:
                return
            from rich.console import Console
            from rich.markup import escape

            self._status = Console(stderr=True).status(escape(self._what) + " ...")
            self._status.start()

    def stop(self) -> None:
        """Hide the spinner."""
        with self._lock:
            self._done = True
            if self._status is not None:
                self._status.stop()
