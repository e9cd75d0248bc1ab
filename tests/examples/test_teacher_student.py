"""The teacher-student example: the layers that it selects, the weights it copies, and a run."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import archspec
from archspec.diagnostics.failure import CompileFailed

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
SPEC = EXAMPLES / "teacher_student.arch"
CHECKOUT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")])}


@pytest.fixture(scope="module")
def example():
    """The script as a module."""
    pytest.importorskip("sklearn")
    return importlib.import_module("teacher_student")


def test_most_confident_images_of_each_class_are_selected(example):
    logits = torch.zeros(6, 10)
    for picture, (label, value) in enumerate([(3, 1), (3, 5), (3, 4), (7, 2), (7, 9), (0, 1)]):
        logits[picture, label] = value
    images = torch.arange(6.0)[:, None, None, None]
    chosen, labels = example.best_of_each_class(Fixed(logits), images, 2)
    assert chosen.flatten().tolist() == [5, 1, 2, 4, 3]
    assert labels.tolist() == [0, 3, 3, 7, 7]


class Fixed(nn.Module):
    """Returns these logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, images):
        return self.logits


def test_another_head_keeps_the_body(example):
    student = archspec.load(SPEC, "student").to_torch(seed=1)
    moved = example.with_head(student, classes=2, seed=2)
    mine, given = moved.state_dict(), student.state_dict()
    assert mine.keys() == given.keys()
    new = {name for name in mine if not torch.equal(mine[name], given[name])}
    assert new == {"fc.weight", "fc.bias"}
    assert mine["fc.weight"].shape == (2, 64)


def test_weights_with_another_head_are_refused_as_documented():
    page = (EXAMPLES / "teacher_student.md").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    student = archspec.load(SPEC, "student").to_torch()
    with pytest.raises(CompileFailed) as failed:
        archspec.load(SPEC, "student", classes=2).to_torch(weights=student.state_dict())
    lines = str(failed.value).splitlines()
    assert [line for line in quoted.splitlines() if line not in lines] == []


def test_numbers_on_the_page_are_right():
    page = (EXAMPLES / "teacher_student.md").read_text(encoding="utf-8")
    for name, options in (("teacher", {}), ("student", {}), ("student", {"classes": 2})):
        assert f"{archspec.load(SPEC, name, **options).parameters:,}" in page


def test_the_example_runs():
    pytest.importorskip("sklearn")
    small = ["--epochs", "1", "--labelled", "20", "--top", "5", "--seed", "1"]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "teacher_student.py"), *small],
        env=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in ("teacher", "labels only", "even or odd"):
        assert name in done.stdout
