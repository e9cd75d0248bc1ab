"""The documentation of an op as Markdown, for the site and for `archspec explain`."""

from __future__ import annotations

import inspect
import re

from archspec.ops.base import Op
from archspec.types.initialiser import Initialiser


def op_page(op: type[Op], level: int = 1) -> str:
    """The signature, number of inputs and description of an op, under a heading of this level."""
    fields = [
        name + ("" if field.is_required() else f"={_literal(field.default)}")
        for name, field in op.model_fields.items()
    ]
    fields = [*op.regions, *fields]
    if op.positions is not None and op.positions < len(fields):
        fields.insert(op.positions, "*")
    yields = f" Results: {', '.join(op.output_names)}." if op.output_names else ""
    return "\n\n".join(
        (
            f"{'#' * level} {op.name}",
            f"```arch\n{op.name}({', '.join(fields)})\n```",
            f"{_inputs(op)}.{yields}",
            _prose(inspect.getdoc(op) or ""),
        )
    )


def initialiser_page(kind: type[Initialiser], level: int = 1) -> str:
    """The signature and description of an initialiser, and where one is given."""
    fields = [
        name + ("" if field.is_required() else f"={_literal(field.default)}")
        for name, field in kind.model_fields.items()
    ]
    call = f"{kind.name}({', '.join(fields)})" if fields else kind.name
    least, most = kind.axes
    of = {(0, None): "any shape", (2, 2): "2 axes", (2, None): "2 or more axes"}
    what = of.get(kind.axes, f"{least} to {most} axes")
    return "\n\n".join(
        (
            f"{'#' * level} {kind.name}" + " as an initialiser" * (level > 1),
            f"```arch\n{call}\n```",
            f"Initialiser of tensors of {what}. {_prose(inspect.getdoc(kind) or '')}",
            f"It is given in three places: `init conv.weight = {kind.name}{'(..)' * bool(fields)}` "
            "for all layers of a kind, `conv(8, 3, weight_init=..)` for one layer, and "
            "`param p: f32[8] = ..` for a tensor.",
        )
    )


def _inputs(op: type[Op]) -> str:
    """`One input`, `2 or more inputs`."""
    least, most = op.arity
    if most is None:
        return f"{least} or more inputs"
    if least != most:
        return f"{least} to {most} inputs"
    return {0: "No input", 1: "One input"}.get(least, f"{least} inputs")


def summary(op: type[Op]) -> str:
    """The first sentence of the description of an op."""
    text = " ".join((inspect.getdoc(op) or "").split("\n\n")[0].split())
    first = re.split(r"(?<=[.:])(?<!al\.)\s", text, maxsplit=1)[0]
    return first.rstrip(":.") + "."


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return "none" if value is None else str(value)


def _prose(text: str) -> str:
    """A docstring with its lines about attributes as a list, and None as it is written."""
    text = re.sub(r"\bNone\b", "`none`", text)
    names = r"^([a-z]\w*(?:, [a-z]\w*)*): "
    head, bullet, rest = re.sub(names, r"- **\1**: ", text, flags=re.MULTILINE).partition("- **")
    return f"{head.rstrip()}\n\n{bullet}{rest}" if bullet else text
