"""Selecting other outputs of a graph and removing what they do not need."""

from __future__ import annotations

from dataclasses import replace

from archspec.diagnostics.suggest import closest
from archspec.graph.edit import Edit
from archspec.graph.model import Graph, GraphOutput, Node, Port, Structure, leaves, needed
from archspec.graph.names import join_path


class NothingThere(LookupError):
    """There is nothing at `path`. `near` is the path probably meant, `note` lists what exists."""

    def __init__(self, message: str, path: str, near: str | None, note: str) -> None:
        super().__init__(message)
        self.path, self.near, self.note = path, near, note


def select_outputs(graph: Graph, paths: tuple[str, ...]) -> Graph:
    """The graph whose outputs are those of the instances at `paths`, in that order.

    A path may lead into calls (`layer1.0.conv2`). Raises LookupError with a message if a path
    is ambiguous, NothingThere if it is missing.
    """
    return _selected(graph, [(path, path) for path in paths], keep=False)


def _selected(graph: Graph, wanted: list[tuple[str, str]], *, keep: bool) -> Graph:
    """The graph with the outputs `wanted`, pairs of a path as shown and the relative path.

    With `keep`, its own outputs come first.
    """
    found = [(shown, *_find(graph, path, shown)) for shown, path in wanted]
    own = graph.outputs if keep else ()
    ends = {node.id for _, node, _ in found} | {port.node for item in own for port in item.ports}
    read = {port for number in needed(graph, ends) for port in graph.node(number).inputs}
    read |= {port for item in own for port in item.ports}
    edit = Edit(graph)
    outputs: dict[str, GraphOutput] = {}
    for number in dict.fromkeys(node.id for _, node, _ in found):
        node = graph.node(number)
        at = len(node.types)
        for shown in (shown for shown, other, rest in found if other is node and not rest):
            outputs[shown] = _output(shown, number, 0, None if at == 1 else (None,) * at)
            read.add(Port(number))
        inner = [(shown, rest) for shown, other, rest in found if other is node and rest]
        if not inner:
            continue
        is_read = any(port.node == number for port in read)
        at = at if is_read else 0
        callee = _open(edit, node, inner, keep=is_read)
        for output in callee.outputs[-len(inner) :]:
            outputs[output.name] = _output(output.name, number, at, output.structure)
            at += len(output.ports)
    chosen = tuple(outputs[shown] for shown, _ in wanted)
    edit.outputs = [*own, *chosen]
    edit.erase_unneeded()
    return edit.graph()


def _open(edit: Edit, node: Node, wanted: list[tuple[str, str]], *, keep: bool) -> Graph:
    """The block of a call, with an inner result as an additional output."""
    assert node.callee is not None
    assert node.instance is not None
    callee = _selected(node.callee, wanted, keep=keep)
    instance = replace(node.instance, graph=callee)
    discarded = node.discarded if keep else frozenset()
    found = {"discarded": discarded, "measured": node.measured if keep else ()}
    edit.put(node.id, instance=instance, types=callee.output_types, **found)
    return callee


def _output(name: str, node: int, at: int, structure: Structure) -> GraphOutput:
    ports = tuple(Port(node, at + index) for index in range(leaves(structure)))
    return GraphOutput(name, ports, structure)


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
            uses = sum(
                other.instance is not None and other.instance.key == key for other in graph.nodes
            )
            if uses > 1:
                raise LookupError(f"`{shown}` is inside `{key}`, which is used {uses} times")
            return node, path[len(key) + 1 :]
        held = node.instance.regions if node.instance is not None else ()
        if any(path.startswith(join_path(key, region.key) + ".") for region in held):
            raise LookupError(
                f"`{shown}` is inside a layer that `{_title(node)}` runs, "
                "so it has no single output"
            )
    beside, part = _beside(graph, path)
    near = closest(part, beside)
    above = shown[: len(shown) - len(path)]
    rest = (
        path[len(part) :] if near is not None and _is_below(graph, near + path[len(part) :]) else ""
    )
    listed = ", ".join(f"`{above}{name}`" for name in beside[:12])
    more = ", .." if len(beside) > 12 else ""
    raise NothingThere(
        f"`{graph.name}` has nothing at `{shown}`",
        shown,
        f"{above}{near}{rest}" if near is not None else None,
        f"it has {listed}{more}" if beside else f"`{graph.name}` has no names inside",
    )


def _beside(graph: Graph, path: str) -> tuple[list[str], str]:
    """The names that exist at the depth of the first part of `path` that does not, and that part.

    For `layer5.0` they are `layer1`, `layer2`, ..; for `layer1.9` they are `layer1.0`, ..
    """
    keys = [node.instance.key for node in graph.nodes if node.instance and node.instance.key]
    parts = path.split(".")
    known = 0
    while known < len(parts) and _is_below(graph, ".".join(parts[: known + 1])):
        known += 1
    before = parts[:known]
    split = [key.split(".") for key in keys]
    deep = [names for names in split if names[:known] == before and len(names) > known]
    found = dict.fromkeys(".".join(names[: known + 1]) for names in deep)
    return [*found], ".".join(parts[: known + 1])


def _is_below(graph: Graph, path: str) -> bool:
    """Whether something has this path, or one below it."""
    keys = (node.instance.key for node in graph.nodes if node.instance)
    return any(f"{key}.".startswith(f"{path}.") for key in keys)


def _title(node: Node) -> str:
    return node.instance.title if node.instance is not None else ""


def _last_of_group(graph: Graph, path: str) -> Node | None:
    """The last node below a label that is a scope: `layer1` of `layer1.0`, `layer1.1`."""
    found = [
        node for node in graph.nodes if node.instance and node.instance.key.startswith(path + ".")
    ]
    return found[-1] if found else None
