"""Stochastic depth: which branches are skipped, how often, and the same in other blocks."""

import pytest
import torch

from archspec.loading import load
from archspec.shipped import networks
from tests.specs.compiled import shipped

ELSEWHERE = """
use resnet { basic }

network host {
  input image: f32[B = 1, 8, H = 16, W = 16]
  output y = image
    -> layers: for i in 0..4 { basic(8, attend=stochastic_depth(0.5, i + 1, 4)) }
}
"""


def blocks(module):
    return [
        unit for name, unit in module.named_modules() if name.count(".") == 1 and "layer" in name
    ]


def computed(module, x, seed) -> list[bool]:
    """Which branches ran."""
    ran = set()
    hooks = [
        unit.conv2.register_forward_hook(lambda *_, i=i: ran.add(i))
        for i, unit in enumerate(blocks(module))
    ]
    torch.manual_seed(seed)
    module(x)
    for hook in hooks:
        hook.remove()
    return [i in ran for i in range(len(hooks))]


def test_later_branches_are_dropped_more_often():
    module = shipped("resnet_stochastic", depth=26).to_torch(seed=1).train()
    runs = torch.tensor([computed(module, torch.randn(2, 3, 4, 4), i) for i in range(300)])
    wanted = 1 - 0.5 * torch.arange(1, 13) / 12
    torch.testing.assert_close(runs.float().mean(0), wanted, rtol=0, atol=0.1)
    assert float(runs.float().sum(1).mean()) == pytest.approx(float(wanted.sum()), abs=0.4)
    assert all(computed(module.eval(), torch.randn(2, 3, 4, 4), 0))


def test_expected_depth_of_110_layers():
    rates = [
        node.op.p
        for name, inner in units(shipped("resnet110_stochastic_cifar10").compiled.training)
        for node in inner.nodes
        if node.op is not None and node.op.name == "drop_path"
    ]
    assert rates == [0.5 * (index + 1) / 54 for index in range(54)]
    assert sum(1 - rate for rate in rates) == pytest.approx(40.25)


def units(graph):
    for node in graph.nodes:
        inner = node.instance and node.instance.graph
        if inner is not None:
            yield node.instance.key, inner


@pytest.fixture
def elsewhere(tmp_path):
    path = tmp_path / "host.arch"
    path.write_text(ELSEWHERE, encoding="utf-8")
    (tmp_path / "resnet.arch").write_text(networks()["resnet"].read_text(encoding="utf-8"))
    return load(path, "host")


def test_it_attaches_to_other_blocks(elsewhere):
    module = elsewhere.to_torch(seed=1)
    x = torch.randn(2, 8, 6, 6)
    counts = torch.tensor([computed(module.train(), x, seed) for seed in range(200)]).float()
    torch.testing.assert_close(
        counts.mean(0), torch.tensor([0.875, 0.75, 0.625, 0.5]), rtol=0, atol=0.1
    )
    found = module.eval()(x)
    for unit, kept in zip(blocks(module), (0.875, 0.75, 0.625, 0.5), strict=True):
        branch = unit.bn2(unit.conv2(torch.relu(unit.bn1(unit.conv1(x)))))
        x = torch.relu(x + kept * branch)
    torch.testing.assert_close(found, x)
