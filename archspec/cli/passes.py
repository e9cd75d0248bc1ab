"""The options `--pass name{option=value}` and its short forms `--column` and `--fold`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from archspec.cli.requests import request

if TYPE_CHECKING:
    from archspec.options import Request

_EXAMPLE = "--pass 'extract{column=3}'"


class Passes(NamedTuple):
    """The passes requested on the command line, as given."""

    texts: Sequence[str] = ()
    column: int | None = None
    fold: bool = False

    def requests(self) -> tuple[Request, ...]:
        """The requested passes in the given order, short forms last.

        Raises WrongUsage for a text that is not in the form of a pass.
        """
        if not any(self):
            return ()
        from archspec.options import Request

        found = [request("--pass", text, _EXAMPLE) for text in self.texts]
        found += [Request("extract", {"column": self.column})] if self.column is not None else []
        found += [Request("fold")] if self.fold else []
        return tuple(found)
