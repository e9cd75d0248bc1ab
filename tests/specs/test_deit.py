"""DeiT learns from a teacher: the loss is that of the paper, and the teacher does not learn."""

import pytest
import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from archspec.loading import load
from archspec.shipped import networks

STUDENT = "deit(24, 3, true, depth=2, size=32, drop=0.0, classes=10)"
TEACHER = "resnet(basic, [1, 1, 1, 1], classes=10)"


@pytest.fixture
def network(tmp_path):
    """A small student with a ResNet as teacher, and these options."""
    for name in ("deit", "resnet"):
        text = networks()[name].read_text(encoding="utf-8")
        (tmp_path / f"{name}.arch").write_text(text, encoding="utf-8")

    def loaded(rest):
        path = tmp_path / "net.arch"
        path.write_text(
            "use deit { deit, deit_distillation }\nuse resnet { basic, resnet }\n\n"
            f"preset net = deit_distillation({STUDENT}, {TEACHER}, size=32, classes=10{rest})\n",
            encoding="utf-8",
        )
        return load(path, "net")

    return loaded


def soft(found, aims, tau):
    pair = (log_softmax(found / tau, 1), log_softmax(aims / tau, 1))
    return kl_div(*pair, reduction="sum", log_target=True) * tau**2 / found.numel()


@pytest.mark.parametrize("hard", [True, False])
def test_loss_agrees_with_the_formula(network, hard):
    net = network("" if hard else ", hard=false, alpha=0.3, tau=3.0")
    module = net.to_torch(seed=0).train()
    image, labels = torch.randn(4, 3, 32, 32), torch.rand(4, 10).softmax(1)
    found = module(image, labels)
    with torch.no_grad():
        label, distilled = module.student(image)
        known = module.teacher.eval()(image)
        if hard:
            near, alpha = cross_entropy(distilled, known.argmax(1)), 0.5
        else:
            near, alpha = soft(distilled, known, 3.0), 0.3
        wanted = (1 - alpha) * cross_entropy(label, labels) + alpha * near
        torch.testing.assert_close(found, wanted)
        inference = module.eval()(image)
    torch.testing.assert_close(inference, (label + distilled) / 2)
    found.backward()
    assert all(weight.grad is not None for weight in module.student.parameters())
    assert not any(weight.requires_grad for weight in module.teacher.parameters())


def test_the_teacher_is_not_trained(network):
    """Through three steps with weight decay, including its statistics."""
    module = network("").to_torch(seed=0).train()
    before = {name: x.clone() for name, x in module.teacher.state_dict().items()}
    student = {name: x.clone() for name, x in module.student.state_dict().items()}
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        module(torch.randn(4, 3, 32, 32), torch.rand(4, 10).softmax(1)).backward()
        optimiser.step()
    assert all(torch.equal(x, before[name]) for name, x in module.teacher.state_dict().items())
    assert not any(torch.equal(x, student[name]) for name, x in module.student.named_parameters())
