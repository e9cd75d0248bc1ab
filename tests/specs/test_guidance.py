"""Guidance: which layers are paired, the losses, and a guide that does not change."""

import zlib

import numpy
import pytest
import torch
import torch.nn.functional as F

from archspec.loading import load
from tests.specs.compiled import shipped
from tests.specs.families import family, options
from tests.specs.training import trained


def linear_cka(x, y):
    """With Gram matrices and a centring matrix, as in the authors' code."""
    gram = [f.flatten(1) @ f.flatten(1).T for f in (x, y)]
    n = len(x)
    centring = torch.eye(n) - torch.ones(n, n) / n
    k, l = (centring @ g @ centring for g in gram)  # noqa: E741
    return (k * l).sum() / ((k * k).sum().sqrt() * (l * l).sum().sqrt())


def pairs(guides, targets):
    """`layer_supervision` of the authors' code."""
    step = (targets - 1) / (guides - 1) if guides > 1 else 1
    return [min(round(i * step), targets - 1) for i in range(guides)]


def recorded(module, names):
    """The outputs of parts of a module, in this order, when it has run."""
    found = {}
    for name in names:
        part = module.get_submodule(name)
        part.register_forward_hook(lambda _, inputs, y, name=name: found.update({name: y}))
    return found


@pytest.fixture(scope="module")
def small():
    return shipped("guided", **options(family("guidance")["run"]))


def batch():
    torch.manual_seed(5)
    return torch.randn(6, 3, 32, 32), torch.randint(5, (6,))


def test_pairs_of_layers_are_those_of_the_code(tmp_path):
    counts = [(1, 5), (21, 9), (54, 48), (54, 3), (20, 4), (4, 20), (7, 7), (9, 1)]
    conditions = [f"[paired(i, {s}, {t}) for i in 0..{s}] == {pairs(s, t)}" for s, t in counts]
    assert_holds(tmp_path, "paired", conditions)


def assert_holds(tmp_path, rule, conditions):
    """Assert conditions on values of a rule of the spec."""
    lines = [
        f"use guidance {{ {rule} }}",
        "network net {",
        "  input x: f32[1]",
        *(f"  assert {condition}" for condition in conditions),
        "  output y = x -> relu",
        "}",
    ]
    (tmp_path / "net.arch").write_text("\n".join(lines) + "\n", encoding="utf-8")
    load(tmp_path / "net.arch")


@pytest.mark.parametrize(
    ("guide", "call", "count"),
    [
        ("resnet18", "resnet_layers([2, 2, 2, 2], 2, 1)", 21),
        ("resnet50", "resnet_layers([3, 4, 6, 3], 3, 0)", 54),
        ("plain_resnet50", "resnet_layers([3, 4, 6, 3], 3, 4)", 50),
    ],
)
def test_layers_of_a_resnet_are_all_convolutions_and_the_pooling(tmp_path, guide, call, count):
    """As in the authors' code, in the order in which they are computed."""
    module = shipped(guide).to_torch(device="meta")
    paths = [path for path, part in module.named_modules() if isinstance(part, torch.nn.Conv2d)]
    listed = str([*paths, "global_avg_pool"]).replace("'", '"')
    assert len(paths) + 1 == count
    assert_holds(tmp_path, "resnet_layers", [f"{call} == {listed}"])


def test_alignment_is_that_of_the_authors_class(tmp_path):
    """1 for equal features, and the same after rotations; the number is from their code."""
    (tmp_path / "net.arch").write_text(
        "use std.objectives { linear_cka }\n"
        "network net { input x: f32[B = 12, C = 7], y: f32[B, D = 30]\n"
        "  output cka = (x, y) -> linear_cka }\n",
        encoding="utf-8",
    )
    cka = load(tmp_path / "net.arch").to_torch()
    x, y = (
        torch.from_numpy(
            numpy.random.Generator(numpy.random.PCG64(zlib.crc32(name))).standard_normal(
                shape, dtype=numpy.float32
            )
        )
        for name, shape in ((b"X", (12, 7)), (b"Y", (12, 30)))
    )
    assert float(cka(x, y)) == pytest.approx(0.6260316967964172, rel=1e-5)
    assert float(cka(x, x)) == pytest.approx(1)
    rotation = torch.linalg.qr(torch.randn(7, 7))[0]
    assert float(cka(x @ rotation, y)) == pytest.approx(float(cka(x, y)), rel=1e-5)


