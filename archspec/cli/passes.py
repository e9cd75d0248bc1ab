"""`--pass name{option=value}`, and the short forms of passes, `--column` and `--fold`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from archspec.cli.guard import WrongUsage

if TYPE_CHECKING:
    from archspec.passes.base import Request

_FORM = re.compile(r"\s*([\w.-]+)\s*(?:\{(.*)\}\s*)?", re.DOTALL)
_EXAMPLE = "--pass 'extract{column=3}'"


class Passes(NamedTuple):
    """The passes that a command line asks for, as it says them."""

    texts: Sequence[str] = ()
    column: int | None = None
    fold: bool = False

    def requests(self) -> tuple[Request, ...]:
        """What is asked for, in the order in which it is said, short forms last.

        Raises WrongUsage for what is not written as a pass.
        """
        if self == Passes(self.texts) and not self.texts:
            return ()
        from archspec.passes.base import Request

        found = [_request(text) for text in self.texts]
        found += [Request("extract", {"column": self.column})] if self.column is not None else []
        found += [Request("fold")] if self.fold else []
        return tuple(found)


def _request(text: str) -> Request:
    from archspec.cli.values import named_values
    from archspec.passes.base import Request

    form = _FORM.fullmatch(text)
    if form is None:
        raise WrongUsage(f"--pass {text}: write it as name{{option=value}}", _EXAMPLE)
    return Request(form[1], named_values(f"--pass {text}", form[2] or "", _EXAMPLE))
