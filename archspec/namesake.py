"""Spack's `archspec`, another package of the same import name, in the same environment.

The two write files into one folder or hide one another, so one of them breaks: where both are
there, that is said at once, with what to do.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress

_METADATA = re.compile(r"archspec-([^-]+)\.(?:dist|egg)-info")
"""Metadata of a distribution called `archspec`; ours is `archspec_nn-..`. Folders are listed here
since importing `importlib.metadata` takes longer than starting up may."""

ADVICE = "install archspec-nn in an environment of its own: python -m venv .venv"


def conflict(folders: Iterable[str] | None = None) -> str | None:
    """Why archspec cannot be used in this environment; None where it can.

    `folders` are those in which Python looks for packages: `sys.path` by default.
    """
    for folder in dict.fromkeys(sys.path if folders is None else folders):
        with suppress(OSError):  # an archive, or what is not there
            for name in os.listdir(folder or "."):
                found = _METADATA.fullmatch(name)
                if found is not None:
                    return (
                        f"the `archspec` of Spack ({found[1]}, in {folder or '.'}) is installed "
                        "too, and both packages are imported as `archspec`, so one breaks the other"
                    )
    return None
