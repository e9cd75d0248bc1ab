"""Random draws at the beginning: columns, surviving inputs of joins, kept gated branches."""

from __future__ import annotations

from archspec.graph.codegen.conditions import NEVER
from archspec.graph.codegen.draws import draw_name
from archspec.graph.codegen.joins import Place, dropping
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
        join = demand.lone.get(node.id, (frame.graph, node))
        if node.id in demand.masks and demand.nodes[node.id] != NEVER:
            frame.helpers.update(("survivors", "join"))
            count = 1 if node.id in demand.lone else len(node.inputs)
            function.add(code(demand.masks[node.id], " = ", _survivors(frame, join, count)))
    for number, gate in demand.gates.items():
        if demand.nodes[number] != NEVER:
            frame.helpers.update(("kept", "add_branch"))
            value = call("kept", Hole(gate.p, "p"), function.training())
            function.add(code(gate.flag, " = ", value))
    for name, condition in demand.named:
        function.add(code(f"{name} = {condition_text(condition)}"))


def _survivors(frame: Frame, place: Place, count: int) -> Code:
    """The flags of this number of inputs of a join, which may be one of another graph."""
    graph, node = place
    join, name = dropping(node), draw_name(node)
    assert join is not None
    column, columns = "-1", count
    if name:
        column, columns = frame.draws[name], frame.known.draws.columns[name]
    drop, whole = Hole(join.drop, "drop"), Hole(columns, "columns")
    number = _number(frame, count)
    made = call("survivors", number, drop, column, whole, frame.function.training())
    return Origins(graph, node).of(made)


def _number(frame: Frame, count: int) -> str:
    """The number of inputs of a join, in a block that calls itself by the number of results.

    There it depends on the depth.
    """
    others = frame.demand.others
    if others is None:
        return str(count)
    return f"len(need) - {others}" if others else "len(need)"
