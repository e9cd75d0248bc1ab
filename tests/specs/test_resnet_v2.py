"""Function matching: a student learns the distribution of a teacher, which stays as it is."""

import pytest
import torch
from torch.nn.functional import kl_div, log_softmax

from tests.specs.compiled import shipped

STUDENT = "resnet_v2([1], widths=[32], norm=group_norm(4), head_init=normal, classes=10)"
TEACHER = (
    "resnetv2_50([1, 1], 2, widths=[32, 64], head_init=normal, classes=10)"  # with batch norms
)


def build(**options):
    network = shipped("function_matching", **{"student": STUDENT, "teacher": TEACHER, **options})
    return network.to_torch(seed=0).train()


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_loss_agrees_with_the_formula(temperature):
    module = build(temperature=temperature)
    image = torch.randn(4, 3, 32, 32)
    found = module(image)
    with torch.no_grad():
        pair = (module.student(image), module.teacher.eval()(image))
        student, teacher = (log_softmax(logits / temperature, 1) for logits in pair)
        wanted = kl_div(student, teacher, reduction="batchmean", log_target=True)
        torch.testing.assert_close(found, wanted * temperature**2)
        torch.testing.assert_close(module.eval()(image), pair[0])


def test_a_student_that_equals_its_teacher_has_no_loss():
    module = build(teacher=STUDENT)
    image = torch.randn(4, 3, 32, 32)
    assert module(image).item() > 0.01
    module.student.load_state_dict(module.teacher.state_dict())
    assert module(image).item() == pytest.approx(0, abs=1e-6)


def test_only_the_student_learns():
    """Through steps with weight decay, in which the loss falls."""
    module = build()
    before = {name: x.clone() for name, x in module.state_dict().items()}
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.003, weight_decay=0.1)
    image = torch.randn(4, 3, 32, 32)
    losses = []
    for _ in range(5):
        optimiser.zero_grad()
        losses.append(module(image))
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.8 * losses[0]
    changed = {name for name, x in module.state_dict().items() if not torch.equal(x, before[name])}
    assert changed == {name for name in before if name.startswith("student.")}


def test_images_of_a_batch_do_not_depend_on_each_other():
    options = {"widths": (32, 64), "norm": "group_norm(4)", "head_init": "normal"}
    module = shipped("resnet_v2", depths=(1, 1), **options)
    image = torch.randn(3, 3, 32, 32)
    module = module.to_torch(seed=0).train()
    torch.testing.assert_close(module(image)[1:2], module(image[1:2]))
