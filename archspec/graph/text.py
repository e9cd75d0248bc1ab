"""A listing of a graph and of the graphs below it: one node per line, callees after their callers.

For people and for golden tests. A node has the name of its key, an input its own name, other nodes
that of their op; so a line changes only if its node changes. Attributes with their default are left
out.

    block unit(width=8)
      x: f32[B, 3, H, W]
      conv = conv(width=8, bias=false) x: f32[B, 8, H, W]
      batch_norm = batch_norm conv: f32[B, 8, H, W]
      output = batch_norm
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel

from archspec.graph.compiled import Compiled
from archspec.graph.model import (
    Graph,
    GraphOutput,
    Instance,
    Node,
    Port,
    Requirement,
    Structure,
)
from archspec.types.condition import TRUE, Condition
from archspec.types.initialiser import Initialiser
from archspec.types.solver import clauses


def network_text(compiled: Compiled) -> str:
    """The listing of a network; a block that is the same in both modes is listed once."""
    sizes = ", ".join(f"{name} = {size}" for name, size in compiled.sizes.items())
    head = [f"# {compiled.name}" + (f" at {sizes}" if sizes else "")]
    if compiled.where != TRUE:
        head.append(f"# where {_condition(compiled.where)}")
    if compiled.training is compiled.inference:
        return "\n".join([*head, "", graph_text(compiled.inference)])
    names = listed_graphs(compiled.inference, compiled.training)
    first = listed_graphs(compiled.inference)
    others = [graph for graph in names if graph not in first]
    parts = ["", "# inference", "", *_listed(first, names)]
    return "\n".join([*head, *parts, "# training, where it differs", "", *_listed(others, names)])


def graph_text(graph: Graph) -> str:
    """The listing of a graph and of all graphs below it."""
    names = listed_graphs(graph)
    return "\n".join(_listed(names, names))


def _listed(graphs: Iterable[Graph], names: Mapping[Graph, str]) -> Iterator[str]:
    return (line for graph in graphs for line in _block(graph, names))


def listed_graphs(*roots: Graph) -> Mapping[Graph, str]:
    """The names of a graph and of all graphs below it in a listing, in the order of the listing."""
    return _distinct(tuple(dict.fromkeys(graph for root in roots for graph in _in_order(root))))


def listed_nodes(graph: Graph) -> Mapping[Node, str]:
    """The names of the nodes of a graph in a listing: later ones of the same name get a number.

    `relu'2` is the second node with the name `relu`.
    """
    taken: dict[str, int] = {}
    found: dict[Node, str] = {}
    for node in graph.nodes:
        instance = node.instance
        name = node.name if instance is None else instance.key or instance.title
        number = taken[name] = taken.get(name, 0) + 1
        found[node] = f"{name}'{number}" if number > 1 else name
    return found


def _in_order(root: Graph) -> tuple[Graph, ...]:
    """The graph and all graphs below it, without duplicates, in the order of first use."""
    found: dict[Graph, None] = {}
    stack = [root]
    while stack:
        graph = stack.pop()
        if graph not in found:
            found[graph] = None
            stack.extend(reversed(graph.callees))
    return tuple(found)


def _distinct(graphs: tuple[Graph, ...]) -> Mapping[Graph, str]:
    """A name for each graph: that of its definition, with a number if it has several graphs."""
    taken: dict[str, int] = {}
    found: dict[Graph, str] = {}
    for graph in graphs:
        number = taken[graph.name] = taken.get(graph.name, -1) + 1
        found[graph] = f"{graph.name}#{number}" if number else graph.name
    return found


def _block(graph: Graph, names: Mapping[Graph, str]) -> Iterator[str]:
    arguments = ", ".join(f"{name}={_value(item)}" for name, item in graph.arguments.items())
    frozen = " frozen" if graph.frozen else ""
    yield f"{graph.kind} {names[graph]}" + (f"({arguments})" if arguments else "") + frozen
    called = {node.id: name for node, name in listed_nodes(graph).items()}
    for node in graph.nodes:
        yield f"  {_line(graph, node, called, names)}"
        for need in node.requirements:
            yield f"    {_need(need)}"
    for output in graph.outputs:
        yield f"  {_output(output, graph, called)}"
    for need in graph.requirements:
        yield f"  {_need(need)}"
    for rule in graph.init_rules:
        yield f"  init {rule.op}.{rule.parameter} = {_value(rule.initialiser)}"
    for draw in graph.draws:
        yield f"  draw {draw.name}: {draw.policy} {draw.ratio}"
    for tie in graph.ties:
        yield f'  tie "{tie.name}" = "{tie.source}"'
    yield ""


def _line(graph: Graph, node: Node, called: Mapping[int, str], names: Mapping[Graph, str]) -> str:
    types = ", ".join(map(str, node.types))
    if node.instance is None:
        return f"{called[node.id]}: {types}"
    read = ", ".join(_port(port, graph, called) for port in node.inputs)
    words = [called[node.id], "=", _what(node.instance, names)]
    words += ["frozen"] if node.instance.frozen else []
    words += [read] if read else []
    return f"{' '.join(words)}: {types or 'nothing'}"


def _port(port: Port, graph: Graph, called: Mapping[int, str]) -> str:
    several = len(graph.node(port.node).types) > 1
    return called[port.node] + (f"[{port.index}]" if several else "")


def _what(instance: Instance, names: Mapping[Graph, str]) -> str:
    """The op with its attributes and layers, or the block."""
    if instance.op is None:
        assert instance.graph is not None
        return names[instance.graph]
    shown = [f"{name}={_value(item)}" for name, item in _given(instance.op)]
    for region in instance.regions:
        key = f" as {region.key}" if region.key else ""
        captured = f" capturing {region.captured}" if region.captured else ""
        shown.append(f"{region.name}: {names[region.graph]}{key}{captured}")
    return _call(instance.op.name, shown)


def _call(name: str, arguments: Sequence[str]) -> str:
    return f"{name}({', '.join(arguments)})" if arguments else name


def _given(model: BaseModel) -> Iterator[tuple[str, object]]:
    for name, item in type(model).model_fields.items():
        value = getattr(model, name)
        if item.is_required() or value != item.get_default(call_default_factory=True):
            yield name, value


def _value(value: object) -> str:
    """A value as in the language, as far as possible."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Initialiser):
        return _call(value.name, [f"{name}={_value(item)}" for name, item in _given(value)])
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value)


def _need(need: Requirement) -> str:
    training = " in training" if need.training_only else ""
    return f"requires {_condition(need.condition)}{training}: {need.reason}"


def _condition(condition: Condition) -> str:
    return " and ".join(clauses(condition))


def _output(output: GraphOutput, graph: Graph, called: Mapping[int, str]) -> str:
    ports = iter(output.ports)

    def text(structure: Structure) -> str:
        if structure is None:
            return _port(next(ports), graph, called)
        return f"({', '.join(map(text, structure))})"

    return f"output {output.name} = {text(output.structure)}"
