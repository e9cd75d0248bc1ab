"""The statements of `forward` for one unit in one mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archspec.frozen import frozen
from archspec.graph.codegen.conditions import ALWAYS, Condition
from archspec.graph.codegen.interface import ports_of
from archspec.graph.model import Port
from archspec_torch.code.conditions import any_of_list, condition_text
from archspec_torch.code.pieces import Code, call, code, listing
from archspec_torch.forward.calls import write_call
from archspec_torch.forward.frame import Frame, open_frame
from archspec_torch.forward.function import Function
from archspec_torch.forward.joins import gated_sum, join_code
from archspec_torch.forward.masks import sample_draws, sample_masks
from archspec_torch.forward.ops import write_op
from archspec_torch.forward.signature import return_code
from archspec_torch.forward.steps import Step, segments
from archspec_torch.planning.layout import Layout, Plan


@frozen
class Body:
    """The result: the function, its arguments for draws, the helpers that it uses."""

    function: Function
    draws: Mapping[str, str]
    helpers: frozenset[str]


def write_body(layout: Layout, known: Plan, training: bool) -> Body:
    """Write the statements of a unit in one mode."""
    frame, steps = open_frame(layout, known, training)
    _bind_inputs(frame)
    if layout.root:
        sample_draws(frame)
    sample_masks(frame)
    for condition, part in segments(steps):
        _write_segment(frame, condition, part)
    _write_return(frame)
    layout.names[training] = frame.values.variables.names_of_values
    return Body(frame.function, {} if layout.root else frame.draws, frozenset(frame.helpers))


def _bind_inputs(frame: Frame) -> None:
    for (name, _), item in zip(frame.function.arguments, frame.layout.inputs, strict=True):
        node = item.node(frame.training)
        if node is None:
            continue
        if item.optional:
            reason = ""
            if frame.layout.root:  # TorchScript does not call `check_inputs`, which says the same
                mode = "training" if frame.training else "inference"
                reason = f', "`{name}` is missing: {mode} needs it"'
            frame.function.add(code(f"assert {name} is not None{reason}"))
        assignable = not item.optional and item.name not in frame.layout.optional
        frame.values.variables.bind(Port(node.id), name, assignable=assignable)


def _write_segment(frame: Frame, condition: Condition, steps: Sequence[Step]) -> None:
    """Write steps with the same condition."""
    if condition == ALWAYS:
        for step in steps:
            _write_step(frame, step)
        return
    sizes, least = frame.demand.sizes, frame.demand.least
    flags = any_of_list(condition, sizes, least) if least == 1 else ""
    for step in steps:
        is_list = frame.known.yields_list(frame.layout, step.node)
        same = len(condition) == len(step.node.types)
        frame.values.declare(step, is_list, flags if same else "")
    frame.function.add(code(f"if {condition_text(condition, sizes, least)}:"))
    with frame.values.guarded():
        for step in steps:
            _write_step(frame, step)


def _write_step(frame: Frame, step: Step) -> None:
    node, values = step.node, frame.values
    if step.branch is not None:
        inputs = [values.read(port) for port in node.inputs]
        values.assign(step, call(step.branch.access, *inputs))
    elif node.callee is not None:
        write_call(frame, step)
    elif node.id in frame.demand.masks:
        values.assign(step, join_code(frame, node))
    elif node.id in frame.demand.gates:
        values.variables.alias(Port(node.id), node.inputs[0])
    elif node.id in frame.added:
        values.assign(step, gated_sum(frame, node))
    else:
        write_op(frame, step)


def _write_return(frame: Frame) -> None:
    read = frame.values.variables.text if frame.layout.needs else frame.values.read
    source = _with_a_list(frame) or return_code(frame.layout, frame.training, read)
    frame.function.add(code("return ", source))


def _with_a_list(frame: Frame) -> Code:
    """`[unit] + others` if the last results are all results of one call; else nothing."""
    variables, ports = frame.values.variables, frame.graph.output_ports
    if not frame.layout.needs or not ports:
        return ()
    last = ports[-1].node
    count = len(frame.graph.node(last).types)
    name = variables.list_name(last)
    if (
        not name
        or not frame.demand.least <= count < len(ports)
        or [*ports[-count:]] != ports_of(frame.graph.node(last))
    ):
        return ()
    others = listing([variables.text(port) for port in ports[:-count]])
    return code(others, f" + {name}")
