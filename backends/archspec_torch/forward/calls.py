"""Calls of other blocks: further arguments besides tensors, and the results."""

from __future__ import annotations

from archspec.graph.codegen.conditions import ALWAYS, NEVER, given, only_flag
from archspec.graph.codegen.interface import ports_of
from archspec.graph.model import Node
from archspec.types.dim import Dim
from archspec_torch.code.conditions import condition_text, rest_of_list
from archspec_torch.code.pieces import NOTHING, Code, Hole, call, code, optional_argument
from archspec_torch.forward.frame import Frame
from archspec_torch.forward.signature import returns_differ
from archspec_torch.forward.steps import Step
from archspec_torch.planning.layout import Layout


def write_call(frame: Frame, step: Step) -> None:
    """Write a call of a block."""
    node, instance = step.node, step.node.instance
    assert instance is not None
    callee = frame.known.of(frame.unit.callee(instance))
    given = _inputs(frame, callee, node)
    arguments = [value for name, value in given if name not in callee.optional]
    if callee.needs:
        arguments.append(code(_needs(frame, node)))
    arguments += passed(frame, callee)
    more = [optional_argument(name, dict(given).get(name, NOTHING)) for name in callee.optional]
    source = call(frame.access[instance.key], *arguments, *more)
    if returns_differ(callee):
        _take_results(frame, step, source)
    elif callee.needs:
        frame.values.assign_list(step, source)
        if node.id in frame.demand.lone:
            frame.values.assign_only(step, frame.demand.masks[node.id])
    else:
        frame.values.assign(step, source)


def passed(frame: Frame, callee: Layout) -> list[Code]:
    """Shared draws, sizes that no input determines, and the index of the use."""
    draws = [code(frame.draws[name]) for name in callee.draws]
    sizes = [frame.function.size(Dim.symbol(name)) for name in callee.extra]
    return [*draws, *sizes, *(code(Hole(item.value, item.name)) for item in callee.use_arguments)]


def _inputs(frame: Frame, callee: Layout, node: Node) -> list[tuple[str, Code]]:
    """The tensors with their names; None for inputs that the callee does not have in this mode."""
    ports = iter(node.inputs)
    return [
        (item.name, code(frame.values.read(next(ports)) if item.node(frame.training) else "None"))
        for item in callee.inputs
    ]


def _needs(frame: Frame, node: Node) -> str:
    """The flags for a callee, or a whole mask; outputs that are not read have the flag False."""
    demand = frame.demand
    if node.id in demand.lone:
        return demand.masks[node.id]
    own = demand.nodes[node.id]
    wanted = [demand.ports[port] for port in ports_of(node)]
    conditions = [given(own if item == NEVER else item, own) for item in wanted]
    if demand.least == 1 and len(wanted) == 1:
        conditions = wanted  # at other depths there are several
    flags = [only_flag(condition) for condition in conditions]
    if rest := rest_of_list(flags, demand.sizes, demand.least):
        return rest
    texts = ("True" if item == ALWAYS else condition_text(item) for item in conditions)
    return f"[{', '.join(texts)}]"


def _take_results(frame: Frame, step: Step, source: Code) -> None:
    """Assign a result that is one tensor in one mode and a tuple in the other."""
    function, variables = frame.function, frame.values.variables
    comment = function.comment(step.outputs)
    first, single = step.outputs[0], len(step.outputs) == 1
    if single and not variables.declared(first):
        found = variables.declare(first, optional=False)
    else:
        found = function.names.fresh("found")
    function.add(code(found, " = ", source), comment)
    function.add(code(f"assert isinstance({found}, {'Tensor' if single else 'tuple'})"))
    if not single or variables.text(first) != found:
        frame.values.assign(step, code(found))
