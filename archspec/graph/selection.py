"""Choosing other outputs of a graph and dropping what they do not need."""

from __future__ import annotations

import difflib
from dataclasses import replace

from archspec.graph.model import Graph, GraphOutput, Instance, Node, Port


def pruned(graph: Graph, outputs: tuple[GraphOutput, ...]) -> Graph:
    """The graph with these outputs, without the nodes that none of them needs.

    Inputs stay, so that calls look the same. Instances keep their keys.
    """
    needed = {port.node for output in outputs for port in output.ports}
    stack = list(needed)
    while stack:
        for port in graph.nodes[stack.pop()].inputs:
            if port.node not in needed:
                needed.add(port.node)
                stack.append(port.node)
    numbers: dict[int, int] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.id not in needed and not node.is_input:
            continue
        numbers[node.id] = len(nodes)
        inputs = tuple(Port(numbers[port.node], port.index) for port in node.inputs)
        nodes.append(replace(node, id=len(nodes), inputs=inputs))
    moved = tuple(
        replace(item, ports=tuple(Port(numbers[p.node], p.index) for p in item.ports))
        for item in outputs
    )
    kept = {node.origin.span for node in nodes}
    dropped = {node.origin.span for node in graph.nodes} - kept
    requirements = tuple(r for r in graph.requirements if r.origin.span not in dropped)
    return replace(graph, nodes=tuple(nodes), outputs=moved, requirements=requirements)


def select_outputs(graph: Graph, paths: tuple[str, ...]) -> Graph:
    """The graph whose outputs are those of the instances at `paths`, in that order.

    A path may lead into calls (`layer1.0.conv2`). Raises LookupError with a message that lists
    what there is when a path is missing or names several nodes.
    """
    return _select(graph, [(path, path) for path in paths])


def _select(graph: Graph, wanted: list[tuple[str, str]]) -> Graph:
    below: dict[int, list[tuple[str, str]]] = {}
    direct: dict[str, Node] = {}
    for shown, path in wanted:
        node, rest = _find(graph, path, shown)
        if rest:
            below.setdefault(node.id, []).append((shown, rest))
        direct[shown] = node
    nodes = list(graph.nodes)
    ports: dict[str, tuple[tuple[Port, ...], GraphOutput | None]] = {}
    for number, inner in below.items():
        node = graph.nodes[number]
        assert node.callee is not None
        callee = _widened(node.callee, inner)
        assert node.instance is not None
        instance = Instance(
            node.instance.key, None, callee, (), node.instance.origin, node.instance.explicit
        )
        nodes[number] = replace(node, instance=instance, types=callee.output_types)
        at = len(callee.output_ports)
        for output in reversed(callee.outputs[-len(inner) :]):
            at -= len(output.ports)
            found = tuple(Port(number, at + index) for index in range(len(output.ports)))
            ports[output.name] = (found, output)
    outputs: list[GraphOutput] = []
    for shown, _ in wanted:
        if shown in ports:
            found, inner_output = ports[shown]
            structure = inner_output.structure if inner_output is not None else None
            outputs.append(GraphOutput(shown, found, structure))
            continue
        node = direct[shown]
        all_ports = tuple(Port(node.id, index) for index in range(len(node.types)))
        single = len(node.types) == 1
        outputs.append(GraphOutput(shown, all_ports, None if single else (None,) * len(node.types)))
    return pruned(replace(graph, nodes=tuple(nodes)), tuple(outputs))


def _widened(graph: Graph, wanted: list[tuple[str, str]]) -> Graph:
    """The graph with its own outputs and, after them, those wanted."""
    outputs = list(graph.outputs)
    for shown, path in wanted:
        node, rest = _find(graph, path, shown)
        if rest:
            raise LookupError(
                f"`{shown}` lies more than one block deep; tap the block that holds it instead"
            )
        found = tuple(Port(node.id, index) for index in range(len(node.types)))
        structure = None if len(found) == 1 else (None,) * len(found)
        outputs.append(GraphOutput(shown, found, structure))
    return replace(graph, outputs=tuple(outputs))


def _find(graph: Graph, path: str, shown: str) -> tuple[Node, str]:
    exact = [node for node in graph.nodes if node.instance and node.instance.key == path]
    if len(exact) == 1:
        return exact[0], ""
    if len(exact) > 1:
        raise LookupError(f"`{shown}` is used {len(exact)} times, so it has no single output")
    group = _last_of_group(graph, path)
    if group is not None:
        return group, ""
    for node in graph.nodes:
        key = node.instance.key if node.instance is not None else ""
        if key and path.startswith(key + ".") and node.callee is not None:
            return node, path[len(key) + 1 :]
    keys = sorted({n.instance.key for n in graph.nodes if n.instance and n.instance.key})
    close = difflib.get_close_matches(path, keys, n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    listed = ", ".join(f"`{key}`" for key in keys[:12]) + (", .." if len(keys) > 12 else "")
    raise LookupError(f"`{graph.name}` has nothing at `{shown}`{hint} It has {listed}")


def _last_of_group(graph: Graph, path: str) -> Node | None:
    """The last node below a label that opened a scope: `layer1` of `layer1.0`, `layer1.1`."""
    found = [
        node for node in graph.nodes if node.instance and node.instance.key.startswith(path + ".")
    ]
    return found[-1] if found else None
