"""Every op on an empty axis: PyTorch runs what the op accepts."""

import pytest
import torch

from archspec.analysis.sizes import accepts
from archspec.graph.model import Requirement
from archspec.ops.base import Check, OpError
from archspec.ops.registry import all_ops
from archspec.types.condition import at_least
from archspec.types.dim import Dim, dim
from archspec_torch.lowering import lowerings
from archspec_torch.module import to_module
from tests.backends.graphs import Builder, compiled, tensor
from tests.backends.test_conformance import sample
from tests.unchecked import unchecked

P = Dim.symbol("P")


def emptied(types, index, axis):
    """The types with one free axis, in all inputs where this axis has the same size."""
    first = types[index]
    if axis >= first.rank or first.shape[axis].constant is None:
        return None
    return tuple(
        one.with_shape(*one.shape[:axis], P, *one.shape[axis + 1 :])
        if axis < one.rank and one.shape[axis] == first.shape[axis]
        else one
        for one in types
    )


BY_VALUE = {"embedding", "one_hot"}
"""Whether these run depends on the values of their indices."""

STRICTER = {
    "adaptive_avg_pool",
    "global_max_pool",
    "rfft",
    "irfft",
    "irfft2",
    "instance_norm",
    "group_norm",
}
"""PyTorch, or some versions of it, runs some forms of these on empty tensors and rejects others."""

CASES = [
    pytest.param(name, number, index, axis, id=f"{name}-{number}-{index}-{axis}")
    for name, op in sorted(all_ops().items())
    if name in lowerings() and not op.transparent and not op.regions
    if name not in BY_VALUE
    for number, example in enumerate(op.examples[:4])
    for index, text in enumerate(example.inputs)
    for axis in range(tensor(text).rank)
]


@pytest.mark.parametrize(("name", "number", "index", "axis"), CASES)
def test_an_empty_axis(name, number, index, axis):
    example = all_ops()[name].examples[number]
    op = all_ops()[name](**example.attributes)
    types = emptied([tensor(text) for text in example.inputs], index, axis)
    if types is None:
        pytest.skip("this axis has no size of its own")
    check = Check()
    try:
        op.infer(check, *types)
        op.parameters(*types)
    except OpError:
        return  # the axis cannot be free
    b = Builder("net", "network")
    ports = [b.input(one, f"x{index}") for index, one in enumerate(types)]
    made = b.op(name, ports, key="it", **example.attributes)
    made = made if isinstance(made, tuple) else (made,)
    needs = tuple(
        Requirement(need.condition, need.reason, b.nodes[-1].origin)
        for need in check.needs
        if not need.training_only
    )
    graph = b.build(made[0] if len(made) == 1 else made, requirements=needs)
    network = compiled(graph)
    object.__setattr__(network, "where", at_least(P, 0))
    module = unchecked(to_module(network).eval())
    sizes = {"P": 0}
    inputs = [
        sample(one.with_shape(*(dim(size.evaluate(sizes)) for size in one.shape)), 2)
        for one in types
    ]
    shapes = ran(module, inputs)
    wanted = [tuple(size.evaluate(sizes) for size in one.shape) for one in graph.output_types]
    if accepts(network, sizes) or name not in STRICTER:
        assert accepts(network, sizes) == (shapes == wanted), (shapes, wanted)


def ran(module, inputs):
    """The shapes of the results; None if it raises."""
    with torch.no_grad():
        try:
            found = module(*inputs)
        except (RuntimeError, ValueError, IndexError):
            return None
    return [tuple(one.shape) for one in (found if isinstance(found, tuple) else (found,))]
