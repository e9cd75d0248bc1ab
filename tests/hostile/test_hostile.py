"""Specs that try to use up time or memory soon end in an error with a code; others are accepted.

Specs are checked, several in one process limited to 500 MB; accepted ones are then analysed, as
`show` does. Processor time is measured, which depends less on other load; a spec that seems slow is
measured again.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SECONDS = 4.0
"""Of processor time: twice the intended two seconds, as load on the machine can double it."""
MEMORY = 500_000_000
TOGETHER = 16

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits of a process are those of Linux"
)


def _cases() -> dict[str, tuple[str, str]]:
    sys.path.insert(0, str(HERE))
    try:
        found: dict[str, tuple[str, str]] = importlib.import_module("specs_building").CASES
    finally:
        sys.path.remove(str(HERE))
    return found


CASES = _cases()


def _run(names: tuple[str, ...], results: dict[str, dict[str, object]]) -> str:
    done = subprocess.run(
        [sys.executable, str(HERE / "measure.py"), str(2 * MEMORY), str(SECONDS), *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
    )
    for line in done.stdout.splitlines():
        result = json.loads(line)
        results[result["name"]] = result
    return done.stderr


def measured(name: str) -> dict[str, object]:
    """The result of one spec; the others of its group are measured with it, in one process."""
    names = tuple(CASES)
    start = names.index(name) // TOGETHER * TOGETHER
    return _measured(names[start : start + TOGETHER])[name]


@cache
def _measured(left: tuple[str, ...]) -> dict[str, dict[str, object]]:
    results: dict[str, dict[str, object]] = {}
    while left:
        fault = _run(left, results)
        left = tuple(name for name in left if name not in results)
        if left:  # the first missing one crashed the process; continue after it
            results[left[0]] = {"fault": fault[-2000:]}
            left = left[1:]
    return results


@pytest.mark.parametrize("name", CASES)
def test_hostile(name: str) -> None:
    result = measured(name)
    assert "fault" not in result, result["fault"]
    errors = result["errors"]
    assert isinstance(errors, list)
    wanted = CASES[name][0].split()
    if wanted:
        assert any(code.startswith(tuple(wanted)) for code in errors), errors
    else:
        assert errors == []
    assert result["printable"]
    assert float(str(result["kilobytes"])) * 1000 < MEMORY
    assert float(str(result["seconds"])) < SECONDS
    assert float(str(result["seconds_of_show"])) < SECONDS
    assert float(str(result["seconds_of_fold"])) < SECONDS
