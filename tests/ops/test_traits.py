"""Properties that ops declare hold for their values."""

import numpy as np
import pytest
import torch

from archspec.ops.channels import Calculation, Function, Number, Owned
from archspec.ops.registry import all_ops
from archspec.types.tensor import DType
from archspec_torch.lowering import lowerings
from tests.backends.values import unsettled
from tests.ops.values import module_of

CASES = [
    pytest.param(name, example, id=f"{name}-{index}")
    for name, op in sorted(all_ops().items())
    for index, example in enumerate(op.examples)
    if not op.regions and name in lowerings() and not op.transparent
]
FUNCTIONS = {
    Function.ADD: np.add,
    Function.SUBTRACT: np.subtract,
    Function.MULTIPLY: np.multiply,
    Function.DIVIDE: np.divide,
    Function.NEGATIVE: np.negative,
    Function.SQRT: np.sqrt,
    Function.RSQRT: lambda x: 1 / np.sqrt(x),
    Function.EXP: np.exp,
}


def examples_where(question):
    """The examples of ops that declare this property."""
    found = []
    for case in CASES:
        name, example = case.values
        if question(all_ops()[name](**example.attributes), example.input_types):
            found.append(case)
    return pytest.mark.parametrize(("name", "example"), found)


def arrays(example, seed=0):
    random = np.random.default_rng(seed)
    for kind in example.input_types:
        shape = tuple(size.constant for size in kind.shape)
        if kind.dtype is DType.F32:
            yield np.asarray(3 * random.standard_normal(shape))
        elif kind.dtype is DType.BOOL:
            yield random.random(shape) < 0.5
        else:
            yield random.integers(1, 4, shape)


def applied(module, *inputs):
    with torch.no_grad():
        return module(*map(torch.as_tensor, inputs)).numpy()


def numbers(expression, owned):
    match expression:
        case Number(value):
            return np.full(1, value)
        case Owned(name):
            return owned[f"it.{name}"].numpy().reshape(-1)
        case Calculation(function, arguments):
            return FUNCTIONS[function](*(numbers(one, owned) for one in arguments))


@examples_where(lambda op, types: len(types) == 1 and op.affine_per_channel(*types) is not None)
def test_affine_per_channel_is_right(name, example):
    (x,) = arrays(example)
    module = unsettled(module_of(name, [x], example.attributes))
    found = all_ops()[name](**example.attributes).affine_per_channel(*example.input_types)
    places = [1] * x.ndim
    if found.axis is not None:
        places[found.axis] = -1
    scale = 1.0 if found.scale is None else numbers(found.scale, module.state_dict())
    shift = 0.0 if found.shift is None else numbers(found.shift, module.state_dict())
    wanted = x * np.reshape(scale, np.ones_like(places) if np.size(scale) == 1 else places)
    wanted = wanted + np.reshape(shift, np.ones_like(places) if np.size(shift) == 1 else places)
    np.testing.assert_allclose(applied(module, x), wanted, rtol=1e-12, atol=1e-12)


@examples_where(lambda op, types: len(types) == 1 and op.linear_layer(*types) is not None)
def test_linear_trait_is_right(name, example):
    (x,), (y,) = arrays(example), arrays(example, seed=1)
    op = all_ops()[name](**example.attributes)
    layer, module = op.linear_layer(*example.input_types), module_of(name, [x], example.attributes)
    module = unsettled(module)
    at_zero, at_x = applied(module, 0 * x), applied(module, x)
    together = applied(module, x + y) - at_zero
    apart = at_x - at_zero + applied(module, y) - at_zero
    np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-9)
    assert at_x.shape[layer.outputs] == layer.width
    state = module.state_dict()
    assert (f"it.{layer.bias}" in state) == layer.biased
    weight = state[f"it.{layer.weight}"]
    rows = weight.transpose(0, 1) if layer.transposed else weight
    assert rows.shape[0] == (layer.width // layer.groups if layer.transposed else layer.width)
    assert rows.shape[1] * (1 if layer.transposed else layer.groups) == x.shape[layer.inputs]
    rows[0] = 0  # the outputs of these weights, in the first group or in each
    changed = np.moveaxis(applied(module, x) - at_x, layer.outputs, 0)
    moved = np.flatnonzero(np.abs(changed).reshape(layer.width, -1).sum(1))
    own = range(0, layer.width, layer.width // layer.groups) if layer.transposed else [0]
    assert [*moved] == [*own]


@examples_where(lambda op, types: op.linear_layer(*types) is not None if len(types) == 1 else False)
def test_a_linear_layer_without_a_bias_can_be_given_one(name, example):
    op = all_ops()[name](**example.attributes)
    with_bias = op.with_bias()
    own = [one.name for one in with_bias.parameters(*example.input_types)]
    layer = with_bias.linear_layer(*example.input_types)
    assert layer.biased
    assert layer.bias in own
    assert {one.name for one in op.parameters(*example.input_types)} | {layer.bias} == {*own}


@examples_where(lambda op, types: op.idempotent)
def test_idempotent_ops_are_idempotent(name, example):
    (x,) = arrays(example)
    module = module_of(name, [x], example.attributes)
    once = applied(module, x)
    again = applied(module_of(name, [once], example.attributes), once)
    np.testing.assert_array_equal(again, once)


@examples_where(lambda op, types: op.shape_only)
def test_values_of_shape_only_inputs_do_not_matter(name, example):
    one, other = [*arrays(example)], [*arrays(example, seed=1)]
    module = module_of(name, one, example.attributes)
    for place in all_ops()[name](**example.attributes).shape_only:
        assert not np.array_equal(one[place], other[place])
        changed = [*one[:place], other[place], *one[place + 1 :]]
        np.testing.assert_array_equal(applied(module, *changed), applied(module, *one))


@pytest.mark.parametrize(("name", "example"), CASES)
def test_only_stochastic_ops_are_random_in_training(name, example):
    op = all_ops()[name](**example.attributes)
    if any(kind.dtype is DType.C64 for kind in example.input_types):
        return
    inputs = [*arrays(example)]
    module = module_of(name, inputs, example.attributes).train()
    buffers = {key: value.clone() for key, value in module.state_dict().items()}
    found = []
    for seed in range(20):
        torch.manual_seed(seed)
        module.load_state_dict(buffers)
        with torch.no_grad():
            made = module(*map(torch.from_numpy, inputs))
        made = made if isinstance(made, tuple) else (made,)
        found.append([one.detach().numpy().copy() for one in made])
    same = all(
        np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        for made in found[1:]
        for one, other in zip(found[0], made, strict=True)
    )
    assert same != op.stochastic
