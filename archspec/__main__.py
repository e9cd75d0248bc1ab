"""`python -m archspec`, and the program `archspec`."""

from __future__ import annotations

import sys

from archspec.namesake import ADVICE, conflict


def main() -> None:
    """Run the command line; an interrupt while it is still being loaded is no traceback.

    Ends with exit code 2 where Spack's `archspec` is installed beside ours.
    """
    reason = conflict()
    if reason is not None:
        sys.exit(_refused(reason))
    try:
        from archspec.cli.main import main as run  # loading takes a while
    except KeyboardInterrupt:
        sys.exit(130)
    run()


def _refused(reason: str) -> int:
    print(f"error: {reason}\nhelp: {ADVICE}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
