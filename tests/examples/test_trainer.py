"""The trainer of the docs: what it minimises, logs and saves, and that it continues exactly."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import trainer
from torch import nn
from trainer import Trainer, evaluate, parameter_groups

import archspec
from archspec.analysis.cost import inputs_of, outputs_of
from tests.specs.compiled import shipped
from tests.specs.families import family, options

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
CHECKOUT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")])}

SPEC = """
use std.objectives { cross_entropy, kl_divergence }

block body(width: int) { conv(width, 3) -> batch_norm -> relu -> dropout(0.2) -> global_avg_pool }

network classifier {
  input image: f32[B = 1, 1, 8, 8]
  param scale: f32[4] = ones fixed
  output logits = (image -> body: body(4)) * scale -> fc: linear(3)
}

block objective {
  input logits, known, labels, teacher_weight
  label_loss = (logits, labels) -> cross_entropy
  teacher_loss = (logits, known) -> kl_divergence
  output (label_loss + teacher_weight * teacher_loss, label_loss, teacher_loss)
}

network distilled {
  input image: f32[B = 1, 1, 8, 8]
  input labels: i64[B] when training
  input teacher_weight: f32[] when training
  logits = image -> student: (body(4) -> linear(3))
  known = image -> teacher: frozen(body(8) -> linear(3))
  output logits = logits when not training
  output loss, label_loss, teacher_loss = (logits, known, labels, teacher_weight)
    -> objective when training
}

