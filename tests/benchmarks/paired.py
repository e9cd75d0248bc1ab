"""Two measurements alternating as A B A B .., and the ratio of each pair.

The speed of a machine varies, so the ratio of neighbouring measurements says more than seconds. CPU
time decides, as it is less affected by load, except for work on an accelerator.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Times:
    """Seconds."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Ratio:
    """The time of A divided by that of B, pair by pair."""

    name: str
    peer: str
    target: float
    pairs: tuple[tuple[Times, Times], ...]
    note: str = ""
    clock: str = "cpu"

    def of(self, clock: str) -> list[float]:
        """The ratios on a clock, in ascending order."""
        return sorted(getattr(a, clock) / getattr(b, clock) for a, b in self.pairs)

    @property
    def median(self) -> float:
        """The ratio on the deciding clock."""
        return statistics.median(self.of(self.clock))

    @property
    def missed(self) -> bool:
        """Whether the target was missed."""
        return self.median > self.target


def paired(
    name: str,
    ours: Callable[[], Times],
    peer: Callable[[], Times],
    *,
    against: str,
    target: float,
    rounds: int,
    note: str = "",
    clock: str = "cpu",
) -> Ratio:
    """Time both alternately, after one discarded round; the order is swapped each round."""
    ours()
    peer()
    steps = track(range(rounds), name, console=Console(stderr=True), transient=True)
    pairs = []
    for step in steps:
        if step % 2:
            second, first = peer(), ours()
        else:
            first, second = ours(), peer()
        pairs.append((first, second))
    return Ratio(name, against, target, tuple(pairs), note, clock)


def call(function: Callable[[], object], repeats: int = 1) -> Times:
    """One or several calls in this process."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        function()
    return Times(time.process_time() - cpu, time.perf_counter() - wall)


def process(
    command: Sequence[str], *, expected: int = 0, environment: Mapping[str, str] | None = None
) -> Times:
    """A whole process, including its start. Raises RuntimeError for an unexpected exit code."""
    import resource  # not on Windows

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != expected:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Times(cpu, wall)


def report(title: str, ratios: Sequence[Ratio]) -> int:
    """Print the ratios; 1 if a target was missed, else 0."""
    table = Table("what", "against", title=title)
    for head in ("ratio", "from", "to", "wall", "target"):
        table.add_column(head, justify="right")
    table.add_column("")
    for item in ratios:
        every = item.of(item.clock)
        table.add_row(
            item.name + (f"\n{item.note}" if item.note else ""),
            item.peer,
            *(f"{value:.3f}" for value in (item.median, every[0], every[-1])),
            f"{statistics.median(item.of('wall')):.3f}",
            f"≤ {item.target:.3g}",
            "missed" if item.missed else "met",
        )
    wide = None if sys.stdout.isatty() else 160
    Console(width=wide).print(table)
    return int(any(item.missed for item in ratios))
