"""Converts the outcome of a command to an exit code and messages.

Exit codes: 0 success, 1 error in the spec, 2 wrong usage, 70 bug in archspec (EX_SOFTWARE of BSD),
130 interrupted, 141 broken output pipe.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

import typer

from archspec.cli.console import coloured, verdict, write, write_diagnostics, write_json
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, Severity
from archspec.diagnostics.paint import paint
from archspec.diagnostics.printable import printable
from archspec.diagnostics.refusal import refusal

AT_FAULT = 1
WRONG_USAGE = 2
BUG = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

NOT_THE_SPEC = frozenset(
    {
        "E0701",
        "E0801",
        "E0803",
        "E0804",
        "E0810",
        "E0811",
        "E0812",
        "E0840",
        "E0841",
        "E0910",
        "E0912",
    }
)
"""Codes for a missing or unreadable network, target, program or weights file, and for a destination
that cannot be written: errors of the command line, not of the spec."""

Command = TypeVar("Command", bound=Callable[..., None])


class WrongUsage(Exception):
    """An error in the command line. `hint` suggests a correction."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def guarded(command: Command) -> Command:
    """Wrap a command to exit with a code and a message, never with a traceback."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        code = _outcome(command, arguments, options)
        if code:
            raise typer.Exit(code)

    return run  # type: ignore[return-value]  # wraps keeps the signature


def _outcome(command: Command, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
    try:
        return _run(command, arguments, options)
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except OSError as fault:  # the output is full
        with suppress(OSError):  # standard error may be full too
            write_diagnostics([refusal(fault)])
        _discard_unwritable_output()
        return WRONG_USAGE
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except typer.Exit:
        raise
    except Exception as bug:
        return _report_bug(bug, after_passes=bool(options.get("passes")))


def _run(command: Command, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
    """Run the command, report errors of the spec or the usage, and return the exit code."""
    try:
        command(*arguments, **options)
        sys.stdout.flush()
        return 0
    except CompileFailed as failure:
        _show_traceback(failure.__cause__)
        found = failure.diagnostics
    except WrongUsage as wrong:
        _complain(wrong.message, wrong.hint)
        return WRONG_USAGE
    except OSError as fault:  # no permission to read or write a file
        if fault.filename is None:
            raise
        found = (refusal(fault),)
    if options.get("as_json"):
        write_json(verdict(found))
    else:
        sys.stdout.flush()
        write_diagnostics(found)
    return exit_code(found)


def exit_code(diagnostics: Iterable[Diagnostic]) -> int:
    """The exit code for errors: WRONG_USAGE if all are of the command line, else AT_FAULT."""
    codes = {item.code for item in diagnostics if item.severity is Severity.ERROR}
    return WRONG_USAGE if codes <= NOT_THE_SPEC else AT_FAULT


def _complain(message: str, hint: str | None = None) -> None:
    colour = coloured(sys.stderr)
    write(f"{paint('error', 'error', colour)}: {printable(message, newlines=True)}\n", sys.stderr)
    if hint:
        write(f"{paint('help', 'help', colour)}: {printable(hint, newlines=True)}\n", sys.stderr)


def _report_bug(bug: Exception, *, after_passes: bool) -> int:
    """Report a bug in archspec or a pass; the traceback is shown on request only."""
    _show_traceback(bug)
    _complain(
        f"internal error, please report it: {type(bug).__name__}: {bug}",
        "add the spec that caused it; with ARCHSPEC_DEBUG=1 the traceback is shown"
        + (", with ARCHSPEC_VERIFY=1 each pass is verified" if after_passes else ""),
    )
    return BUG


def _show_traceback(error: BaseException | None) -> None:
    """Print the traceback of an exception if ARCHSPEC_DEBUG is set."""
    if error is not None and os.environ.get("ARCHSPEC_DEBUG"):
        import traceback

        traceback.print_exception(error)


def _discard_unwritable_output() -> None:
    """Discard buffered output that cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        _forget_output()


def _forget_output() -> None:
    """Redirect standard output to the null device, so that the flush at exit does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
