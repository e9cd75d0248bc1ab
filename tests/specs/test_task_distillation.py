"""Task distillation: heat maps as positions, and a proxy that teaches and does not learn."""

import pytest
import torch

from archspec.loading import load
from archspec.network import Network
from tests.specs.compiled import shipped
from tests.specs.training import trained


@pytest.fixture(scope="module")
def small():
    """Both stages with a ResNet of an eighth of the width."""
    return {
        name: shipped(name, policy="waypoint_policy(resnet18(width=8))")
        for name in ("waypoint_proxy", "task_distillation")
    }


def batch():
    torch.manual_seed(5)
    return torch.rand(2, 3, 40, 72), torch.rand(2, 2, 64, 48)


def layer(tmp_path, call: str, *shape: int) -> Network:
    """A layer of the spec as a network."""
    name = call.split("(")[0]
    (tmp_path / "net.arch").write_text(
        f"use task_distillation {{ {name} }}\n"
        f"network net {{ input x: f32{list(shape)}\n  output y = x -> {call} }}\n",
        encoding="utf-8",
    )
    return load(tmp_path / "net.arch")


def test_a_sharp_heat_map_yields_its_coordinates(tmp_path):
    softmax = layer(tmp_path, "spatial_softmax(0.5)", 3, 1, 5, 9).to_torch()
    scores = torch.zeros(3, 1, 5, 9)
    for image, (row, column) in enumerate([(0, 0), (4, 8), (1, 4)]):
        scores[image, 0, row, column] = 100.0
    wanted = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, -0.5]])
    torch.testing.assert_close(softmax(scores)[:, 0], wanted)
    # the mean position of an even map is its centre, and a temperature divides the scores
    torch.testing.assert_close(softmax(torch.zeros(3, 1, 5, 9)), torch.zeros(3, 1, 2))
    scores = torch.randn(3, 1, 5, 9)
    warm = layer(tmp_path, "spatial_softmax(1.0)", 3, 1, 5, 9).to_torch()
    torch.testing.assert_close(softmax(scores), warm(scores * 2))


def test_points_of_the_map_are_seen_by_the_camera(tmp_path):
    """By the pinhole camera of the authors' code: 5 pixels a meter, 384x160 pixels."""
    convert = layer(tmp_path, "map_to_camera", 4, 2).to_torch()
    points = torch.tensor([[0.0, -1.0], [0.3, 0.2], [-0.9, 0.9], [0.1, 1.0]])
    seen = []
    for x, y in ((points + 1) * 192 / 2).tolist():
        right, ahead = (x - 96) / 5, (192 - y) / 5 + 3
        pixel = (192 * right / ahead + 192, 192 * 1.4 / ahead + 80)
        seen.append([min(max(p, 0), n) / n * 2 - 1 for p, n in zip(pixel, (384, 160), strict=True)])
    torch.testing.assert_close(convert(points), torch.tensor(seen))


def test_losses_are_their_formulas(small):
    image, map_view = batch()
    module = small["task_distillation"].to_torch(seed=1).train()
    found = module(image, map_view)
    with torch.no_grad():
        taught = module.student(image)
        x, y = module.proxy.eval()(map_view).unbind(-1)
    depth = (1 - y) * 19.2 + 3
    known = torch.stack((x * 19.2 / depth, 1.4 * 2.4 / depth), -1).clamp(-1, 1)
    torch.testing.assert_close(found, (taught - known).abs().sum((1, 2)).mean())
    proxy = small["waypoint_proxy"].to_torch(seed=1).train()
    target = torch.rand(2, 5, 2)
    with torch.no_grad():
        found, taught = proxy(map_view, target), proxy.proxy(map_view)
    torch.testing.assert_close(found, (taught - target).abs().sum((1, 2)).mean())


def test_only_the_student_learns(small):
    """The proxy and its statistics stay bit-identical through steps with weight decay."""
    image, map_view = batch()
    module = small["task_distillation"].to_torch(seed=1).train()
    moved, kept = trained(module, lambda: module(image, map_view))
    unused = {"student.conv.fc.weight", "student.conv.fc.bias"}
    assert kept == {name for name in module.state_dict() if name.startswith("proxy.")} | unused
    assert moved == module.state_dict().keys() - kept
    assert all(
        parameter.requires_grad == name.startswith("student.")
        for name, parameter in module.named_parameters()
    )


def test_the_proxy_of_the_first_stage_teaches_in_the_second(small):
    """Its weights have the same names. In inference there is no map."""
    image, map_view = batch()
    proxy = small["waypoint_proxy"].to_torch(seed=1)
    network = small["task_distillation"]
    weights = network.to_torch(seed=2).state_dict() | proxy.state_dict()
    module = network.to_torch(weights=weights).eval()
    assert torch.equal(module.proxy(map_view), proxy.eval()(map_view))
    assert torch.equal(module(image), module.student(image))
    assert [port.name for port in network.inputs] == ["image"]