def test_losses_are_their_formulas(small):
    module = small.to_torch(seed=1).train()
    guide_layers = ["conv1", "layer1.0.conv2", "layer2.0.downsample.0"]
    known = recorded(module.guide, guide_layers)
    features = recorded(module.net, ["linear1", "linear2", "linear3", "logit_layer"])
    pooled = recorded(module.guide, ["layer4"])
    image, labels = batch()
    found = module(image, labels, torch.tensor(0.3))
    chosen = [features[f"linear{i + 1}"] for i in pairs(4, 3)]
    guides = [*(known[name] for name in guide_layers), pooled["layer4"].mean((2, 3))]
    guide_loss = sum(1 - linear_cka(x, y) for x, y in zip(chosen, guides, strict=True))
    task_loss = F.cross_entropy(features["logit_layer"], labels)
    torch.testing.assert_close(found.task_loss, task_loss)
    torch.testing.assert_close(found.guide_loss, guide_loss)
    torch.testing.assert_close(found.loss, task_loss + 0.3 * guide_loss)
    assert torch.equal(module.eval()(image), module.net(image))


def test_the_guide_stays_and_the_target_learns(small):
    """Its statistics, too, through steps with weight decay; other layers are not computed."""
    module = small.to_torch(seed=1).train()
    moved, kept = trained(module, lambda: module(*batch(), torch.tensor(1.0)).loss)
    assert kept == {name for name in module.state_dict() if name.startswith("guide.")}
    assert moved == {name for name in module.state_dict() if name.startswith("net.")}
    assert not any(parameter.requires_grad for parameter in module.guide.parameters())
    assert not hasattr(module.guide, "fc")


def test_steps_align_the_target_with_its_guide(small):
    module = small.to_torch(seed=1).train()
    before = module(*batch(), torch.tensor(0.0)).guide_loss
    trained(module, lambda: module(*batch(), torch.tensor(1.0)).guide_loss, steps=30)
    assert module(*batch(), torch.tensor(0.0)).guide_loss < 0.9 * before


def test_a_guide_may_see_noise():
    given = options(family("guidance")["run"])
    module = shipped("guided", **given, noise=True).to_torch(seed=1).train()
    same = shipped("guided", **given).to_torch(weights=module.state_dict()).train()
    image, labels = batch()
    weight = torch.tensor(1.0)
    other = torch.rand_like(image)
    assert torch.equal(module(image, labels, weight, image).loss, same(image, labels, weight).loss)
    found = module(image, labels, weight, other)
    assert torch.equal(found.task_loss, same(image, labels, weight).task_loss)
    assert not torch.allclose(found.guide_loss, same(image, labels, weight).guide_loss)


def test_a_transformer_guides_a_recurrent_network():
    network = shipped(
        "guided_lm",
        target="rnn_lm(words=11, dim=8, width=12, context=9)",
        guide="transformer_lm(words=11, dim=16, heads=2, hidden=24, context=9)",
        context=9,
    )
    module = network.to_torch(seed=1).train()
    ids = torch.randint(11, (5, 9), generator=torch.Generator().manual_seed(3))
    found = module(ids, torch.tensor(0.5))
    logits = module.eval()(ids)
    wanted = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    torch.testing.assert_close(found.task_loss, wanted)
    torch.testing.assert_close(found.loss, wanted + 0.5 * found.guide_loss)
    module.train()
    moved, kept = trained(module, lambda: module(ids, torch.tensor(1.0)).loss)
    assert {name.split(".")[0] for name in kept} == {"guide"}
    assert {name.split(".")[0] for name in moved} == {"net"}