network only_a_loss {
  input image: f32[B = 1, 1, 8, 8]
  output loss = image -> fc: (flatten -> linear(4)) -> square -> mean when training
  output features = image -> fc: (flatten -> linear(4)) when not training
}
"""


@pytest.fixture
def load(tmp_path):
    """A network of the spec as a module."""
    file = tmp_path / "nets.arch"
    file.write_text(SPEC, encoding="utf-8")
    return lambda name, seed=0: archspec.load(file, name).to_torch(seed=seed)


WITH_LOSSES = ["nin_dsn", "task_distillation", "guidance", "recall", "nat"]


@pytest.mark.parametrize("name", WITH_LOSSES)
def test_shipped_networks_with_losses_are_trained(name):
    """All inputs of training by name; the log has all scalar outputs."""
    run = family(name)["run"]
    network = shipped(run["network"], **options(run))
    generator = torch.Generator().manual_seed(4)
    sizes = {**network.compiled.sizes, **run.get("sizes", {}), "B": 6}
    data = {}
    for port in inputs_of(network.compiled.training):
        (kind,) = port.types
        shape = [size.evaluate(sizes) for size in kind.shape]
        numbers = torch.rand(shape, generator=generator)
        data[port.name] = (numbers > 0.5).long() if kind.dtype.value == "i64" else numbers
    run = training(network.to_torch(seed=1))
    run.train(data, epochs=2, batch_size=3)
    outputs = outputs_of(network.compiled.training)
    scalars = {port.name for port in outputs if not port.types[0].shape}
    assert set(run.history[-1]) == {"epoch", "rate"} | scalars
    assert "loss" in scalars


def images(count=20):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (count,), generator=generator)
    noise = torch.rand(count, 1, 8, 8, generator=generator)
    return {"image": noise + labels[:, None, None, None], "labels": labels}


def distillation():
    return images() | {"teacher_weight": lambda epoch, rows: 1 / (1 + epoch)}


def training(model, **given):
    optimiser = torch.optim.AdamW(parameter_groups(model, 0.1), lr=0.01)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [1, 3])
    torch.manual_seed(1)
    return Trainer(model, optimiser, schedule, **given)


# ---------------------------------------------------------------------- what is minimised


def test_a_classifier_without_a_loss_learns_its_labels(load):
    model = load("classifier")
    run = training(model, measure=lambda: evaluate(model, images()))
    run.schedule = None
    run.train(images(), epochs=30, batch_size=10)
    assert run.history[-1]["loss"] < run.history[0]["loss"] / 2
    assert run.history[-1]["test accuracy"] > 0.6  # by chance 0.33
    assert list(run.history[0]) == ["epoch", "rate", "loss", "test accuracy"]


def test_the_output_loss_is_minimised_and_its_parts_are_logged(load):
    run = training(load("distilled"))
    run.train(distillation(), epochs=3, batch_size=8)
    for epoch, row in enumerate(run.history):
        parts = row["label_loss"] + row["teacher_loss"] / (1 + epoch)
        assert row["loss"] == pytest.approx(parts, rel=1e-5)
    assert [row["rate"] for row in run.history] == pytest.approx([0.01, 0.001, 0.001])
    assert evaluate(run.model, images()).keys() == {"test accuracy"}


def test_a_network_of_a_single_scalar_in_training_minimises_it(load):
    run = training(load("only_a_loss"))
    run.train({"image": images()["image"]}, epochs=3, batch_size=20)
    losses = [row["loss"] for row in run.history]
    assert losses == sorted(losses, reverse=True)


def test_means_count_examples_and_not_batches(load):
    run = training(load("classifier"), losses=lambda _, batch: rows_as_loss(batch))
    run.train(images(), epochs=1, batch_size=8)
    assert run.history[0]["loss"] == pytest.approx((8 * 8 + 8 * 8 + 4 * 4) / 20)


def rows_as_loss(batch):
    return {"loss": torch.tensor(float(len(batch["labels"])), requires_grad=True)}


def test_labels_may_be_probabilities(load):
    data = images()
    data["labels"] = torch.nn.functional.one_hot(data["labels"], 3).float()
    run = training(load("classifier"))
    run.train(data, epochs=1)
    assert evaluate(run.model, data) == evaluate(run.model, images())


def test_the_bar_shows_the_loss_without_its_parts():
    numbers = {"loss": 1.5, "label_loss": 1.0, "test accuracy": 0.5}
    assert trainer.note(numbers) == "loss 1.5, test accuracy 0.5"


def test_gradients_are_clipped(load):
    model = load("classifier")
    run = training(model, clip=1e-3)
    run.step(images())
    gradients = [each.grad.norm() for each in model.parameters() if each.grad is not None]
    assert torch.stack(gradients).norm() == pytest.approx(1e-3, rel=1e-3)


def test_a_function_gives_the_rows_that_are_asked_for(load):
    data, seen = images(), []

    def augmented(epoch, rows):
        seen.append((epoch, len(rows)))
        return data["image"][rows].flip(3)

    training(load("classifier")).train(data | {"image": augmented}, epochs=2, batch_size=16)
    assert seen == [(0, 16), (0, 4), (1, 16), (1, 4)]


# ---------------------------------------------------------------------- parameters


def test_frozen_and_fixed_parameters_get_no_state_and_stay(load):
    for name, data, fixed in (
        ("classifier", images(), ["scale"]),
        ("distilled", distillation(), ["teacher"]),
    ):
        model = load(name)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        run = training(model)
        run.train(data, epochs=1)
        after = model.state_dict()
        kept = [key for key in before if key.split(".")[0] in fixed]
        assert kept
        assert all(torch.equal(before[key], after[key]) for key in kept)
        learned = [key for key, each in model.named_parameters() if each.requires_grad]
        assert len(run.optimiser.state) == len(learned) < len(list(model.parameters()))


def test_no_weight_decay_where_the_model_says_so(load):
    model = load("classifier")
    model.no_weight_decay = lambda: {"fc.bias"}
    with_decay, without = parameter_groups(model, 0.1)
    assert (with_decay["weight_decay"], without["weight_decay"]) == (0.1, 0.0)
    assert without["params"] == [model.fc.bias]
    assert len(with_decay["params"]) == 5


# ---------------------------------------------------------------------- checkpoints


@pytest.mark.parametrize("name", ["classifier", "distilled"])
def test_resumed_training_gives_the_same_weights_bit_for_bit(load, tmp_path, name):
    data = images() if name == "classifier" else distillation()
    whole = training(load(name), folder=tmp_path / "whole")
    whole.train(data, epochs=4, batch_size=8)

    def interrupt():
        if len(broken.history) == 2:
            raise KeyboardInterrupt
        return {}

    broken = training(load(name), folder=tmp_path / "broken", measure=interrupt)
    with pytest.raises(KeyboardInterrupt):  # after the steps of the third epoch
        broken.train(data, epochs=4, batch_size=8)
    again = training(load(name, seed=7), folder=tmp_path / "broken")
    again.resume()
    assert len(again.history) == 2
    again.train(data, epochs=4, batch_size=8)
    assert again.history == whole.history
    assert same(again.model.state_dict(), whole.model.state_dict())
    assert same(again.optimiser.state_dict(), whole.optimiser.state_dict())
    logs = [(tmp_path / run / "log.csv").read_bytes() for run in ("whole", "broken")]
    assert logs[0] == logs[1]


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_the_checkpoint_is_a_file_of_weights(load, tmp_path):
    run = training(load("classifier"), folder=tmp_path / "run")
    run.train(images(), epochs=1)
    network = archspec.load(tmp_path / "nets.arch", "classifier")
    with pytest.warns(UserWarning, match="model"):
        model = network.to_torch(weights=tmp_path / "run" / "checkpoint.pt")
    assert same(model.state_dict(), run.model.state_dict())


def test_a_failure_in_writing_leaves_the_checkpoint(load, tmp_path, monkeypatch):
    run = training(load("classifier"), folder=tmp_path / "run")
    run.train(images(), epochs=1)
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()

    def full(state, file):
        Path(file).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(trainer.torch, "save", full)
    with pytest.raises(OSError, match="no space"):
        run.train(images(), epochs=2)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before


def test_another_run_is_not_overwritten(load, tmp_path):
    training(load("classifier"), folder=tmp_path / "run").train(images(), epochs=1)
    with pytest.raises(FileExistsError, match="resume"):
        training(load("classifier"), folder=tmp_path / "run").train(images(), epochs=1)


def test_a_loss_that_is_not_finite_stops_and_is_not_saved(load, tmp_path):
    data = images()
    run = training(load("classifier"), folder=tmp_path / "run")
    run.train(data, epochs=1)
    data["image"][3] = float("nan")
    with pytest.raises(FloatingPointError, match="the loss in epoch 2 is nan"):
        run.train(data, epochs=2)
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert len(saved["history"]) == 1
    assert all(value.isfinite().all() for value in saved["model"].values())


def test_the_log_has_every_number(load, tmp_path):
    run = training(load("distilled"), folder=tmp_path / "run")
    run.train(distillation(), epochs=2)
    with (tmp_path / "run" / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "rate", "loss", "label_loss", "teacher_loss"]
    assert [float(row["loss"]) for row in rows] == [row["loss"] for row in run.history]


def test_mistakes_in_data_are_named(load):
    run = training(load("classifier"))
    with pytest.raises(ValueError, match="the same number of rows"):
        run.train(images() | {"labels": torch.zeros(3)}, epochs=1)
    with pytest.raises(ValueError, match="no output `loss`, and the data has no `labels`"):
        run.train({"image": images()["image"]}, epochs=1)
    with pytest.raises(ValueError, match="`labels` is missing"):
        training(load("distilled")).train({"image": images()["image"]}, epochs=1)


def test_any_module_is_trained():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    run = training(model)
    run.train({"input": images()["image"], "labels": images()["labels"]}, epochs=1)
    assert run.history[0]["loss"] > 0


def test_history_is_plotted(tmp_path):
    pytest.importorskip("matplotlib")
    history = [{"epoch": 1, "rate": 0.1, "loss": 2.0}, {"epoch": 2, "rate": 0.1, "loss": 1.0}]
    trainer.plot(history, tmp_path / "a.svg")
    history[1]["test accuracy"] = 0.5
    trainer.plot(history, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").stat().st_size < (tmp_path / "b.svg").stat().st_size


# ---------------------------------------------------------------------- on digits


def digits(folder, *arguments):
    """Run the program on some images."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    command = [sys.executable, str(EXAMPLES / "train_digits.py"), *arguments]
    small = ["--examples", "80", "--out", str(folder)]
    return subprocess.run(
        [*command, *small], env=CHECKOUT, capture_output=True, text=True, check=False
    )


