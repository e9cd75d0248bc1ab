import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from archspec.ops import activation, shaped_activation
from archspec.ops.base import Check, Op, OpError
from archspec.ops.random import Bernoulli, ChannelDropout, Dropout, DropPath, Join
from archspec.ops.shaped_activation import Glu, Prelu, Softmax
from archspec.types.dim import Dim
from archspec.types.tensor import DType
from tests.ops.agreement import happens, inferred, symbolic, table

ACTIVATIONS = [
    kind
    for module in (activation, shaped_activation)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Op) and kind.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.name)
def test_activations_keep_the_type_and_take_floats_only(kind):
    x = symbolic("B", 3, "H")
    if kind is not Glu:
        assert kind().infer(Check(), x) == x
    for dtype in (DType.I64, DType.BOOL, DType.C64):
        with pytest.raises(OpError, match=kind.name):
            kind().infer(Check(), symbolic("B", 3, "H", dtype=dtype))


@given(st.integers(1, 9))
def test_glu_halves_as_torch_does(size):
    theirs = happens(lambda: torch.nn.functional.glu(torch.zeros(2, size, 3), dim=1))
    assert inferred(Glu(axis=1), (symbolic("B", "C", 3),), {"B": 2, "C": size}) == theirs
    assert Glu().infer(Check(), symbolic("B", "C")).shape[1] == Dim.symbol("C") // 2


def test_prelu_has_one_weight_or_one_per_channel():
    x = symbolic("B", 8, "H")
    assert table(Prelu(), x) == {"weight": (1,)}
    assert table(Prelu(weights=8), x) == {"weight": (8,)}
    with pytest.raises(OpError, match="8 channels"):
        Prelu(weights=4).infer(Check(), x)


@pytest.mark.parametrize("axis", [2, -3])
def test_axes_must_exist(axis):
    with pytest.raises(OpError) as error:
        Softmax(axis=axis).infer(Check(), symbolic("B", 3))
    assert error.value.attribute == "axis"


def test_join_takes_inputs_of_one_type():
    x, y = symbolic("B", 8, "H"), symbolic("B", 8, "W")
    assert Join().infer(Check(), x, x, x) == x
    assert inferred(Join(), (x, y), {"B": 1, "H": 4, "W": 4}) == (1, 8, 4)
    assert inferred(Join(), (x, y), {"B": 1, "H": 4, "W": 1}) is None
    with pytest.raises(OpError, match="equal dims") as error:
        Join().infer(Check(), x, x, symbolic("B", 1, "H"))
    assert error.value.input == 2
    with pytest.raises(OpError, match="rank"):
        Join().infer(Check(), x, symbolic("B", 8))


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        (Dropout, {"p": 1.5}),
        (DropPath, {"mode": "all"}),
        (Join, {"drop": 1.0}),
        (Dropout, {"p": -1}),
    ],
)
def test_attributes_have_domains(kind, attributes):
    with pytest.raises(ValidationError):
        kind(**attributes)


def test_dropout_keeps_the_type():
    x = symbolic("B", 8, "H")
    for op in (Dropout(p=0.1), ChannelDropout(), DropPath(p=0.3, mode="batch"), Bernoulli()):
        assert op.infer(Check(), x) == x
    with pytest.raises(OpError, match="channel_dropout"):
        ChannelDropout().infer(Check(), symbolic("C"))
