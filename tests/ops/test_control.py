import pytest
from pydantic import ValidationError

from archspec.ops.base import Check, OpError
from archspec.ops.control import Gated, Iterate, Scan
from archspec.types.condition import evaluate
from archspec.types.dim import Dim
from archspec.types.tensor import DType
from tests.ops.agreement import symbolic

X, OUT = symbolic("B", 8), symbolic("B", 4)
GATE = symbolic("B", dtype=DType.BOOL)
TOKENS = symbolic("B", "T", dtype=DType.I64)


def test_a_gate_chooses_between_results_of_one_type():
    op = Gated()
    assert op.region_inputs("layer", (GATE, X, OUT)) == (X,)
    for gate in (GATE, symbolic(dtype=DType.BOOL)):
        assert op.infer_regions(Check(), (gate, X, OUT), {"layer": (OUT,)}) == OUT
    assert op.region_runs("layer", (GATE, X, OUT)) is None


@pytest.mark.parametrize(
    ("gate", "otherwise", "found"),
    [
        (symbolic("B"), OUT, (OUT,)),
        (GATE, X, (OUT,)),
        (GATE, OUT, (OUT, OUT)),
        (GATE, OUT, ()),
        (symbolic("B", 3, dtype=DType.BOOL), OUT, (OUT,)),
        (symbolic("B", 4, 1, dtype=DType.BOOL), OUT, (OUT,)),
        (GATE, symbolic("B", 4, dtype=DType.I64), (OUT,)),
    ],
)
def test_invalid_gate_is_refused(gate, otherwise, found):
    with pytest.raises(OpError, match="gated"):
        Gated().infer_regions(Check(), (gate, X, otherwise), {"layer": found})


def test_gate_requires_its_size():
    check = Check()
    gate = symbolic("C", dtype=DType.BOOL)
    Gated().infer_regions(check, (gate, X, OUT), {"layer": (OUT,)})
    (need,) = check.needs
    assert evaluate(need.condition, {"B": 2, "C": 2})
    assert not evaluate(need.condition, {"B": 2, "C": 1})


def test_iterate_stacks_outputs_and_passes_state_on():
    op = Iterate(steps=5)
    token = symbolic("B", dtype=DType.I64)
    inputs = (token, X)
    assert op.region_inputs("layer", inputs) == inputs
    found = op.infer_regions(Check(), inputs, {"layer": (OUT, token, X)})
    assert found == (symbolic("B", 5, 4), token, X)
    assert op.region_runs("layer", inputs) == 5
    assert op.infer_regions(Check(), inputs, {"layer": inputs}) == inputs


def test_the_number_of_steps_may_be_free():
    steps = Dim.symbol("T") - 2
    op, check = Iterate(steps=steps, axis=0), Check()
    assert op.infer_regions(check, (X,), {"layer": (OUT, X)}) == (
        OUT.with_shape(steps, *OUT.shape),
        X,
    )
    assert op.region_runs("layer", (X,)) == steps
    assert [evaluate(need.condition, {"T": 3}) for need in check.needs] == [True]
    assert [evaluate(need.condition, {"T": 2}) for need in check.needs] == [False]
    check = Check()  # no step has outputs, so no step need be run
    assert op.infer_regions(check, (X,), {"layer": (X,)}) == (X,)
    assert [evaluate(need.condition, {"T": 2}) for need in check.needs] == [True]
    assert [evaluate(need.condition, {"T": 1}) for need in check.needs] == [False]
    with pytest.raises(OpError, match="one type"):  # the state grows in each step
        op.infer_regions(Check(), (X,), {"layer": (symbolic("B", 9),)})
    with pytest.raises(ValidationError):
        Iterate(steps=0)


def test_scan_removes_and_restores_the_axis():
    op = Scan(axis=1)
    inputs = (TOKENS, X)
    assert op.region_inputs("layer", inputs) == (symbolic("B", dtype=DType.I64), X)
    assert op.infer_regions(Check(), inputs, {"layer": (OUT, X)}) == (symbolic("B", "T", 4), X)
    assert op.region_runs("layer", inputs) == Dim.symbol("T")


def test_sequences_are_equally_long():
    op = Scan(axis=1, sequences=2)
    inputs = (TOKENS, symbolic("B", "S", 3), X)
    assert op.region_inputs("layer", inputs)[1] == symbolic("B", 3)
    check = Check()
    op.infer_regions(check, inputs, {"layer": (X,)})
    holds = [evaluate(n.condition, {"T": 3, "S": 4, "B": 1}) for n in check.needs]
    assert not all(holds)
    with pytest.raises(OpError, match="equal dims"):
        op.infer_regions(Check(), (symbolic(2, 4), symbolic(2, 5), X), {"layer": (X,)})


@pytest.mark.parametrize(
    ("op", "found"),
    [
        (Scan(), ()),
        (Scan(), (OUT,)),
        (Scan(), (OUT, symbolic("B", 8, dtype=DType.I64))),
        (Scan(sequences=3), (OUT, X)),
        (Scan(axis=2), (OUT, X)),
        (Iterate(steps=2, axis=3), (OUT, TOKENS, X)),
        (Iterate(steps=2), (X,)),
        (Iterate(steps=2), (TOKENS, OUT)),
    ],
)
def test_layer_that_does_not_return_its_state_is_refused(op, found):
    with pytest.raises(OpError, match=op.name):
        op.infer_regions(Check(), (TOKENS, X), {"layer": found})
