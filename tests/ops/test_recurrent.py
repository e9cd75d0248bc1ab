import pytest
import torch
from torch import nn

from archspec.ops.base import Check, OpError
from archspec.ops.embedding import Embedding
from archspec.ops.recurrent import Gru, GruCell, Lstm, LstmCell
from archspec.types.tensor import DType
from tests.ops.agreement import state, symbolic, table


@pytest.mark.parametrize(("kind", "torch_kind"), [(Lstm, nn.LSTM), (Gru, nn.GRU)])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_layers_agree_with_torch(kind, torch_kind, layers, bidirectional, bias):
    op = kind(hidden=6, layers=layers, bidirectional=bidirectional, bias=bias)
    module = torch_kind(
        8, 6, layers, bias=bias, bidirectional=bidirectional, batch_first=True, device="meta"
    )
    x = symbolic(2, 5, 8)
    y, last = module(torch.zeros(2, 5, 8, device="meta"))
    theirs = [y, *(last if isinstance(last, tuple) else [last])]
    assert op.infer(Check(), x) == tuple(symbolic(*tensor.shape) for tensor in theirs)
    assert table(op, x) == state(module)
    first = op.infer(Check(), x)[1:]
    assert op.infer(Check(), x, *first) == op.infer(Check(), x)


@pytest.mark.parametrize(("kind", "torch_kind"), [(LstmCell, nn.LSTMCell), (GruCell, nn.GRUCell)])
@pytest.mark.parametrize("bias", [True, False])
def test_cells_have_the_parameters_of_torch(kind, torch_kind, bias):
    x = symbolic("B", 8)
    assert table(kind(hidden=6, bias=bias), x) == state(torch_kind(8, 6, bias=bias))


def test_macs_are_the_products_of_all_gates():
    x, op = symbolic("B", "T", 8), Lstm(hidden=6, layers=2, bidirectional=True)
    weights = sum(a * b for name, (a, b, *_) in weights_of(op, x).items())
    assert op.macs((x,), op.infer(Check(), x)).evaluate({"B": 2, "T": 5}) == 10 * weights
    cell, y = GruCell(hidden=6), symbolic(3, 8)
    assert cell.macs((y,), (cell.infer(Check(), y),)) == 3 * 18 * (8 + 6)


def weights_of(op, x):
    return {name: shape for name, shape in table(op, x).items() if name.startswith("weight")}


def test_mismatched_states_are_refused():
    x, h = symbolic("B", 8), symbolic("B", 6)
    assert LstmCell(hidden=6).infer(Check(), x, h, h) == (h, h)
    with pytest.raises(OpError, match="two inputs"):
        LstmCell(hidden=6).infer(Check(), x, h)
    with pytest.raises(OpError, match="equal dims"):
        GruCell(hidden=6).infer(Check(), x, symbolic("B", 7))
    with pytest.raises(OpError, match="states of"):
        Gru(hidden=6).infer(Check(), symbolic("B", "T", 8), h)


def test_embedding():
    op = Embedding(count=20, width=8)
    ids = symbolic("B", "T", dtype=DType.I64)
    assert op.infer(Check(), ids) == symbolic("B", "T", 8)
    assert table(op, ids) == state(nn.Embedding(20, 8))
    with pytest.raises(OpError) as error:
        op.infer(Check(), symbolic("B", "T"))
    assert "linear" in error.value.fix
    with pytest.raises(OpError, match="but `padding_index` is 20"):
        Embedding(count=20, width=8, padding_index=20).infer(Check(), ids)
