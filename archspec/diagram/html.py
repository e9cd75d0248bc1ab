"""A network in Jupyter: its drawing and the table of its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from archspec.analysis.cost import Report
from archspec.analysis.cost import report as analyse
from archspec.analysis.markdown import block_rows, facts
from archspec.diagnostics.failure import CompileFailed
from archspec.diagram.draw import drawing
from archspec.diagram.render import layout
from archspec.graph.compiled import Compiled

_STYLE = "font-family: sans-serif; display: flex; flex-wrap: wrap; gap: 2em; align-items: start"


def html(compiled: Compiled) -> str:
    """HTML with the drawing, if there is a layout program.

    If there is no report, it contains the reason.
    """
    try:
        report = analyse(compiled)
    except CompileFailed as failure:
        return f"<i>{escape(failure.diagnostics[0].message)}</i>"
    return (
        f'<div style="{_STYLE}"><div>{_drawing(compiled)}</div>'
        f"<div><h3>{escape(report.name)}</h3>{_facts(report)}{_blocks(report)}</div></div>"
    )


def _drawing(compiled: Compiled) -> str:
    try:
        svg = layout(drawing(compiled), "svg").decode()
    except CompileFailed as failure:
        return f"<i>{escape(failure.diagnostics[0].message)}</i>"
    return svg[svg.index("<svg") :]


def _facts(report: Report) -> str:
    rows = "".join(
        f"<tr><th style='text-align: left'>{escape(name)}</th>"
        f"<td style='text-align: left'>{escape(value)}</td></tr>"
        for name, value in facts(report)
    )
    return f"<table>{rows}</table>"


def _blocks(report: Report) -> str:
    head = _cells("th", ("name", "block", "output", "parameters", "MACs"))
    return f"<table><tr>{head}</tr>{''.join(_lines(report))}</table>"


def _lines(report: Report) -> Iterator[str]:
    for row in block_rows(report):
        yield f"<tr>{_cells('td', row)}</tr>"


def _cells(kind: str, texts: Sequence[str]) -> str:
    """Cells of a row: words are left-aligned, the two numbers at the end right-aligned."""
    numbers = len(texts) - 2
    return "".join(
        f"<{kind} style='text-align: {'left' if index < numbers else 'right'}'>"
        f"{escape(text)}</{kind}>"
        for index, text in enumerate(texts)
    )