def test_the_program_trains_a_classifier_and_continues(tmp_path):
    spec = str(EXAMPLES / "teacher_student.arch:student")
    first = digits(tmp_path, spec, "--epochs", "1", "--set", "depths=[1]")
    assert first.returncode == 0, first.stderr
    again = digits(tmp_path, spec, "--epochs", "2", "--set", "depths=[1]", "--resume")
    assert again.returncode == 0, again.stderr
    assert "test accuracy" in again.stdout
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3
    assert (tmp_path / "history.svg").exists()


@pytest.mark.slow
def test_the_program_gives_numbers_to_further_inputs(tmp_path):
    done = digits(tmp_path, "nin_dsn_cifar10", "--epochs", "1", "--input", "companion_weight=0.1")
    assert done.returncode == 0, done.stderr
    assert "companion_loss" in (tmp_path / "log.csv").read_text()


@pytest.mark.slow
def test_the_program_trains_maps(tmp_path):
    chosen = ["--set", "classes=11", "--set", "width=4", "--set", "poolings=2", "--size", "H=W=16"]
    done = digits(tmp_path, "unet", "--epochs", "1", *chosen)
    assert done.returncode == 0, done.stderr


def test_the_program_says_what_is_wrong_in_words(tmp_path):
    for given, said in (
        (["nothing.arch"], "nothing.arch"),
        (["lenet", "--set", "colour=3"], "E0302"),
        (["samplecnn"], "is no image"),
    ):
        done = digits(tmp_path, *given)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr
