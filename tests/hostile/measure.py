"""Check hostile specs, each in a fork of one process with little memory; print a line of JSON each.

Run by `test_hostile.py` in a separate process, so that a crash of the interpreter is detected.
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
from archspec.graph.compiled import Compiled
from archspec.network import Network
from archspec.semantics.compile import check
from archspec.source import Source

LONGEST = 5.0
"""Processor time, in seconds, after which a spec is aborted."""

AGAIN = 2
"""How often a spec is measured again that seems too slow."""

NO_REPORT = ("E0411", "E0707")
"""Codes that reject a report: sizes that are too large, or not valid."""

LATER = ("seconds_of_show", "seconds_of_fold")

WARM = """\
network warm {
  input x: f32[B = 1, 4, H = 8, W = 8] where H % 4 == 0
  output x -> conv(4, 3) -> residual(max_pool(2) -> upsample(2))
}
"""


class TooLong(BaseException):
    """A spec took too long; a BaseException, so that no `except Exception` catches it."""


def _stop(*_: object) -> None:
    raise TooLong


def _peak() -> int:
    """The peak memory of this program; `ru_maxrss` would include that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def _later(compiled: Compiled) -> dict[str, float]:
    """Processor time of `show` and `--fold` after a network is compiled."""
    network = Network(compiled)
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
    networks: list[Compiled] = []

    def keep(network: Compiled) -> tuple[()]:
        networks.append(network)
        return ()

    try:
        items = check(source, inspect=keep).diagnostics
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
        **(_later(networks[0]) if not errors and len(networks) == 1 else {}),
        "errors": errors,
        "printable": all(sign == "\n" or sign.isprintable() for sign in drawn),
        "kilobytes": _peak(),
    }


def _measured_apart(name: str) -> dict[str, object]:
    """Measure in a separate process, so that nothing is cached from an earlier run."""
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
    """The smaller times; the difference is other load on the machine."""
    times = {
        name: min(float(str(one[name])) for one in (first, second)) for name in ("seconds", *LATER)
    }
    return {**second, **times}


def main(memory: int, seconds: float, names: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    check(Source("warm.arch", WARM))
    signal.signal(signal.SIGPROF, _stop)
    for name in names or CASES:
        result = _measured_apart(name)
        for _ in range(AGAIN):
            if max(float(str(result[key])) for key in ("seconds", *LATER)) > seconds:
                result = _better(result, _measured_apart(name))
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
