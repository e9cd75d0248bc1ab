import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archspec.ops.base import Check, OpError
from archspec.ops.linear import Affine, Linear, RoutedAffine
from archspec.types.condition import evaluate
from archspec.types.initialiser import FanInUniform
from archspec.types.tensor import DType
from tests.ops.agreement import inferred, state, symbolic, table


@pytest.mark.parametrize("shape", [(8,), (2, 8), (2, 5, 8), (2, 3, 4, 8)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_agrees_with_torch(shape, bias):
    op, x = Linear(width=10, bias=bias), symbolic(*shape)
    module = nn.Linear(8, 10, bias=bias, device="meta")
    with FlopCounterMode(display=False) as counter:
        out = module(torch.zeros(shape, device="meta"))
    assert inferred(op, (x,), {}) == tuple(out.shape)
    assert table(op, x) == state(module)
    if len(shape) > 1:  # the counter does not count the product with a vector
        assert 2 * op.macs((x,), (op.infer(Check(), x),)).constant == counter.get_total_flops()


def test_bias_starts_within_the_fan_in():
    assert Linear(width=10).parameters(symbolic(2, 8))[1].initialiser == FanInUniform(fan=8)


def test_weight_norm_splits_the_weight():
    shapes = table(Linear(width=10, parametrization="weight_norm"), symbolic(2, 8))
    assert shapes == {"weight_g": (10, 1), "weight_v": (10, 8), "bias": (10,)}


def test_free_last_axis_suggests_fixing_or_pooling():
    x = symbolic("B", "H", "W")
    flat = x.with_shape(x.shape[0], 64 * x.shape[1] * x.shape[2])
    with pytest.raises(OpError, match=r"depends on `H` and `W`") as error:
        Linear(width=10).infer(Check(), flat)
    assert error.value.code == "E0403"
    assert "`H` and `W` a fixed size" in error.value.fix
    assert "global_avg_pool" in error.value.fix


def test_indices_suggest_an_embedding():
    with pytest.raises(OpError) as error:
        Linear(width=4).infer(Check(), symbolic("B", "T", dtype=DType.I64))
    assert "embedding" in error.value.fix


def test_affine_agrees_with_functional_linear():
    x, weight, bias = symbolic("B", "N", 8), symbolic("M", 8), symbolic("M")
    out = Affine().infer(Check(), x, weight, bias)
    assert out == symbolic("B", "N", "M")
    sizes = {"B": 2, "N": 3, "M": 5}
    with FlopCounterMode(display=False) as counter:
        nn.functional.linear(*(torch.zeros(s, device="meta") for s in ((2, 3, 8), (5, 8), (5,))))
    macs = Affine().macs((x, weight, bias), (out,)).evaluate(sizes)
    assert 2 * macs == counter.get_total_flops()


@pytest.mark.parametrize(
    "shapes", [((2, 8), (5, 7)), ((2, 8), (8,)), ((2, 8), (5, 8), (4,)), ((), (5, 8))]
)
def test_affine_refuses_what_torch_refuses(shapes):
    assert inferred(Affine(), tuple(symbolic(*shape) for shape in shapes), {}) is None


ROWS, ROUTE = symbolic("B", "N", 8), symbolic("B", "N", dtype=DType.I64)
MAPS = symbolic(9, 10, 8)


def test_routed_rows_keep_their_places():
    check = Check()
    assert RoutedAffine().infer(check, ROWS, ROUTE, MAPS) == symbolic("B", "N", 10)
    assert not check.needs
    macs = RoutedAffine().macs((ROWS, ROUTE, MAPS), (symbolic("B", "N", 10),))
    assert macs.evaluate({"B": 2, "N": 3}) == 2 * 3 * 8 * 10  # for any number of maps


@pytest.mark.parametrize(
    ("inputs", "message", "at"),
    [
        ((ROWS, symbolic("B", "N"), MAPS), "i64", 1),
        ((ROWS, symbolic("B", dtype=DType.I64), MAPS), "a route for each row", 1),
        ((symbolic(2, 8), symbolic(3, dtype=DType.I64), MAPS), "equal dims", 1),
        ((ROWS, ROUTE, symbolic(10, 8)), "weight of rank 3", 2),
        ((ROWS, ROUTE, MAPS, symbolic(10)), "bias of rank 2", 3),
        ((ROWS, ROUTE, MAPS, symbolic(9, 8)), "equal dims", 3),
    ],
)
def test_rows_that_cannot_be_routed_are_refused(inputs, message, at):
    with pytest.raises(OpError, match=message) as error:
        RoutedAffine().infer(Check(), *inputs)
    assert error.value.input == at


def test_maps_take_the_features_of_the_rows():
    check = Check()
    RoutedAffine().infer(check, ROWS, ROUTE, symbolic(9, 10, "F"))
    assert evaluate(check.needs[0].condition, {"F": 8})
    assert not evaluate(check.needs[0].condition, {"F": 7})
