"""A trainer for networks: progress bar, log, plot, checkpoints, and continuing from a checkpoint.

    optimiser = torch.optim.SGD(parameter_groups(model, weight_decay=1e-4), lr=0.05)
    trainer = Trainer(model, optimiser, folder=Path("run"))
    trainer.train({"image": images, "labels": labels}, epochs=10)

If the network has an output `loss`, this is minimised, and its other scalar outputs are logged.
Otherwise the loss is the cross-entropy of its prediction with `labels`. `train_digits.py` is a
program that uses this module.
"""

from __future__ import annotations

import csv
import inspect
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

CHECKPOINT = "checkpoint.pt"

Named = dict[str, Tensor]
Numbers = dict[str, float]
Data = Mapping[str, Tensor | float | Callable[[int, Tensor], Any]]
"""For each input a tensor with a row for each example, a number, or a function of (epoch, rows)."""


# ---------------------------------------------------------------------- data, outputs and losses


def examples(data: Data) -> int:
    """The number of rows of the tensors. Raises ValueError if they differ in it."""
    counts = {len(each) for each in data.values() if isinstance(each, Tensor) and each.dim()}
    if len(counts) != 1:
        raise ValueError(f"the tensors of a data set have the same number of rows, not {counts}")
    return counts.pop()


def batch_of(data: Data, epoch: int, rows: Tensor, device: torch.device) -> Named:
    """The inputs for some rows."""
    found = {}
    for name, source in data.items():
        if isinstance(source, Tensor):
            value = source[rows] if source.dim() else source
        else:
            value = torch.as_tensor(source(epoch, rows) if callable(source) else source)
        found[name] = value.to(device)
    return found


def outputs_of(model: nn.Module, batch: Named) -> Named:
    """The outputs by name. A single one is the prediction, or the loss if it is a scalar."""
    names = inspect.signature(model.forward).parameters
    result = model(**{name: batch[name] for name in names if name in batch})
    if isinstance(result, Tensor):
        return {"prediction" if result.dim() else "loss": result}
    return {name: value for name, value in result._asdict().items() if isinstance(value, Tensor)}


def prediction(outputs: Named) -> Tensor:
    """The first output that is not a scalar."""
    return next(value for value in outputs.values() if value.dim())


def losses_of(outputs: Named, batch: Named) -> Named:
    """The outputs `loss` and further scalars; without `loss` the cross-entropy with `labels`."""
    if "loss" in outputs:
        parts = {name: value for name, value in outputs.items() if not value.dim()}
        return {"loss": outputs["loss"]} | parts
    if "labels" not in batch:
        raise ValueError("the network has no output `loss`, and the data has no `labels`")
    return {"loss": F.cross_entropy(prediction(outputs), batch["labels"])}


def accuracy(outputs: Named, batch: Named) -> Named:
    """The proportion of labels with the highest score. Labels may be probabilities [B, C, ..]."""
    labels = batch["labels"]
    if labels.is_floating_point():
        labels = labels.argmax(1)
    right = prediction(outputs).argmax(1) == labels
    return {"test accuracy": right.float().mean()}


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    data: Data,
    measure: Callable[[Named, Named], Named] = accuracy,
    batch_size: int = 256,
) -> Numbers:
    """The means over a data set of what `measure` computes from outputs and inputs."""
    model.eval()
    found = []
    for rows in torch.split(torch.arange(examples(data)), batch_size):
        batch = batch_of(data, 0, rows, device_of(model))
        found.append((measure(outputs_of(model, batch), batch), len(rows)))
    return means(found)


def means(batches: Sequence[tuple[Named, int]]) -> Numbers:
    """The mean of each number over batches of different sizes."""
    total = sum(size for _, size in batches)
    names = batches[0][0]
    return {name: sum(x[name].item() * size for x, size in batches) / total for name in names}


# ---------------------------------------------------------------------- training


