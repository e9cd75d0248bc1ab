"""How a command ends: with a result, with the spec at fault, with wrong usage, or with a bug.

Exit codes: 0 fine, 1 the spec is at fault, 2 wrong usage, 70 a bug in archspec (BSD's
EX_SOFTWARE), 130 interrupted, 141 nobody reads the output any more.
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
"""Codes of a network, target, program or file of weights that is not there or cannot be read, or
of a place that cannot be written to: the command line is at fault, not the spec."""

Command = TypeVar("Command", bound=Callable[..., None])


class WrongUsage(Exception):
    """The command line is at fault. `hint` says what would have been right."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def guarded(command: Command) -> Command:
    """Let a command end with an exit code and words, never with a traceback."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        code = _outcome(command, arguments, options)
        if code:
            raise typer.Exit(code)

    return run  # type: ignore[return-value]  # wraps keeps the signature


def _outcome(command: Command, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
    try:
        return _told(command, arguments, options)
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except OSError as fault:  # the output is full
        with suppress(OSError):  # and so may be the place to tell of it
            write_diagnostics([refusal(fault)])
        _forget_what_is_lost()
        return WRONG_USAGE
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except typer.Exit:
        raise
    except Exception as bug:
        return _confess(bug, after_passes=bool(options.get("passes")))


def _told(command: Command, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
    """Run the command; the exit code, once what is wrong with the spec or the usage is said."""
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
    except OSError as fault:  # a file that may not be read or written
        if fault.filename is None:
            raise
        found = (refusal(fault),)
    if options.get("as_json"):
        write_json(verdict(found))
    else:
        sys.stdout.flush()
        write_diagnostics(found)
    return blame(found)


def blame(diagnostics: Iterable[Diagnostic]) -> int:
    """Who is at fault for errors: the spec, or a command line that asks for what cannot be."""
    codes = {item.code for item in diagnostics if item.severity is Severity.ERROR}
    return WRONG_USAGE if codes <= NOT_THE_SPEC else AT_FAULT


def _complain(message: str, hint: str | None = None) -> None:
    colour = coloured(sys.stderr)
    write(f"{paint('error', 'error', colour)}: {printable(message, newlines=True)}\n", sys.stderr)
    if hint:
        write(f"{paint('help', 'help', colour)}: {printable(hint, newlines=True)}\n", sys.stderr)


def _confess(bug: Exception, *, after_passes: bool) -> int:
    """A bug of ours, or of a pass: say so, and keep the traceback for who asks."""
    _show_traceback(bug)
    _complain(
        f"internal error, please report it: {type(bug).__name__}: {bug}",
        "add the spec that caused it; with ARCHSPEC_DEBUG=1 the traceback is shown"
        + (", with ARCHSPEC_VERIFY=1 each pass is verified" if after_passes else ""),
    )
    return BUG


def _show_traceback(error: BaseException | None) -> None:
    """The traceback of an exception, for who asks: of a bug, of what a pass of others raised."""
    if error is not None and os.environ.get("ARCHSPEC_DEBUG"):
        import traceback

        traceback.print_exception(error)


def _forget_what_is_lost() -> None:
    """The same, where what is still to be written cannot be."""
    try:
        sys.stdout.flush()
    except OSError:
        _forget_output()


def _forget_output() -> None:
    """Point standard output nowhere, so that Python's own flush at exit does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
