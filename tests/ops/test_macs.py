"""Multiply-accumulates of every op, in all cases of its reference, against those executed."""

import pytest
from torch.utils.flop_counter import FlopCounterMode

from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from tests.ops.formulas.judge import bench
from tests.ops.formulas.recurrent import Counted
from tests.ops.formulas.table import cases_of, references

NAMES = sorted(references())
STEPS = [name for name in NAMES if all_ops()[name].category == "recurrent"]


def stated(use):
    return use.op.macs(use.case.types, use.types).constant


@pytest.mark.parametrize("name", STEPS)
def test_recurrent_layers_count_the_products_of_their_equations(name):
    """PyTorch's counter does not support them; the reference counts its multiplications."""
    held = references()[name]
    for case in cases_of(name):
        use = bench(name, (case,)).uses[0]
        before = Counted.macs
        use.run(held.run)
        assert stated(use) == Counted.macs - before > 0, use


@pytest.mark.parametrize("name", [name for name in NAMES if name not in STEPS])
def test_macs_of_other_ops_agree_with_torch(name):
    """For ops with layer arguments only what they compute themselves, which is nothing."""
    for case in cases_of(name):
        if case.regions:
            assert stated(bench(name, (case,)).uses[0]) == 0
            continue
        if all_ops()[name].macs is Op.macs and case is not cases_of(name)[0]:
            continue
        built = bench(name, (case,))
        inputs = [one.detach().to("meta") for one in built.tensors()]  # no fused kernels on meta
        with FlopCounterMode(display=False) as counter:
            built.run(built.module.to("meta"), inputs)
        assert 2 * sum(map(stated, built.uses)) == counter.get_total_flops(), case
