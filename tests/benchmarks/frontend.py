"""The speed of the front end, as ratios. README.md in this folder explains how to read them."""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from paired import ROOT, Ratio, Times, call, paired, process, report

from archspec import load
from archspec.semantics.compile import check
from archspec.source import Source

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")]),
}
FRACTALNET = "specs/fractalnet.arch:fractalnet"
ITERATIONS = {"equal": "unit(64)", "different": "unit(64 + i)"}
CHAIN = """\
block unit(width: int) { conv(width, 3, bias=false) -> batch_norm -> relu }

network chain {
  input x: f32[B = 1, 64, H = 32, W = 32]
  output y = x -> for i in 0..COUNT { ITERATION }
}
"""


def main() -> int:
    """Measure and print; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs of each (default 5)")
    parser.add_argument("--only", default="", help="those with this in their name")
    parser.add_argument("--check", nargs=2, metavar=("KIND", "COUNT"), help=argparse.SUPPRESS)
    parser.add_argument("--library", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.library:
        print(json.dumps(library_here()))
        return 0
    if options.check:
        kind, count = options.check
        print(json.dumps(check_here(kind, int(count)).__dict__))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        measures = {
            "show resnet152": lambda: show(Path(folder), options.rounds),
            "resnet152 in Python": lambda: library(Path(folder), options.rounds),
            "check 1,000 equal blocks": lambda: growth("equal", 3, options.rounds),
            "check 1,000 different blocks": lambda: growth("different", 12, options.rounds),
            "show fractal of 40 columns": lambda: columns(options.rounds),
            "build fractal of 40 columns, refused": lambda: refusal(Path(folder), options.rounds),
        }
        found = [measure() for name, measure in measures.items() if options.only in name]
    return report("Front end", found)


def archspec(*arguments: str) -> list[str]:
    """A command line of this tool."""
    return [sys.executable, "-m", "archspec", *arguments]


# ---------------------------------------------------------------------- against torchinfo


def show(folder: Path, rounds: int) -> Ratio:
    """`archspec show` of ResNet-152 compared with torchinfo's summary of it, whole processes."""
    make, name = torchvision_or_ours(folder)
    peer = f"{make}\nfrom torchinfo import summary\n"
    peer += "print(summary(resnet152(), (1, 3, 224, 224), verbose=0))"
    return paired(
        "show resnet152",
        lambda: process(archspec("show", "specs/resnet.arch:resnet152"), environment=ENVIRONMENT),
        lambda: process([sys.executable, "-c", peer], environment=ENVIRONMENT),
        against=f"torchinfo.summary of {name}",
        target=0.14,
        rounds=rounds,
        note="whole processes",
    )


def torchvision_or_ours(folder: Path) -> tuple[str, str]:
    """Code that imports a PyTorch resnet152, and its origin."""
    if importlib.util.find_spec("torchvision") is not None:
        return "from torchvision.models import resnet152", "torchvision"
    build = archspec("build", "specs/resnet.arch:resnet152", "--target", "torch")
    process([*build, "-o", str(folder)], environment=ENVIRONMENT)
    make = f"import sys; sys.path.insert(0, {str(folder)!r})\n"
    return make + "from resnet152 import Resnet152 as resnet152", "the generated module"


PEER = """\
import gc, json, time
from torchinfo import summary
MAKE
gc.collect()
wall, cpu = time.perf_counter(), time.process_time()
summary(resnet152(), (1, 3, 224, 224), verbose=0)
print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}))
"""


def library(folder: Path, rounds: int) -> Ratio:
    """Load, report and find valid sizes of ResNet-152; compare with building it and torchinfo."""
    make, name = torchvision_or_ours(folder)
    peer, collected = PEER.replace("MAKE", make), []

    def ours() -> Times:
        found = times_of([__file__, "--library"])
        collected.append(found.pop("collector") / found["wall"])
        return Times(**found)

    ratio = paired(
        "resnet152 in Python",
        ours,
        lambda: Times(**times_of(["-c", peer])),
        against=f"building {name}'s and torchinfo.summary",
        target=1 / 15,
        rounds=rounds,
    )
    share = statistics.median(collected)
    return replace(ratio, note=f"in process; {share:.0%} are the garbage collector's")


