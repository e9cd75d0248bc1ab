"""Commands whose help marks flags as such: `--fold  flag`, where Typer writes `<bool>`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


def _marked(parameters: list[Any]) -> list[Any]:
    for one in parameters:
        if getattr(one, "is_flag", False) and one.metavar is None:
            one.metavar = "flag"
    return parameters


class Command(TyperCommand):
    """A single command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All arguments and options, including `--help`."""
        return _marked(super().get_params(ctx))


class Group(TyperGroup):
    """The program with its commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All options, including `--help` and those for completion."""
        return _marked(super().get_params(ctx))
