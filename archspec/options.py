"""Options of passes, analyses and targets: given by name, validated by type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.frozen import frozen

UNKNOWN = "extra_forbidden"
"""Pydantic's error type for an unknown option."""


class Options(BaseModel):
    """The options of a pass, analysis or target: fields with types and, if optional, defaults.

    Values from the command line, `extract{column=3}`, are validated and converted by pydantic.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class HasOptions(Protocol):
    """An object that has a name and takes options."""

    name: str
    options: type[Options]


@frozen
class Request:
    """A request for a pass, analysis or target by name, with values for its options."""

    name: str
    options: Mapping[str, object] = field(default_factory=dict)


def read_options(kind: str, one: HasOptions, given: Mapping[str, object], code: str) -> Options:
    """The options of `one`, an object of a kind ("pass"), with the given values.

    Raises CompileFailed with `code` for unknown options, missing options and invalid values.
    """
    try:
        return one.options.model_validate(dict(given))
    except ValidationError as error:
        faults = error.errors()
        unknown = [item for item in faults if item["type"] == UNKNOWN]  # may cause the others
        found = [_fault(kind, one, item, code) for item in unknown or faults]
        raise CompileFailed(found) from None


def _fault(kind: str, one: HasOptions, item: Mapping[str, Any], code: str) -> Diagnostic:
    """The diagnostic for a validation error of one option."""
    known, owner = one.options.model_fields, f"the {kind} `{one.name}`"
    name = ".".join(map(str, item["loc"]))
    if item["type"] == UNKNOWN:
        listed = ", ".join(f"`{field}`" for field in known)
        has = f"its options are {listed}" if known else "it has none"
        near = closest(name, known)
        fix = f"write `{near}`" if near else None
        return diagnostic(code, f"{owner} has no option `{name}`; {has}", fix=fix)
    if item["type"] == "missing":
        example = f"{one.name}{{{name}=..}}"
        return diagnostic(code, f"{owner} needs `{name}`", fix=f"write `{example}`")
    reason = item["msg"].removeprefix("Input ").removeprefix("Value error, ").partition(",")[0]
    message = f"the option `{name}` of {owner} {reason}, but it is {item['input']!r}"
    return diagnostic(code, message)
