"""Deformable convolution compared with torchvision's, and its valid arguments."""

import numpy as np
import pytest
import torch

from archspec.ops.base import Check, OpError
from archspec.ops.convolution import Conv
from archspec.ops.deformable_convolution import DeformConv
from archspec.types.condition import evaluate
from archspec.types.dim import dim
from tests.ops.agreement import symbolic, table
from tests.ops.values import module_of, values

CASES = [
    {"kernel": 3},
    {"kernel": (3, 2), "stride": (2, 1), "padding": (1, 0)},
    {"kernel": 3, "stride": 2, "dilation": 2, "groups": 2},
    {"kernel": (1, 3), "groups": 3, "bias": False},
    {"kernel": 2, "padding": 2, "dilation": (1, 3)},
]


def arrays(case, parts, masked):
    """x, offset and optionally mask for 6 channels in `parts` groups, then weight and bias."""
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 6, 7, 9))
    op = DeformConv(width=6, **case)
    taps = op.taps
    _, _, *sizes = Conv(width=6, **case).infer(Check(), symbolic(2, 6, 7, 9)).shape
    sizes = [size.constant for size in sizes]
    inputs = [x, random.normal(scale=2, size=(2, 2 * parts * taps, *sizes))]
    if masked:
        inputs.append(random.uniform(size=(2, parts * taps, *sizes)))
    shapes = table(op, symbolic(2, 6, 7, 9))
    return inputs, {name: random.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("parts", [1, 2, 6])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients_of_torchvision(case, parts, masked):
    ops = pytest.importorskip("torchvision.ops")
    inputs, weights = arrays(case, parts, masked)
    ours = module_of("deform_conv", inputs, {"width": 6, **case})
    settings = dict(case)
    kernel = settings.pop("kernel")
    slides = DeformConv(width=6, **case).slides()
    settings["padding"] = tuple(slide.before for slide in slides)
    theirs = ops.DeformConv2d(6, 6, kernel, **settings).double()
    state = {name: torch.from_numpy(value) for name, value in weights.items()}
    ours.it.load_state_dict(state)
    theirs.load_state_dict(state)
    gradients = []
    for module in (ours, theirs):
        given = [torch.from_numpy(one).requires_grad_() for one in inputs]
        result = module(*given)
        result.sin().sum().backward()
        gradients.append(
            [
                result,
                *(one.grad for one in given),
                module.get_parameter("it.weight" if module is ours else "weight").grad,
            ]
        )
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)


def test_zero_offsets_give_a_convolution():
    inputs, weights = arrays(CASES[2], 1, masked=False)
    inputs[1][:] = 0
    (found,) = values("deform_conv", inputs, weights, width=6, **CASES[2])
    (plain,) = values("conv", inputs[:1], weights, width=6, **CASES[2])
    np.testing.assert_allclose(found, plain, atol=1e-12)
    x = symbolic("B", 6, "H", "W")
    assert table(DeformConv(width=6, **CASES[2]), x) == table(Conv(width=6, **CASES[2]), x)


def test_sizes_are_those_of_a_convolution():
    x, op = symbolic("B", 6, "H", "W"), DeformConv(width=4, kernel=3, stride=2)
    y = Conv(width=4, kernel=3, stride=2).infer(Check(), x)
    offset = y.with_shape(y.shape[0], dim(18), *y.shape[2:])
    check = Check()
    assert op.infer(check, x, offset) == y
    check = Check()
    op.infer(check, x, symbolic("B", 18, "h", "w"))
    sizes = {"B": 1, "H": 8, "W": 9, "h": 4}
    assert all(evaluate(need.condition, {**sizes, "w": 5}) for need in check.needs)
    assert not all(evaluate(need.condition, {**sizes, "w": 4}) for need in check.needs)


X, OFFSET, MASK = symbolic("B", 6, 7, 9), symbolic("B", 18, 7, 9), symbolic("B", 9, 7, 9)


@pytest.mark.parametrize(
    ("attributes", "inputs", "message", "at"),
    [
        ({}, (symbolic("B", 6, 7), OFFSET), "takes \\[B, C, H, W\\]", 0),
        ({}, (X, symbolic("B", 17, 7, 9)), "18 offsets for each group", 1),
        ({}, (X, symbolic("B", 72, 7, 9)), "divide the 6 input channels", 1),
        ({}, (X, symbolic("B", 9, 7, 9)), "18 offsets", 1),
        ({}, (X, symbolic("B", 18, 7)), "rank 4", 1),
        ({}, (X, symbolic("B", 18, 7, 8)), "equal dims", 1),
        ({}, (X, symbolic("B", "C", 7, 9)), "fixed number of offsets", 1),
        ({}, (X, OFFSET, symbolic("B", 18, 7, 9)), "a mask for each displaced tap", 2),
        ({}, (X, OFFSET, symbolic("B", 9, 7, 8)), "equal dims", 2),
        ({"groups": 4}, (X, OFFSET, MASK), "divisible by `groups`", None),
    ],
)
def test_mismatched_inputs_are_refused(attributes, inputs, message, at):
    with pytest.raises(OpError, match=message) as error:
        DeformConv(width=4, kernel=3, **attributes).infer(Check(), *inputs)
    assert error.value.input == at


def test_offsets_are_unbounded():
    assert DeformConv(width=4, kernel=3).receptive_field((X, OFFSET)) == "all"
