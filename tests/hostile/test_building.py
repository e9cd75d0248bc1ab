"""Hostile specs accepted by `check` are built, or fail with a code that `check` warned of.

Both targets are built as by the command. Then the source is imported, the TorchScript file loaded
and the module copied; all are run if that is fast. Specs made for building are built in each run,
except the large ones and those of the same kind as another; these and the other specs that `check`
accepts, in slow runs.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOGETHER = 24

SIZES_OF_REPORTS = {"W0401", "W0402", "E0404"}
"""Codes that restrict the sizes of a network; a report for others is rejected."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits of a process are those of Linux"
)


def _specs() -> Any:
    sys.path.insert(0, str(HERE))
    try:
        return importlib.import_module("specs_building")
    finally:
        sys.path.remove(str(HERE))


SPECS = _specs()
SLOW = tuple(
    name for name, (codes, _) in SPECS.CASES.items() if not codes and name not in SPECS.QUICK
)


@cache
def _together(names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(HERE / "build.py"), *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
    )
    results = {item["name"]: item for item in map(json.loads, done.stdout.splitlines())}
    assert set(results) == set(names), done.stderr[-2000:]
    return results


def _result(name: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The result of one spec; the others of its group are built with it, in one process."""
    start = names.index(name) // TOGETHER * TOGETHER
    return _together(names[start : start + TOGETHER])[name]


def _require_foreseen(result: dict[str, Any]) -> None:
    """It is built, or fails with a code that `check` warned of."""
    assert "fault" not in result, result["fault"]
    warned = set(result["warned"])
    foreseen = warned | ({"E0707"} if warned & SIZES_OF_REPORTS else set())
    assert set(result["ended"].values()) <= {"", *foreseen}, result


@pytest.mark.parametrize("name", SPECS.QUICK)
def test_building(name: str) -> None:
    result = _result(name, SPECS.QUICK)
    _require_foreseen(result)
    ended = set(result["ended"].values()) - {""}
    codes = SPECS.BUILT[name].split()
    assert ended <= set(codes)
    assert bool(ended) == bool(codes)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_building_of_all_other_specs(name: str) -> None:
    _require_foreseen(_result(name, SLOW))
