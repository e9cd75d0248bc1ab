"""Residual adapters: what domains share, what each has of its own, and what training changes."""

import pytest
import torch
import torch.nn.functional as F

from archspec.analysis.parameters import table
from tests.specs.compiled import shipped
from tests.specs.training import trained

SMALL = {"classes": (5, 3, 4), "width": 4, "depth": 1}
ADAPTERS = ["series", "parallel", "none"]


def network(adapter, domain=1, **parameters):
    return shipped("residual_adapters", adapter=adapter, domain=domain, **SMALL | parameters)


def batch():
    torch.manual_seed(5)
    return torch.randn(4, 3, 16, 16)


def domain_of(name):
    """The domain of a tensor, or None for one of the 3x3 convolutions that all domains share."""
    parts = name.split(".")
    for kind in ("bns", "parallel_conv", "end_bns", "linears"):
        if kind in parts:
            return int(parts[parts.index(kind) + 1])
    assert parts[-2:] == ["conv", "weight"]
    return None


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_training_changes_one_domain(adapter, frozen):
    """Tensors of the others, their statistics too, stay bit-identical under weight decay."""
    module = network(adapter, frozen_body=frozen).to_torch(seed=1).train()
    labels = torch.tensor([0, 1, 2, 2])
    moved, kept = trained(module, lambda: F.cross_entropy(module(batch()), labels))
    assert {domain_of(name) for name in moved} == ({1} if frozen else {1, None})
    assert {domain_of(name) for name in kept} == ({0, 2, None} if frozen else {0, 2})


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_domain_is_added_to_trained_ones(adapter):
    """All others keep their predictions, also while the new one is trained."""
    old = network(adapter, 0, classes=(5,)).to_torch(seed=1).train()
    old(batch())  # moves statistics
    wanted = old.eval()(batch())
    new = network(adapter, 1, frozen_body=True)
    module = new.to_torch(weights=new.to_torch(seed=2).state_dict() | old.state_dict()).train()
    labels = torch.tensor([0, 1, 2, 2])
    trained(module, lambda: F.cross_entropy(module(batch()), labels))
    first = network(adapter, 0).to_torch(weights=module.state_dict()).eval()
    assert torch.equal(first(batch()), wanted)


@pytest.mark.parametrize(
    ("adapter", "shared", "own"),
    [("series", 5_806_944, 729_828), ("parallel", 5_806_944, 678_660), ("none", 5_806_944, 33_444)],
)
def test_reports_separate_what_is_shared(adapter, shared, own):
    """The fixed parameters are those that domains share; a further domain adds only its own."""
    one, two = (
        shipped("residual_adapters", adapter=adapter, classes=classes, frozen_body=True)
        for classes in ((1000,), (1000, 100))
    )
    assert two.parameters - one.parameters == own
    assert one.report().counts.fixed == two.report().counts.fixed == shared
    used = shipped(
        "residual_adapters", adapter=adapter, classes=(1000, 100), domain=1, frozen_body=True
    ).report()
    assert used.counts.parameters - used.unused_parameters == shared + own


def test_other_domains_cost_nothing():
    for adapter in ADAPTERS:
        alone = network(adapter, 0, classes=(3,))
        assert network(adapter).macs() == alone.macs()
        assert {e.name for e in table(alone.compiled)} < {
            e.name for e in table(network(adapter).compiled)
        }


def test_adapters_drop_channels_in_training_only():
    module = network("parallel", drops=(0.5, 0.5)).to_torch(seed=1)
    image = batch()
    without = network("parallel").to_torch(weights=module.state_dict())
    assert torch.equal(module.eval()(image), without.eval()(image))
    module.train()
    torch.manual_seed(1)
    first, second = module(image), module(image)
    assert not torch.equal(first, second)
    without.train()
    assert torch.equal(without(image), without(image))


def test_series_and_parallel_adapters_are_their_formulas():
    """y + conv(norm(y)) after a convolution y of x, and y + conv(x) beside it."""
    x = batch()
    series = network("series").to_torch(seed=1).eval().pre_layers_conv
    y = series.conv(x)
    adapter, norm = series.bns[1]
    torch.testing.assert_close(
        series(x), norm(y + F.conv2d(adapter.conv[0](y), adapter.conv[1].weight))
    )
    parallel = network("parallel").to_torch(seed=1).eval().pre_layers_conv
    weight = parallel.parallel_conv[1].conv.weight
    wanted = parallel.bns[1](parallel.conv(x) + F.conv2d(x, weight))
    torch.testing.assert_close(parallel(x), wanted)
