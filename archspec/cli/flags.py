"""Commands whose help calls a flag a flag: `--fold  flag`, where Typer writes `<bool>`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


def _marked(parameters: list[Any]) -> list[Any]:
    for one in parameters:
        if getattr(one, "is_flag", False) and one.metavar is None:
            one.metavar = "flag"
    return parameters


class Command(TyperCommand):
    """One command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All arguments and options, `--help` among them."""
        return _marked(super().get_params(ctx))


class Group(TyperGroup):
    """The program."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All options, `--help` and those of completion among them."""
        return _marked(super().get_params(ctx))
