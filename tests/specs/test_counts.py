"""Parameters, multiply-accumulates and depth of shipped networks are those of the literature.

They are counted from reference implementations (torchvision 0.29.1, or reimplementations of the
authors' definitions) or, if there is none, by arithmetic; MACs are those of convolutions, matrix
products and attention for a batch of one.
"""

import pytest

from tests.specs.compiled import shipped
from tests.specs.families import NAMES, family, merged, options

COUNTS = merged("counts")
VARIANTS = [variant for name in NAMES for variant in family(name).get("variants", ())]


def agree(network, published):
    assert network.parameters == published["parameters"]
    if "depth" in published:
        assert network.depth == published["depth"]
    if "macs" in published:
        assert network.macs(**published.get("at", {})) == published["macs"]


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    agree(shipped(name), COUNTS[name])


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: f"{v['network']}-{v['options']}")
def test_counts_with_options(variant):
    agree(shipped(variant["network"], **options(variant)), variant)


@pytest.mark.parametrize(
    ("column", "parameters", "macs", "depth"),
    [
        (1, 3_915_914, 67_834_880, 6),
        (2, 9_410_122, 228_267_008, 11),
        (3, 20_398_538, 549_131_264, 21),
        (4, 42_375_370, 1_190_859_776, 41),
    ],
)
def test_counts_of_single_columns(column, parameters, macs, depth):
    network = shipped("fractalnet40_cifar10").extract(column=column)
    assert (network.parameters, network.macs(), network.depth) == (parameters, macs, depth)


def test_paths_through_fractals():
    paths = [shipped(f"fractalnet{n}_w16").report().paths.exact for n in (5, 10, 20, 40, 80)]
    assert paths == [1**5, 2**5, 5**5, 26**5, 677**5]


def test_forty_columns_are_counted_at_once():
    network = shipped("fractalnet", columns=40)
    assert network.depth == 5 * 2**39 + 1
    assert network.parameters > 10**18
