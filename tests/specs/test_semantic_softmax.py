"""Semantic softmax: one softmax for each level of a tree of classes, and distillation by levels.

The numbers of the tree of 30 classes were computed with the authors' code, `semantics.py`,
`semantic_loss.py` and `metrics.py` at commit 6e4c6a4, from the logits that `logits` draws.
"""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from archspec.diagnostics.failure import CompileFailed
from archspec.loading import load
from tests.specs.compiled import shipped
from tests.specs.golden import draw
from tests.specs.training import trained

PARENTS = [3, -1, 1, -1, 2, 1, 3, 0, 3, 2, 0, 4, -1, 12, 11, 5, 6, 8, 9, 7, 14, 13, 12, 10, 15, 16]
PARENTS += [17, 18, 11, 19]
SIZES = [3, 7, 8, 7, 4, 1]
LABELS = [0, 3, 14, 20, 29, 12, 25, 18]

BLOCKS = f"""
use imagenet21k {{ semantic_distillation_loss }}
use semantic_softmax {{ semantic_accuracy, semantic_labels, semantic_logits }}
use semantic_softmax {{ semantic_softmax_loss }}

rule parents(0) => {PARENTS}
rule sizes(0) => {SIZES}

network losses(smoothing: float = 0.2) {{
  input student: f32[B = 2, 30], teacher: f32[B, 30], labels: i64[B]
  output loss = (student, labels) -> semantic_softmax_loss(parents(0), sizes(0), smoothing)
  output distance = (student, teacher) -> semantic_distillation_loss(parents(0), sizes(0))
  output accuracy = (student, labels) -> semantic_accuracy(parents(0), sizes(0))
}}

network tree_of(parents: list[int] = [-1, -1], sizes: list[int] = [2, 1]) {{
  input labels: i64[B = 2]
  output labels -> semantic_labels(parents, sizes)
}}

network levels {{
  input logits: f32[B = 2, 30], labels: i64[B]
  output positions = labels -> semantic_labels(parents(0), sizes(0))
  output parts = logits -> semantic_logits(parents(0), sizes(0))
}}
"""


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "blocks.arch"
    path.write_text(BLOCKS, encoding="utf-8")
    return path


def logits(name):
    return 2 * torch.from_numpy(draw(name, (8, 30)))


def lines():
    """Each class, its parent, and so on up to the root."""
    found = [[c] for c in range(30)]
    for line in found:
        while PARENTS[line[-1]] >= 0:
            line.append(PARENTS[line[-1]])
    return found


def test_losses_are_those_of_the_authors_code(blocks):
    module = load(blocks, "losses").to_torch()
    found = module(logits("student"), logits("teacher"), torch.tensor(LABELS))
    assert float(found.loss) == pytest.approx(17.977012634277344, rel=1e-5)
    assert float(found.distance) == pytest.approx(16.88134002685547, rel=1e-5)
    assert float(found.accuracy) == pytest.approx(0.29629629629629626, rel=1e-5)


def test_labels_on_levels_are_those_of_the_authors_code(blocks):
    module = load(blocks, "levels").to_torch()
    found = module(logits("student"), torch.tensor(LABELS))
    assert found.positions.tolist() == [
        [1, 1, 0, 0, 1, 2, 1, 0],
        [0, -1, 1, 1, 0, -1, 3, 1],
        [-1, -1, 0, 0, 1, -1, 5, 2],
        [-1, -1, 0, 0, 2, -1, 5, 1],
        [-1, -1, 0, 0, 3, -1, -1, -1],
    ]


def test_each_level_has_the_logits_of_its_classes(blocks):
    x = logits("student")
    found = load(blocks, "levels").to_torch()(x, torch.tensor(LABELS)).parts
    depth = torch.tensor([len(line) - 1 for line in lines()])
    assert [len(part[0]) for part in found] == SIZES[:-1]
    for level, part in enumerate(found):
        assert torch.equal(part, x[:, depth == level])


