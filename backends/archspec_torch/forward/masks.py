"""Random draws at the beginning: columns, surviving inputs of joins, kept gated branches."""

from __future__ import annotations

from archspec.graph.codegen.conditions import NEVER
from archspec.graph.codegen.demand import dropping
from archspec.graph.codegen.draws import draw_name
from archspec.graph.model import Node
from archspec.ops.dropping import KeptMean
from archspec_torch.code.conditions import condition_text
from archspec_torch.code.pieces import Code, Hole, call, code
from archspec_torch.forward.frame import Frame
from archspec_torch.planning.origins import Origins

SHARES = {"local": 0.0, "global": 1.0}
"""The fraction of mini-batches in which one column is drawn for all joins, by policy."""

MIXED = 0.5
"""The default."""


def sample_draws(frame: Frame) -> None:
    """The columns of the draws of a network."""
    for name, variable in frame.draws.items():
        declared = frame.known.draws.declared.get(name)
        share = MIXED
        if declared is not None:
            share = SHARES.get(declared.policy, declared.ratio)
        frame.helpers.add("sample_column")
        count = Hole(frame.known.draws.columns[name], "columns")
        share_hole = Hole(float(share), "global_share")
        value = call("sample_column", count, share_hole, frame.function.training())
        frame.function.add(code(variable, " = ", value))


def sample_masks(frame: Frame) -> None:
    """The flags of joins and of gates that may be needed, and long conditions with a name."""
    demand, function = frame.demand, frame.function
    for node in frame.graph.nodes:
        join = dropping(node)
        if join is not None and demand.nodes[node.id] != NEVER:
            frame.helpers.update(("survivors", "join"))
            function.add(code(demand.masks[node.id], " = ", _survivors(frame, node, join)))
    for number, gate in demand.gates.items():
        if demand.nodes[number] != NEVER:
            frame.helpers.update(("kept", "add_branch"))
            value = call("kept", Hole(gate.p, "p"), function.training())
            function.add(code(gate.flag, " = ", value))
    for name, condition in demand.named:
        function.add(code(f"{name} = {condition_text(condition)}"))


def _survivors(frame: Frame, node: Node, join: KeptMean) -> Code:
    count = len(node.inputs)
    name = draw_name(node)
    column, first = "-1", 0
    if name:
        column, first = frame.draws[name], frame.known.draws.columns[name] - count
    training = frame.function.training()
    drop, start = Hole(join.drop, "drop"), Hole(first, "first_column")
    made = call("survivors", str(count), drop, column, start, training)
    return Origins(frame.graph, node).of(made)
