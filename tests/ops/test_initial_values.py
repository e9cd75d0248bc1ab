"""Initial values: the distribution that the op declares for each of its parameters."""

import math

import pytest
import torch

from archspec.ops.registry import all_ops
from archspec.types.initialiser import (
    Constant,
    FanInUniform,
    KaimingNormal,
    KaimingUniform,
    Normal,
    NormOf,
    Ones,
    SingularVectorsOf,
    TruncatedNormal,
    XavierUniform,
    Zeros,
)
from archspec_torch.module import to_module
from tests.backends.graphs import Builder, compiled

CASES = [
    pytest.param(op, example, id=f"{op.name}-{number}")
    for op in all_ops().values()
    for number, example in enumerate(op.examples)
    if not op.regions and op(**example.attributes).parameters(*example.input_types)
]
GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "selu": 0.75, "relu": math.sqrt(2)}


def kaiming(one, shape):
    """Standard deviation (He et al. 2015)."""
    area = math.prod(shape[2:])
    fan = (shape[1] if one.mode == "fan_in" else shape[0]) * area
    gain = GAINS.get(one.nonlinearity, math.sqrt(2 / (1 + one.slope**2)))
    return gain / math.sqrt(fan)


def law(one, shape):
    """Minimum, maximum, mean and standard deviation; None if there is none."""
    if one is None or isinstance(one, Zeros):
        return 0, 0, 0, 0
    if isinstance(one, Ones | Constant):
        value = getattr(one, "value", 1)
        return value, value, value, 0
    if isinstance(one, Normal | KaimingNormal):
        std = one.std if isinstance(one, Normal) else kaiming(one, shape)
        return None, None, getattr(one, "mean", 0), std
    if isinstance(one, TruncatedNormal):
        assert one.high > 3 * one.std, "cut where it is seen"
        return one.low, one.high, one.mean, one.std
    if isinstance(one, KaimingUniform):
        bound = kaiming(one, shape) * math.sqrt(3)
    elif isinstance(one, FanInUniform):
        bound = 1 / math.sqrt(one.fan)
    else:
        assert isinstance(one, XavierUniform)
        area = math.prod(shape[2:])
        bound = one.gain * math.sqrt(6 / ((shape[0] + shape[1]) * area))
    return -bound, bound, 0, bound / math.sqrt(3)


def first_values(op, example, key):
    """Values of a parameter in many modules, so that there are enough for statistics."""
    builder = Builder("net", "network")
    ports = [builder.input(one, f"x{at}") for at, one in enumerate(example.input_types)]
    made = builder.op(op.name, ports, key="it", **example.attributes)
    graph = builder.build(made)
    states = [to_module(compiled(graph), seed=seed).state_dict() for seed in range(3)]
    return torch.stack([state[key].double() for state in states]), states[0]


@pytest.mark.parametrize(("op", "example"), CASES)
def test_initial_values_follow_the_documented_distribution(op, example):
    for one in op(**example.attributes).parameters(*example.input_types):
        key = f"it.{one.name}".rstrip(".")
        values, state = first_values(op, example, key)
        if isinstance(one.initialiser, SingularVectorsOf):
            prefix = key.removesuffix("_u")
            weight = state[f"it.{one.initialiser.of}"]
            matrix = weight.movedim(weight.shape.index(len(state[key])), 0).flatten(1)
            found = state[key] @ matrix @ state[f"{prefix}_v"]
            assert 0.97 < found / torch.linalg.matrix_norm(matrix, 2) < 1.0001
            continue
        if key.endswith("._v"):
            continue
        if isinstance(one.initialiser, NormOf):
            v = state[f"it.{one.initialiser.of}"]
            torch.testing.assert_close(state[key].flatten(), v.flatten(1).norm(dim=1))
            continue
        low, high, mean, std = law(one.initialiser, one.shape)
        if std == 0:
            assert (values == torch.tensor(mean, dtype=torch.float32)).all(), key
            continue
        assert low is None or (values >= low).all(), key
        assert high is None or (values <= high).all(), key
        count = values.numel()
        assert abs(values.mean() - mean) < 4 * std / math.sqrt(count), key
        assert abs(values.std() / std - 1) < 4 / math.sqrt(2 * count), key


@pytest.mark.parametrize("op", list(all_ops().values()), ids=lambda op: op.name)
def test_init_attributes_set_initial_values(op):
    for field in op.model_fields:
        if not field.endswith("_init"):
            continue
        name, given = field.removesuffix("_init"), Constant(value=2.5)
        example = op.examples[0]
        made = op(**example.attributes, **{field: given})
        found = {one.name: one.initialiser for one in made.parameters(*example.input_types)}
        if name in found:
            assert found[name] == given
            others = {key: one for key, one in found.items() if key != name}
            plain = op(**example.attributes).parameters(*example.input_types)
            assert others == {one.name: one.initialiser for one in plain if one.name != name}
        else:
            assert not getattr(made, "affine", True), f"{field} is the initial value of nothing"
