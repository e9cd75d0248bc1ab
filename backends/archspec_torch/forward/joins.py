"""Joins, and sums with a branch that may not have been computed."""

from __future__ import annotations

from archspec.graph.codegen.interface import ports_of
from archspec.graph.model import Node, Port
from archspec_torch.code.pieces import Code, Hole, call, code, keyword
from archspec_torch.forward.frame import Frame


def join_code(frame: Frame, node: Node) -> Code:
    """The mean of the inputs of a join that survive; its branches are in a list."""
    mask, variables = frame.demand.masks[node.id], frame.values.variables
    if node.id in frame.branches:
        return call("join", _in_a_loop(frame, frame.branches[node.id]), mask)
    source = node.inputs[0].node
    whole = variables.list_name(source)
    if whole and [*node.inputs] == ports_of(frame.graph.node(source)):
        return call("join", whole, mask)
    items = ", ".join(variables.text(port) for port in node.inputs)
    name = frame.function.names.fresh("branches")
    frame.function.add(code(f"{name}: List[Optional[Tensor]] = [{items}]"))
    return call("join", name, mask)


def _in_a_loop(frame: Frame, nodes: tuple[Node, ...]) -> str:
    """`for branch in columns: branches.append(...)`; the name of the list."""
    function, first = frame.function, nodes[0]
    lowered = frame.layout.at(frame.graph, first)
    frame.helpers.update(lowered.helpers)
    source = frame.values.variables.list_name(first.inputs[0].node)
    result, branch = function.names.fresh("branches"), function.names.fresh("branch")
    function.add(code(f"{result}: List[Optional[Tensor]] = []"))
    function.add(code(f"for {branch} in {source}:"))
    function.indent += 4
    assert lowered.apply is not None
    value = lowered.apply([branch], function)
    kept = call(f"{result}.append", code(value, f" if {branch} is not None else None"))
    function.add(kept, function.comment([Port(first.id)]))
    function.indent -= 4
    return result


def gated_sum(frame: Frame, node: Node) -> Code:
    """A sum with a branch that a gate may drop."""
    number = frame.added[node.id]
    gate = frame.demand.gates[number]
    branch = frame.values.variables.text(frame.graph.node(number).inputs[0])
    other = frame.values.read(node.inputs[1 - gate.index])
    scaled = keyword("in_training", gate.in_training, True)
    p, mode = Hole(gate.p, "p"), frame.function.training()
    return call("add_branch", other, branch, p, mode, scaled)
