"""The examples of every op, lowered and run: shapes, types, parameters.

`tests/ops/test_values.py` checks the values, and `tests/ops/test_macs.py` the MACs.
"""

import pytest
import torch

from archspec.ops.registry import all_ops
from archspec.types.tensor import DType
from archspec_torch.lowering import lowerings, unsupported
from archspec_torch.module import to_module
from tests.backends.graphs import Builder, compiled, region, tensor

TORCH = {
    DType.F32: torch.float32,
    DType.I64: torch.int64,
    DType.I32: torch.int32,
    DType.BOOL: torch.bool,
    DType.C64: torch.complex64,
}

CASES = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name, op in sorted(all_ops().items())
    if name in lowerings() and not op.transparent
    for number in range(len(op.examples))
]


def yields(types, inputs):
    """A region of constants with outputs of these types."""
    b = Builder("region", "region")
    for number, one in enumerate(inputs):
        b.input(one, f"x{number}")
    ports = []
    for text in types:
        one = tensor(text)
        shape = tuple(size.constant for size in one.shape)
        ports.append(b.op("zeros", (), shape=shape, dtype=one.dtype))
    from archspec.graph.model import GraphOutput

    outputs = [GraphOutput(f"y{number}", (port,)) for number, port in enumerate(ports)]
    return b.build(*outputs)


def network(name, example, key="it"):
    op = all_ops()[name](**example.attributes)
    types = [tensor(text) for text in example.inputs]
    b = Builder("net", "network")
    ports = [b.input(one, f"x{number}") for number, one in enumerate(types)]
    regions = [
        region(item, yields(found, op.region_inputs(item, tuple(types))), "inner")
        for item, found in getattr(example, "regions", {}).items()
    ]
    made = b.op(name, ports, key=key, regions=regions, **example.attributes)
    made = made if isinstance(made, tuple) else (made,)
    graph = b.build(made[0] if len(made) == 1 else made)
    return graph, op, types


def sample(one, limit):
    shape = tuple(size.constant for size in one.shape)
    if one.dtype is DType.F32:
        return torch.randn(shape)
    if one.dtype is DType.BOOL:
        return torch.rand(shape) > 0.5
    if one.dtype is DType.C64:
        return torch.randn(shape, dtype=torch.complex64)
    return torch.randint(1, limit, shape, dtype=TORCH[one.dtype])


def index_limit(op, types):
    """Integers below this are valid indices."""
    if op.name in ("take", "gather", "scatter"):
        return types[0].shape[op.axis].constant
    return getattr(op, "count", 7) if op.name == "embedding" else 7


@pytest.mark.parametrize(("name", "number"), CASES)
def test_example(name, number):
    example = all_ops()[name].examples[number]
    graph, op, types = network(name, example)
    torch.manual_seed(0)
    module = to_module(compiled(graph)).eval()
    inputs = [sample(one, index_limit(op, types)) for one in types]
    with torch.no_grad():
        found = module(*inputs)
    found = found if isinstance(found, tuple) else (found,)
    wanted = graph.output_types
    assert [tuple(one.shape) for one in found] == [
        tuple(size.constant for size in one.shape) for one in wanted
    ]
    assert [one.dtype for one in found] == [TORCH[one.dtype] for one in wanted]
    owned = {
        f"it.{item.name}" if item.name else "it": (item.shape, TORCH[item.dtype], item.persistent)
        for item in op.parameters(*types)
    }
    state = {
        key: (tuple(value.shape), value.dtype, True) for key, value in module.state_dict().items()
    }
    assert state == {key: value for key, value in owned.items() if value[2]}


def test_every_op_is_lowered_or_listed():
    known = (
        set(lowerings()) | set(unsupported()) | {n for n, op in all_ops().items() if op.transparent}
    )
    assert set(all_ops()) - known == set()
    assert set(lowerings()) & set(unsupported()) == set()
    assert all(unsupported().values())
