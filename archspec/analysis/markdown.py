"""A report as Markdown, which `build` writes next to the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archspec.analysis.cost import Report
from archspec.analysis.number_format import short, short_bytes, sizes_text
from archspec.analysis.receptive_field import field_text
from archspec.types.sizes import ValidSizes

_MOST_SHAPES = 6
"""More outputs of a block, such as those of a tap at many paths, are not all listed."""


def markdown(
    report: Report, training_sizes: ValidSizes | None = None, weights: str = "", undrawn: str = ""
) -> str:
    """The report; `training_sizes` are included if they differ from those of inference.

    `weights` describes their source, `undrawn` why there is no drawing of the network.
    """
    at = sizes_text(report.sizes)
    title = report.name if not at else f"{report.name} at {at}"
    parts = [
        f"# {title}",
        "",
        *_table(("", ""), [*facts(report, training_sizes), *_remarks(weights, undrawn)]),
        "",
        "## Inputs and outputs",
        "",
        *(f"- input `{_code(str(item))}`" for item in report.inputs),
        *(f"- output `{_code(str(item))}`" for item in report.outputs),
        "",
        "## Blocks",
        "",
        *_table(("name", "block", "output", "parameters", "MACs"), block_rows(report)),
    ]
    return "\n".join(parts) + "\n"


def facts(report: Report, training_sizes: ValidSizes | None = None) -> Iterator[tuple[str, str]]:
    """The facts in one line each: `("parameters", "33,714,314")`.

    What says nothing is left out: a single path, the number of paths through attention, receptive
    fields that are all the whole input.
    """
    yield "parameters", f"{report.counts.parameters:,}"
    if report.counts.fixed:
        yield "fixed parameters", f"{report.counts.fixed:,}"
    if report.unused_parameters:
        yield "parameters that no output needs", f"{report.unused_parameters:,}"
    if report.counts.buffers:
        yield "buffers", f"{report.counts.buffers:,}"
    yield "MACs", f"{report.macs_at_sizes:,} ({short(report.macs_at_sizes)})"
    yield "activations", short_bytes(report.memory_at_sizes)
    if report.peak is not None:
        yield "activations, peak in inference", short_bytes(report.peak)
    yield "depth (weight layers)", _depth(report)
    if report.paths is not None and report.paths.exact != 1 and not report.has_attention:
        yield "paths, input to output", str(report.paths)
    yield from _receptive_fields(report)
    yield "valid sizes", str(report.valid_sizes)
    if training_sizes is not None and training_sizes != report.valid_sizes:
        yield "valid sizes in training", str(training_sizes)


def _receptive_fields(report: Report) -> Iterator[tuple[str, str]]:
    """A line for each pair of an input and an output, unless all of them are the whole input."""
    fields = report.receptive_fields
    if all(field == "all" for field in fields.values()):
        return
    for (source, target), field in fields.items():
        size = "the whole input" if field == "all" else field_text(field)
        yield f"receptive field, {source} to {target}", size


def without_costs(name: str, reason: str, weights: str = "", undrawn: str = "") -> str:
    """The replacement of the report if the costs of a network are unknown."""
    rows = [("costs", reason), *_remarks(weights, undrawn)]
    return "\n".join([f"# {name}", "", *_table(("", ""), rows)]) + "\n"


def _remarks(weights: str, undrawn: str) -> Iterator[tuple[str, str]]:
    if weights:
        yield "weights", f"from {weights}"
    if undrawn:
        yield "no drawing", undrawn


def _depth(report: Report) -> str:
    depth = report.depth
    if depth.longest == depth.shortest:
        return f"{depth.longest:,}"
    return f"{depth.longest:,} (shortest path {depth.shortest:,})"


def block_rows(report: Report) -> Iterator[tuple[str, ...]]:
    """The table of blocks: name, block, output, parameters, MACs."""
    for row in report.rows:
        macs = row.macs.evaluate(report.sizes)
        name = "  " * row.level + row.name
        yield name, row.title, _shapes(row.shapes), f"{row.parameters:,}", f"{macs:,}"
    if not report.rows:
        return
    if report.parameters_elsewhere:
        mode = "inference" if report.training else "training"
        yield f"only in {mode}", "", "", f"{report.parameters_elsewhere:,}", ""
    yield "total", "", "", f"{report.counts.parameters:,}", f"{report.macs_at_sizes:,}"


def _shapes(shapes: Sequence[str]) -> str:
    """`4 × [B, 64, H, W]` for equal shapes; different ones are listed, if they are few."""
    if len(shapes) > 1 and len(set(shapes)) == 1:
        return f"{len(shapes)} × {shapes[0]}"
    if len(shapes) > _MOST_SHAPES:
        return f"{shapes[0]}; {shapes[1]}; ..; {shapes[-1]} ({len(shapes)} in all)"
    return "; ".join(shapes)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join([" --- "] * len(head)) + "|"
    for row in rows:
        yield "| " + " | ".join(_cell(text) for text in row) + " |"


def _cell(text: str) -> str:
    """Text that may come from a spec, escaped so that it cannot end its cell or become markup."""
    text = text.replace("\\", "\\\\").replace("<", "&lt;")
    for mark in "|*`":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\r", " ").replace("\n", " ")


def _code(text: str) -> str:
    return text.replace("`", "'").replace("\r", " ").replace("\n", " ")
