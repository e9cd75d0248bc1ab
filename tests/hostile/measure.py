"""Checks every hostile spec in one process of little memory; prints a line of JSON for each.

Run by `test_hostile.py` in a process of its own, so that a crash of the interpreter is seen too.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from specs_building import CASES

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Severity
from archspec.diagnostics.text import render
from archspec.network import Network
from archspec.semantics.compile import check, load_network
from archspec.source import Source

LONGEST = 5.0
"""Seconds of processor time after which a spec is given up."""

DOUBTFUL = 1.2
"""Seconds of processor time from which a spec is measured again."""

AGAIN = 2

NO_REPORT = ("E0411", "E0707")
"""Codes with which a report is refused: beyond symbolic sizes, or of sizes that are not taken."""

LATER = ("seconds_of_show", "seconds_of_fold")

WARM = """\
network warm {
  input x: f32[B = 1, 4, H = 8, W = 8] where H % 4 == 0
  output x -> conv(4, 3) -> residual(max_pool(2) -> upsample(2))
}
"""


class TooLong(BaseException):
    """A spec took all the time it may take; no `except Exception` stops this."""


def _stop(*_: object) -> None:
    raise TooLong


def _peak() -> int:
    """Most memory that this program had; `ru_maxrss` would count that of the one it came from."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def _later(source: Source) -> dict[str, float]:
    """Processor time of what `show` and `--fold` do once a network is compiled."""
    try:
        network = Network(load_network(source)[0])
    except CompileFailed:  # several networks: none is meant
        return {}
    return {"seconds_of_show": _timed(network.report), "seconds_of_fold": _timed(network.fold)}


def _timed(action: Callable[[], object]) -> float:
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    with suppress(TooLong):
        try:
            action()
        except CompileFailed as failure:
            if any(item.code not in NO_REPORT for item in failure.diagnostics):
                raise
    signal.setitimer(signal.ITIMER_PROF, 0)
    return time.process_time() - start


def _measure(name: str) -> dict[str, object]:
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    source = Source("hostile.arch", CASES[name][1])
    try:
        items = check(source).diagnostics
        drawn = render(items, width=100)
    except TooLong:
        items, drawn = (), ""
    signal.setitimer(signal.ITIMER_PROF, 0)
    spent = time.process_time() - start
    errors = sorted({item.code for item in items if item.severity is Severity.ERROR})
    return {
        "name": name,
        "seconds": spent,
        **dict.fromkeys(LATER, 0.0),
        **({} if errors or spent > LONGEST else _later(source)),
        "errors": errors,
        "printable": all(sign == "\n" or sign.isprintable() for sign in drawn),
        "kilobytes": _peak(),
    }


def _measured_apart(name: str) -> dict[str, object]:
    """Measures in a process of its own, so that nothing is remembered from the time before."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, json.dumps(_measure(name)).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as answer:
        text = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        sys.exit(f"{name}: ended with {status}")
    result: dict[str, object] = json.loads(text)
    return result


def _better(first: dict[str, object], second: dict[str, object]) -> dict[str, object]:
    """The smaller times: what is more in one of them is what else the machine does."""
    times = {
        name: min(float(str(one[name])) for one in (first, second)) for name in ("seconds", *LATER)
    }
    return {**second, **times}


def main(memory: int, names: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    check(Source("warm.arch", WARM))
    signal.signal(signal.SIGPROF, _stop)
    for name in names or CASES:
        result = _measured_apart(name)
        for _ in range(AGAIN):
            if max(float(str(result[key])) for key in ("seconds", *LATER)) > DOUBTFUL:
                result = _better(result, _measured_apart(name))
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
