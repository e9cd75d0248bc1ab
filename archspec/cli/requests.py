"""Parses requests for passes, analyses and targets: `name{option=value}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from archspec.cli.guard import WrongUsage

if TYPE_CHECKING:
    from archspec.options import Request

_FORM = re.compile(r"\s*([\w.-]+)\s*(?:\{(.*)\}\s*)?", re.DOTALL)


def request(option: str, text: str, example: str) -> Request:
    """The request in the text of an option (`--pass`).

    Raises WrongUsage, with the example, for a text in another form.
    """
    from archspec.cli.values import named_values
    from archspec.options import Request

    form = _FORM.fullmatch(text)
    if form is None:
        raise WrongUsage(f"{option} {text}: write it as name{{option=value}}", example)
    return Request(form[1], named_values(f"{option} {text}", form[2] or "", example))
