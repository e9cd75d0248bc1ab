"""The entry point of `python -m archspec` and the `archspec` command."""

from __future__ import annotations

import sys

from archspec.namesake import ADVICE, conflict


def main() -> None:
    """Run the command line. An interrupt while it is loading shows no traceback.

    Exits with code 2 if Spack's `archspec` is installed in the same environment.
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
