"""Queries about compiled specs, for tests."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.analysis.parameters import table
from archspec.diagnostics.model import Severity
from archspec.diagnostics.text import render
from archspec.graph.compiled import Compiled
from archspec.graph.model import Graph
from archspec.graph.walk import walk
from archspec.semantics.compile import check, load_network
from archspec.source import Source


def network(*lines: str, head: str = "", shape: str = "B = 1, 4, H = 8, W = 8") -> str:
    """A file with some definitions and one network `net` on `x`."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"{head}\nnetwork net {{\n  input x: f32[{shape}]\n{body}\n}}\n"


def layer(expression: str, *head: str, shape: str = "B = 1, 4, H = 8, W = 8") -> str:
    """A network that applies one layer to `x`."""
    return network(f"output x -> {expression}", head="\n".join(head), shape=shape)


def compiled(text: str, name: str | None = None, **parameters: object) -> Compiled:
    """The network of a text without errors or warnings."""
    return load_network(Source("spec.arch", text), name, parameters)[0]


def errors(text: str) -> list[str]:
    """Codes of the errors of a text, in order of location."""
    found = check(Source("spec.arch", text)).diagnostics
    return [item.code for item in found if item.severity is Severity.ERROR]


def printed(text: str) -> str:
    """All diagnostics of a text, printed."""
    return render(check(Source("spec.arch", text)).diagnostics)


def weights(
    text: str, name: str | None = None, **parameters: object
) -> Mapping[str, tuple[int, ...]]:
    """Names and shapes of all weights and buffers."""
    return {entry.name: entry.shape for entry in table(compiled(text, name, **parameters))}


def keys(text: str, name: str | None = None, **parameters: object) -> list[str]:
    """Paths of the instances that own a `weight`, in order."""
    return [
        path.removesuffix("weight").removesuffix(".")
        for path in weights(text, name, **parameters)
        if path.endswith("weight")
    ]


def output(text: str, name: str | None = None, **parameters: object) -> str:
    """Types of the outputs in inference."""
    graph = compiled(text, name, **parameters).inference
    return ", ".join(str(type_) for type_ in graph.output_types)


def ops(graph: Graph) -> list[str]:
    """Names of the ops and blocks of a graph, in order."""
    return [node.instance.title for node in graph.nodes if node.instance is not None]


def graphs(text: str) -> int:
    """The number of graphs in the network of a text."""
    return len(walk(compiled(text).inference))