def device_of(model: nn.Module) -> torch.device:
    """The device of the first parameter."""
    return next(model.parameters()).device


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The parameters that learn, in a group with weight decay and one without.

    The second group has those named by the method `no_weight_decay` of the model, if it has one.
    Frozen and `fixed` parameters are in neither, so that an optimiser has no state for them.
    """
    exempt: set[str] = getattr(model, "no_weight_decay", set)()
    learning = [(name, each) for name, each in model.named_parameters() if each.requires_grad]
    decay = [each for name, each in learning if name not in exempt]
    rest = [each for name, each in learning if name in exempt]
    return [
        {"params": decay, "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]


@dataclass
class Trainer:
    """A network in training. If there is a folder, the state is saved in it after each epoch."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: LRScheduler | None = None
    """Advanced after each epoch."""
    losses: Callable[[Named, Named], Named] = losses_of
    """Computes "loss" and its parts from outputs and inputs."""
    measure: Callable[[], Numbers] = dict
    """Called after each epoch; the numbers are logged."""
    clip: float | None = None
    """The largest norm of the gradient."""
    folder: Path | None = None
    history: list[Numbers] = field(default_factory=list)
    """For each epoch its number, learning rate, mean losses in training, and what was measured."""

    def train(
        self,
        data: Data,
        epochs: int,
        batch_size: int = 32,
        title: str = "training",
        bar: Progress | None = None,
    ) -> None:
        """Train until the history has this many epochs.

        Raises FileExistsError if the checkpoint of another run would be overwritten, and
        FloatingPointError if the loss is not finite.
        """
        if self.folder and not self.history and (self.folder / CHECKPOINT).exists():
            raise FileExistsError(f"{self.folder} has a checkpoint: resume, or use another folder")
        steps, done = math.ceil(examples(data) / batch_size), len(self.history)
        with progress() if bar is None else nullcontext(bar) as shown:
            task = shown.add_task(title, total=epochs * steps, completed=done * steps, note="")
            for epoch in range(done, epochs):
                numbers = self.epoch(data, epoch, batch_size, lambda: shown.advance(task))
                shown.update(task, note=note(numbers))

    def epoch(
        self, data: Data, epoch: int, batch_size: int, stepped: Callable[[], None]
    ) -> Numbers:
        """Train on all examples once, in random order, measure and save."""
        self.model.train()
        rate, found = self.optimiser.param_groups[0]["lr"], []
        for rows in torch.split(torch.randperm(examples(data)), batch_size):
            batch = batch_of(data, epoch, rows, device_of(self.model))
            found.append((self.step(batch), len(rows)))
            stepped()
        numbers = means(found)
        if not math.isfinite(numbers["loss"]):
            raise FloatingPointError(f"the loss in epoch {epoch + 1} is {numbers['loss']}")
        if self.schedule is not None:
            self.schedule.step()
        numbers |= self.measure()
        self.history.append({"epoch": epoch + 1, "rate": rate, **numbers})
        self.save()
        return numbers

    def step(self, batch: Named) -> Named:
        """One step of the optimiser; returns the losses before it."""
        losses = self.losses(outputs_of(self.model, batch), batch)
        self.optimiser.zero_grad()
        torch.autograd.backward(losses["loss"])
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimiser.step()
        return {name: value.detach() for name, value in losses.items()}

    def save(self) -> None:
        """Write the checkpoint and `log.csv`. An interrupt leaves the previous checkpoint."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        device, states = device_of(self.model), {"cpu": torch.get_rng_state()}
        if device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(device)
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict() if self.schedule is not None else None,
            "history": self.history,
            "random": states,
        }
        unfinished = self.folder / f"{CHECKPOINT}.unfinished"
        torch.save(state, unfinished)
        os.replace(unfinished, self.folder / CHECKPOINT)
        with (self.folder / "log.csv").open("w", newline="", encoding="utf-8") as file:
            log = csv.DictWriter(file, list(dict.fromkeys(k for row in self.history for k in row)))
            log.writeheader()
            log.writerows(self.history)

    def resume(self) -> None:
        """Continue from the checkpoint in the folder. Raises FileNotFoundError without one.

        On the CPU, training then gives the same weights, bit for bit, as without a break.
        """
        file = (self.folder or Path()) / CHECKPOINT
        state = torch.load(file, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.history = state["history"]
        torch.set_rng_state(state["random"]["cpu"])
        if "cuda" in state["random"]:
            torch.cuda.set_rng_state(state["random"]["cuda"], device_of(self.model))


def progress() -> Progress:
    """A bar with the number of steps, the remaining time, and the numbers of the last epoch."""
    title, note = TextColumn("{task.description}"), TextColumn("{task.fields[note]}")
    return Progress(title, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), note)


def note(numbers: Numbers) -> str:
    """The loss without its parts, and what was measured."""
    shown = {name: x for name, x in numbers.items() if name == "loss" or " " in name}
    return ", ".join(f"{name} {x:.4g}" for name, x in shown.items())


def plot(history: list[Numbers], path: Path) -> None:
    """Plot losses and, beside them, what was measured (names with a space), by epoch."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot  # after the choice of what draws

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for name in dict.fromkeys(name for row in history for name in row):
        points = [(row["epoch"], row[name]) for row in history if name in row]
        if name not in ("epoch", "rate"):
            axes[int(" " in name)].plot(*zip(*points, strict=True), ".-", label=name)
    for each, title in zip(axes, ("losses in training", "measured"), strict=True):
        each.set(xlabel="epoch", title=title)
        each.xaxis.get_major_locator().set_params(integer=True)
        if each.lines:
            each.legend()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
