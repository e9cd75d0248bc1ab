"""Every spec gives the same bytes: in another folder, and with another hash seed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.shipped import folder
from tests.specs.families import NAMES

ROOT = Path(__file__).resolve().parents[2]
BUILD = """
import shutil
import sys
from pathlib import Path
import archspec
from archspec_torch.source import python_source
from tests.specs.families import NAMES, family, options

slow = sys.argv[1] == "slow"
for name in NAMES if slow else NAMES[::4]:
    run = family(name)["run"]
    network = archspec.load(f"specs/{name}.arch", run["network"], **options(run))
    if slow:
        network.build(f"build/{name}", targets=("torch",))
    else:
        network.draw(f"{name}.dot", depth=2)
        Path(f"{name}.py").write_text(python_source(network.compiled)[0], encoding="utf-8")

shutil.rmtree("specs")
"""


def written(place: Path, seed: str, speed: str) -> dict[str, bytes]:
    """The output of a separate process, from specs copied there."""
    shutil.copytree(folder(), place / "specs")
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    subprocess.run(
        [sys.executable, "-c", BUILD, speed],
        cwd=place,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        check=True,
        capture_output=True,
    )
    files = sorted(item for item in place.rglob("*") if item.is_file())
    return {str(item.relative_to(place)): item.read_bytes() for item in files}


@pytest.mark.parametrize("speed", ["quick", pytest.param("slow", marks=pytest.mark.slow)])
def test_builds_are_reproducible(speed, tmp_path):
    """Source and DOT of every fourth spec; slow tests compare what `build` writes for all specs."""
    one, other = tmp_path / "one", tmp_path / "another place"
    one.mkdir()
    other.mkdir()
    first, second = written(one, "1", speed), written(other, "2", speed)
    assert len(first) >= 2 * (len(NAMES) // 4)
    assert first == second
