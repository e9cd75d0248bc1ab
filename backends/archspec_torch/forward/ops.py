"""Ops, written by their lowerings."""

from __future__ import annotations

from dataclasses import replace

from archspec.graph.model import Instance, Port
from archspec_torch.code.names import attribute
from archspec_torch.code.pieces import Call, Code, call, code
from archspec_torch.code.text import flat
from archspec_torch.forward.calls import passed
from archspec_torch.forward.frame import Frame
from archspec_torch.forward.steps import Step
from archspec_torch.planning.origins import Origins


def write_op(frame: Frame, step: Step) -> None:
    """Write an op: an expression, a call of its module, or its own parameter."""
    node, instance = step.node, step.node.instance
    assert instance is not None
    lowered = frame.layout.at(frame.graph, node)
    frame.helpers.update(lowered.helpers)
    function, values = frame.function, frame.values
    function.accessors = _accessors(frame, instance)
    function.passed = {
        region.name: passed(frame, frame.known.of(frame.unit.callee(instance, region)))
        for region in instance.regions
    }
    if lowered.raw:
        values.variables.bind(Port(node.id), function.module())
        return
    precision = values.precision
    exactly = node.id in precision.reading
    inputs = [values.read_exactly(port) if exactly else values.read(port) for port in node.inputs]
    function.exact = exactly or node.id in precision.exact
    if lowered.apply is not None:
        origins, first = Origins(frame.graph, node), len(function.lines)
        source = origins.of(lowered.apply(inputs, function))
        function.lines[first:] = [
            replace(line, code=origins.of(line.code)) for line in function.lines[first:]
        ]
    else:
        source = call(function.module(), *inputs)
    function.exact = False
    if precision.rounds(node):
        source = _rounded(source, function.dtype(node.types[0].dtype))
    converted = not exactly and any(port.node in precision.exact for port in node.inputs)
    if not converted and _is_alias(frame, step, source, inputs):
        values.variables.alias(Port(node.id), node.inputs[inputs.index(flat(source))])
    else:
        values.assign(step, source)


def _rounded(source: Code, dtype: str) -> Code:
    """A result in the type of the module."""
    whole = source if len(source) == 1 and isinstance(source[0], Call) else code("(", source, ")")
    return whole + call(".to", dtype)


def _is_alias(frame: Frame, step: Step, source: Code, inputs: list[str]) -> bool:
    """Whether the result is an input itself and needs a name of its own."""
    same = len(source) == 1 and source[0] in inputs and len(step.node.types) == 1
    declared = frame.values.variables.declared(Port(step.node.id))
    return same and not declared and not step.node.name


def _accessors(frame: Frame, instance: Instance) -> dict[str, str]:
    """Code that reads the module of an instance (""), and the layers of its regions."""
    own = frame.access.get(instance.key, "")
    found = {"": own}
    for region in instance.regions:
        base = own
        for component in region.key.split(".") if region.key else ():
            base = attribute(base, component)
        found[region.name] = base
    return found
