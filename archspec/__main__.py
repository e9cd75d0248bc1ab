"""`python -m archspec`, and the program `archspec`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; an interrupt while it is still being loaded is no traceback."""
    try:
        from archspec.cli.main import main as run  # loading takes a while
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