def test_a_label_adds_the_losses_of_its_ancestors_and_nothing_below(blocks):
    network = load(blocks, "losses", smoothing=0.0)
    module, x = network.to_torch(), logits("student")
    depth = torch.tensor([len(line) - 1 for line in lines()])
    for row, label in enumerate(range(0, 30, 4)):
        wanted = 0.0
        for ancestor in lines()[label]:
            level = int(depth[ancestor])
            if level < len(SIZES) - 1:  # the deepest level has no softmax
                chosen = (depth == level).nonzero().squeeze(1)
                log_p = x[row : row + 1, chosen].log_softmax(1)
                weight = min(20.0, 30 / sum(SIZES[level:]))
                wanted -= weight * float(log_p[0, chosen.tolist().index(ancestor)])
        one = x[row : row + 1]
        assert float(module(one, one, torch.tensor([label])).loss) == pytest.approx(wanted)


def test_gradients_reach_no_class_below_the_label(blocks):
    x = logits("student").requires_grad_()
    load(blocks, "losses").to_torch()(x, x.detach(), torch.full((8,), 12)).loss.backward()
    depth = torch.tensor([len(line) - 1 for line in lines()])
    assert x.grad[:, depth == 0].abs().min() > 0
    assert not x.grad[:, depth > 0].any()


def test_sizes_of_levels_must_fit_the_classes():
    with pytest.raises(CompileFailed, match="each class has a level"):
        shipped("semantic_pretraining", sizes=(2, 5, 4))
    with pytest.raises(CompileFailed, match="several classes"):
        shipped("semantic_pretraining", parents=(-1, 0, 0), sizes=(1, 2), net="resnet50(classes=3)")


def test_the_tree_may_have_all_classes_of_imagenet_21k(blocks):
    """A random tree of that size and depth: within the budget, and labels have their ancestors."""
    generator = torch.Generator().manual_seed(1)
    sizes = [100, 500, 1500, 2500, 2500, 2000, 1200, 600, 200, 100, 15, 6]
    parents, start = [-1] * sizes[0], 0
    for above, size in pairwise(sizes):
        chosen = start + torch.randint(0, above, (size,), generator=generator)
        parents += chosen.tolist()
        start += above
    count = len(parents)
    network = load(blocks, "tree_of", parents=parents, sizes=sizes)
    labels = torch.randint(0, count, (6,), generator=generator)
    found = network.to_torch()(labels)
    starts = [sum(sizes[:level]) for level in range(len(sizes))]
    for column, label in enumerate(labels.tolist()):
        line = [label]
        while parents[line[-1]] >= 0:
            line.append(parents[line[-1]])
        wanted = [c - starts[level] for level, c in enumerate(reversed(line))][: len(sizes) - 1]
        wanted += [-1] * (len(sizes) - 1 - len(wanted))
        assert found[:, column].tolist() == wanted


def test_the_student_learns_and_the_teacher_does_not():
    network = shipped(
        "semantic_distillation",
        student="resnet50(width=2, depths=[1, 1, 1, 1], classes=10)",
        teacher="tresnet_m(depths=[1, 1, 1, 1], width=4, classes=10)",
        distillation_weight=3.0,
    )
    module = network.to_torch(seed=1).train()
    torch.manual_seed(2)
    images, labels = torch.randn(4, 3, 32, 32), torch.randint(0, 10, (4,))
    found = module(images, labels)
    wanted = found.semantic_loss + 3 * found.distillation_loss
    torch.testing.assert_close(found.loss, wanted)
    moved, kept = trained(module, lambda: module(images, labels).loss)
    assert all(name.startswith("teacher.") for name in kept)
    assert not any(name.startswith("teacher.") for name in moved)


def test_blur_pool_is_a_fixed_binomial_filter():
    module = shipped("tresnet", depths=(1, 1, 1, 1), width=4, classes=10).to_torch()
    blur = module.body.layer2[0].conv1.aa
    x = torch.randn(2, 8, 7, 6)
    line = torch.tensor([0.25, 0.5, 0.25])
    weight = (line * line[:, None]).expand(8, 1, 3, 3)
    wanted = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), weight, stride=2, groups=8)
    torch.testing.assert_close(blur(x), wanted)
    assert not blur.state_dict()