def times_of(arguments: list[str]) -> dict[str, float]:
    """What a fresh process measures by itself, excluding its start."""
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return json.loads(done.stdout)


def library_here() -> dict[str, float]:
    """Load, report and find valid sizes of another spec after modules and tables are loaded."""
    known(ROOT / "specs/lenet.arch", "lenet")
    pauses, began = [], 0.0

    def watch(phase: str, _: object) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - began)

    gc.callbacks.append(watch)
    times = call(lambda: known(ROOT / "specs/resnet.arch", "resnet152"))
    return {**times.__dict__, "collector": sum(pauses[1:])}  # the first is that of `call`


def known(spec: Path, name: str) -> None:
    """A network as a library user loads it, with its report and valid sizes."""
    network = load(spec, name)
    network.report()
    if not network.valid_sizes:
        raise RuntimeError(f"{name} takes no sizes")


# ---------------------------------------------------------------------- growth


def growth(kind: str, target: float, rounds: int) -> Ratio:
    """`check` of 1,000 blocks compared with 100, each in a warmed-up process."""
    return paired(
        f"check 1,000 {kind} blocks",
        lambda: checked(kind, 1000),
        lambda: checked(kind, 100),
        against=f"100 {kind} blocks",
        target=target,
        rounds=rounds,
        note="in process",
    )


def checked(kind: str, count: int) -> Times:
    """The time of `check` in a fresh process, unaffected by earlier rounds."""
    return Times(**times_of([__file__, "--check", kind, str(count)]))


def check_here(kind: str, count: int) -> Times:
    """`check` of this many blocks, after modules and tables are loaded."""
    check(chain("different", 2))
    source = chain(kind, count)
    sinks = []
    times = call(lambda: sinks.append(check(source)))
    if sinks[0].failed:
        raise RuntimeError(str(sinks[0].diagnostics[0]))
    return times


def chain(kind: str, count: int) -> Source:
    """Convolution, norm and ReLU in sequence, all of one width or each of another width."""
    text = CHAIN.replace("COUNT", str(count)).replace("ITERATION", ITERATIONS[kind])
    return Source(f"{kind}.arch", text)


# ---------------------------------------------------------------------- a fractal of 40 columns


def show_columns(count: int) -> Times:
    """`archspec show` of FractalNet with this many columns, as a process."""
    command = archspec("show", FRACTALNET, "--set", f"columns={count}")
    return process(command, environment=ENVIRONMENT)


def columns(rounds: int) -> Ratio:
    """`show` of 5 * 2^40 convolutions compared with 75."""
    return paired(
        "show fractal of 40 columns",
        lambda: show_columns(40),
        lambda: show_columns(4),
        against="show fractal of 4 columns",
        target=2,
        rounds=rounds,
        note="whole processes",
    )


def refusal(folder: Path, rounds: int) -> Ratio:
    """`build` of a network that is too large to write; the error states the budget (E0520)."""
    build = archspec("build", FRACTALNET, "--set", "columns=40", "-o", str(folder / "fractal"))
    done = subprocess.run(build, env=ENVIRONMENT, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 1 or "E0520" not in done.stdout + done.stderr:
        raise RuntimeError(f"not refused:\n{done.stdout}{done.stderr}")
    return paired(
        "build fractal of 40 columns, refused",
        lambda: process(build, expected=1, environment=ENVIRONMENT),
        lambda: show_columns(4),
        against="show fractal of 4 columns",
        target=2,
        rounds=rounds,
        note="whole processes",
    )


if __name__ == "__main__":
    sys.exit(main())
