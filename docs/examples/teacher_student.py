"""A teacher labels, a student learns from it: semi-supervised learning on scikit-learn's digits.

    pip install 'archspec-nn[examples]'
    python docs/examples/teacher_student.py --seed 0

The steps are those of Yalniz et al., "Billion-scale semi-supervised learning for image
classification" (arXiv:1905.00546). Teacher and student are two presets of `teacher_student.arch`.
Prints test accuracies. The same seed gives the same numbers on the same machine and versions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from trainer import Trainer, evaluate, parameter_groups

import archspec

SPEC = Path(__file__).parent / "teacher_student.arch"
BATCH = 32
RATE = 0.05


def main() -> None:
    """Run the pipeline, and the same networks without the unlabelled images for comparison."""
    options = arguments()
    torch.set_num_threads(1)  # a fixed order of sums; more threads are no faster for small images
    torch.manual_seed(options.seed)
    (images, labels), unlabelled, test = digits(options.labelled, options.seed)
    result = Table("network", "trained on", title=f"Test accuracy on {len(test[1])} digits")
    result.add_column("accuracy", justify="right")

    teacher = archspec.load(SPEC, "teacher").to_torch(seed=options.seed)
    train(teacher, images, labels, options.epochs)
    result.add_row("teacher", f"{len(labels)} labels", accuracy(teacher, test))

    chosen, pseudo = best_of_each_class(teacher, unlabelled, options.top)
    student = archspec.load(SPEC, "student").to_torch(seed=options.seed)
    train(student, chosen, pseudo, options.epochs)
    result.add_row("student", f"{len(pseudo)} of the teacher", accuracy(student, test))

    tuned = archspec.load(SPEC, "student").to_torch(weights=student.state_dict())
    train(tuned, images, labels, options.epochs, RATE / 10)
    result.add_row("student", "the teacher, then labels", accuracy(tuned, test))

    alone = archspec.load(SPEC, "student").to_torch(seed=options.seed)
    train(alone, images, labels, options.epochs)
    result.add_row("student", "labels only", accuracy(alone, test))

    odd = test[0], test[1] % 2
    moved = with_head(student, classes=2, seed=options.seed)
    train(moved, images, labels % 2, options.epochs, RATE / 10)
    result.add_row("student, other head", "the teacher, then even or odd", accuracy(moved, odd))

    fresh = archspec.load(SPEC, "student", classes=2).to_torch(seed=options.seed)
    train(fresh, images, labels % 2, options.epochs)
    result.add_row("student, other head", "even or odd only", accuracy(fresh, odd))
    Console().print(result)


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description="Semi-supervised learning on scikit-learn's digits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--labelled", type=int, default=100, help="images with a label")
    parser.add_argument("--top", type=int, default=80, help="images of a class for the student")
    parser.add_argument("--epochs", type=int, default=40, help="passes in each step")
    parser.add_argument("--seed", type=int, default=0, help="of split, weights and order")
    return parser.parse_args()


def digits(labelled: int, seed: int) -> tuple[tuple[Tensor, Tensor], Tensor, tuple[Tensor, Tensor]]:
    """Images [B, 1, 8, 8] with labels, images without labels, and a quarter of all for testing."""
    bunch = load_digits()
    images, labels = torch.from_numpy(bunch.images / 16.0).float()[:, None], bunch.target
    rest, test = train_test_split(range(len(labels)), test_size=0.25, random_state=seed)
    known, unknown = train_test_split(
        rest, train_size=labelled, stratify=labels[rest], random_state=seed
    )
    labels = torch.from_numpy(labels)
    return (images[known], labels[known]), images[unknown], (images[test], labels[test])


def train(
    module: nn.Module, images: Tensor, labels: Tensor, epochs: int, rate: float = RATE
) -> None:
    """Train with momentum and cosine annealing of the learning rate."""
    optimiser = torch.optim.SGD(parameter_groups(module, weight_decay=1e-4), rate, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    Trainer(module, optimiser, schedule).train({"image": images, "labels": labels}, epochs, BATCH)
    module.eval()


@torch.inference_mode()
def best_of_each_class(teacher: nn.Module, images: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """The images that the teacher classifies most confidently, `top` per class, and their classes.

    An image counts for its most probable class; in the paper for the ten most probable of a
    thousand.
    """
    sure, classes = teacher(images).softmax(1).max(1)
    picked = []
    for label in range(10):
        members = (classes == label).nonzero()[:, 0]
        picked.append(members[sure[members].argsort(descending=True)[:top]])
    chosen = torch.cat(picked)
    return images[chosen], classes[chosen]


def with_head(student: nn.Module, classes: int, seed: int) -> nn.Module:
    """A student for other classes: its head is new, the other weights are those of `student`."""
    network = archspec.load(SPEC, "student", classes=classes)
    fresh = network.to_torch(seed=seed).state_dict()
    body = {name: x for name, x in student.state_dict().items() if not name.startswith("fc.")}
    return network.to_torch(weights=fresh | body)


def accuracy(module: nn.Module, test: tuple[Tensor, Tensor]) -> str:
    """The proportion of test images that are classified correctly."""
    images, labels = test
    return f"{evaluate(module, {'image': images, 'labels': labels})['test accuracy']:.1%}"


if __name__ == "__main__":
    main()
