"""3D-aware regularisation: maps rendered from a volume, in training only."""

import re

import pytest
import torch
import torch.nn.functional as F

from archspec.graph.compare import fingerprint
from archspec.loading import load
from archspec_torch.source import python_source
from tests.specs.compiled import shipped
from tests.specs.families import family, options
from tests.specs.training import trained

TASKS = ("segmentation", "depth", "normals", "edges", "saliency", "parts")


def network(**changed):
    return shipped("multitask_3d", **options(family("multitask_3d")["run"]) | changed)


@pytest.fixture(scope="module")
def small():
    return network()


def batch(height=64, width=96):
    torch.manual_seed(5)
    one = (2, 1, height, width)
    labels = torch.randint(5, (2, height, width))
    labels[:, :9] = 255
    return {
        "image": torch.randn(2, 3, height, width),
        "segmentation": labels,
        "parts": torch.randint(7, (2, height, width)),
        "depth": torch.rand(one),
        "normals": F.normalize(torch.randn(2, 3, height, width)),
        "edges": (torch.rand(one) < 0.2).float(),
        "saliency": (torch.rand(one) < 0.5).float(),
    }


def task_loss(task, x, target):
    if task in ("segmentation", "parts"):
        return F.cross_entropy(x, target, ignore_index=255)
    if task == "normals":
        return F.l1_loss(F.normalize(x), target)
    return (
        F.l1_loss(x, target) if task == "depth" else F.binary_cross_entropy_with_logits(x, target)
    )


def rendered(branch, features, samples=4, size=(64, 96)):
    """The maps of a regulariser in plain torch, one sample after the other."""
    b, _, p, q = features.shape
    xy, xz, yz = branch.planes(features).chunk(3, 1)
    y, x = torch.meshgrid(*((2 * torch.arange(n) + 1) / n - 1 for n in (p, q)), indexing="ij")
    maps = []
    for mlp in branch.mlps:
        light, total = torch.ones(b, 1, p, q), 0
        for i in range(samples):
            z = torch.full_like(x, (2 * i + 1) / samples - 1)
            f = sum(
                F.grid_sample(plane, torch.stack(at, -1).expand(b, p, q, 2), align_corners=False)
                for plane, at in ((xy, (x, y)), (xz, (x, z)), (yz, (y, z)))
            )
            found = mlp(f.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            alpha = 1 - torch.exp(-F.softplus(found[:, :1]) * 2 / samples)
            total = total + light * alpha * found[:, 1:]
            light = light * (1 - alpha)
        maps.append(F.interpolate(total, size=size, mode="bilinear"))
    return maps


def test_maps_are_rendered_along_rays_and_losses_are_their_formulas(small):
    module = small.to_torch(seed=1).train()
    calls = []
    module.base.register_forward_hook(lambda *call: calls.append(call[2]))
    given = batch()
    found = module(**given)
    (features, *maps) = calls[0]
    targets = [given[task] for task in TASKS]
    wanted = sum(map(task_loss, TASKS, maps, targets))
    torch.testing.assert_close(found.task_loss, wanted)
    volume = rendered(module.regulariser, features)
    wanted_rendered = sum(map(task_loss, TASKS, volume, targets))
    torch.testing.assert_close(found.rendered_loss, wanted_rendered)
    torch.testing.assert_close(found.loss, wanted + wanted_rendered)


def test_weights_of_tasks_and_of_the_branch(small):
    weights = (0.5, 2.0, 0.0, 1.0, 3.0, 0.25)
    plain, weighted = (
        net.to_torch(seed=1).train() for net in (small, network(weights=weights, weight=0.1))
    )
    calls = []
    weighted.base.register_forward_hook(lambda *call: calls.append(call[2]))
    given = batch()
    found = weighted(**given)
    terms = [task_loss(t, x, given[t]) for t, x in zip(TASKS, calls[0][1:], strict=True)]
    total = sum(w * term for w, term in zip(weights, terms, strict=True))
    torch.testing.assert_close(found.task_loss, total)
    torch.testing.assert_close(found.loss, total + 0.1 * found.rendered_loss)
    assert plain.state_dict().keys() == weighted.state_dict().keys()


def code(network):
    """The source of a network, except the value of `regularised` in a docstring."""
    source, _ = python_source(network.compiled)
    text, found = re.subn(r"`regularised\s+=\s+(true|false)`", "", source)
    assert found == 1
    return text


def same_inference(with_branch, without):
    """One graph, the same source of a network for inference, and outputs, with equal weights."""
    assert fingerprint(with_branch.compiled.inference) == fingerprint(without.compiled.inference)
    assert fingerprint(with_branch.compiled.training) != fingerprint(without.compiled.training)
    codes = [code(net.fold()) for net in (with_branch, without)]
    assert codes[0] == codes[1]
    module, base = with_branch.to_torch(seed=1).eval(), without.to_torch(seed=2).eval()
    state = module.state_dict()
    base.load_state_dict({name: x for name, x in state.items() if not name.startswith("regul")})
    image = batch()["image"]
    with torch.inference_mode():
        for x, y in zip(module(image), base(image), strict=True):
            assert torch.equal(x, y)
    return with_branch.parameters - without.parameters


def test_inference_is_the_same_with_and_without_the_branch(small):
    more = same_inference(small, network(regularised=False))
    branch = small.to_torch(device="meta").regulariser
    assert more == sum(w.numel() for w in branch.parameters()) > 0


def test_the_branch_attaches_to_another_network(tmp_path):
    """Of which nothing is known but that it yields features and a map for each task."""
    path = tmp_path / "net.arch"
    path.write_text(
        "use multitask_3d { multitask_3d, regulariser }\n"
        "use unet { unet }\n"
        "block two_tasks {\n"
        "  input image\n"
        '  features, logits = image -> trunk: tap(unet(2, 4, 3, 5), "levels", "head")\n'
        "  output (features, logits, features -> depth: conv(1, 1))\n}\n"
        "preset two = multitask_3d(\n"
        '  ["segmentation", "depth"], base=two_tasks, regulariser=regulariser(4, 6, 3))\n',
        encoding="utf-8",
    )
    nets = [load(path, "two", regularised=regularised) for regularised in (True, False)]
    assert same_inference(*nets) > 0
    module = nets[0].to_torch(seed=1).train()
    given = batch()
    moved, kept = trained(
        module,
        lambda: (
            module(given["image"], segmentation=given["segmentation"], depth=given["depth"]).loss
        ),
    )
    assert not kept
    assert {name.split(".")[0] for name in moved} == {"base", "regulariser"}


def test_losses_of_rendered_maps_reach_the_encoder_and_not_the_heads(small):
    module = small.to_torch(seed=1).train()
    module(**batch()).rendered_loss.backward()
    without = {name for name, x in module.named_parameters() if x.grad is None}
    assert {name.split(".")[1] for name in without} == {"heads"}
    reached = {name for name, x in module.named_parameters() if x.grad is not None}
    assert {name.split(".")[0] for name in reached} == {"base", "regulariser"}


def test_a_network_for_other_tasks_has_other_inputs_and_maps():
    net = shipped("pascal_hrnet48_3d")
    assert [port.name for port in net.inputs] == ["image"]
    assert len(net.outputs[0].types) == 5
    assert [str(kind.shape[1]) for kind in net.outputs[0].types] == ["21", "7", "1", "3", "1"]
