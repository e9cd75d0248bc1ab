"""A report as data for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from archspec.analysis.base import Finding
from archspec.analysis.cost import Report, Signature
from archspec.analysis.paths import PathCount
from archspec.analysis.receptive_field import field_text
from archspec.analysis.table import Row
from archspec.graph.compiled import Compiled
from archspec.types.dim import Dim
from archspec.types.sizes import ValidSizes

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


def to_json(report: Report) -> dict[str, Json]:
    """Plain data. Costs are numbers at `sizes`, and also formulas in the free dimensions."""
    return {
        "name": report.name,
        "mode": "training" if report.training else "inference",
        "parameters": report.counts.parameters,
        "fixed_parameters": report.counts.fixed,
        "unused_parameters": report.unused_parameters,
        "buffers": report.counts.buffers,
        "tensors": report.counts.tensors,
        "sizes": dict(report.sizes),
        "macs": report.macs_at_sizes,
        "macs_formula": str(report.macs),
        "activation_bytes": report.memory_at_sizes,
        "activation_bytes_formula": str(report.memory),
        "peak_bytes": report.peak,
        "depth": report.depth.longest,
        "shortest_depth": report.depth.shortest,
        "paths": _paths(report.paths),
        "receptive_fields": [
            {"input": source, "output": target, "field": field_text(field)}
            for (source, target), field in report.receptive_fields.items()
        ],
        "inputs": [_signature(item) for item in report.inputs],
        "outputs": [_signature(item) for item in report.outputs],
        "valid_sizes": report.valid_sizes.to_json(),
        "blocks": [_row(row, report) for row in report.rows],
    }


def network_to_json(compiled: Compiled, training_sizes: ValidSizes) -> dict[str, Json]:
    """The properties of both modes: the parameters of the network, and its training sizes."""
    return {
        "valid_sizes_in_training": training_sizes.to_json(),
        "settings": [
            {
                "name": one.name,
                "type": one.type,
                "domain": one.domain,
                "default": one.default,
                "value": one.value,
            }
            for one in compiled.parameters
        ],
    }


def finding_to_json(finding: Finding) -> dict[str, Json]:
    """The result of an analysis, as plain data."""
    rows = [list(row) for row in finding.rows]
    return {"facts": dict(finding.facts), "columns": list(finding.columns), "rows": rows}


def _paths(paths: PathCount | None) -> Json:
    if paths is None:
        return None
    return {"exact": paths.exact, "log2": paths.log2}


def _signature(item: Signature) -> Json:
    types: list[dict[str, Json]] = [
        {"dtype": str(kind.dtype), "shape": [_size(size) for size in kind.shape]}
        for kind in item.types
    ]
    found: dict[str, Json] = {"name": item.name}
    if len(types) == 1:
        return {**found, **types[0]}
    return {**found, "types": types}


def _size(size: Dim) -> Json:
    value = size.constant
    return str(size) if value is None else value


def _row(row: Row, report: Report) -> Json:
    return {
        "name": row.name,
        "what": row.what,
        "level": row.level,
        "count": row.count,
        "shapes": list(row.shapes),
        "parameters": row.parameters,
        "macs": row.macs.evaluate(report.sizes),
        "computed": row.computed,
    }
