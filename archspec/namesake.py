"""Detects Spack's `archspec`, another package with the same import name, in the environment.

The two write files into one folder or shadow each other, so one of them breaks. If both are
installed, this is reported at once, with advice.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress

_METADATA = re.compile(r"archspec-([^-]+)\.(?:dist|egg)-info")
"""Metadata folder of a distribution called `archspec`; ours is `archspec_nn-..`. Folders are
listed directly, since importing `importlib.metadata` would slow down start-up too much."""

ADVICE = "install archspec-nn in an environment of its own: python -m venv .venv"


def conflict(folders: Iterable[str] | None = None) -> str | None:
    """Why archspec cannot be used in this environment, or None if it can.

    `folders` are searched for packages; `sys.path` by default.
    """
    for folder in dict.fromkeys(sys.path if folders is None else folders):
        with suppress(OSError):  # an archive, or a missing folder
            for name in os.listdir(folder or "."):
                found = _METADATA.fullmatch(name)
                if found is not None:
                    return (
                        f"the `archspec` of Spack ({found[1]}, in {folder or '.'}) is installed "
                        "too, and both packages are imported as `archspec`, so one breaks the other"
                    )
    return None
