"""Train a network for images on scikit-learn's digits.

    pip install 'archspec-nn[examples]'
    python docs/examples/train_digits.py lenet --epochs 5 --out run
    python docs/examples/train_digits.py unet --set classes=11 --size H=W=32 --out maps
    python docs/examples/train_digits.py nin_dsn_cifar10 --input companion_weight=0.1 --out losses

A network that returns a map [B, classes, H, W] learns to label pixels: 0 is the background, a digit
d is 1 + d. The folder gets a checkpoint, `log.csv` and `history.svg`; `--resume` continues.
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.optim.lr_scheduler import LambdaLR
from trainer import Named, Trainer, evaluate, outputs_of, parameter_groups, plot, prediction

import archspec


def main() -> None:
    """Train, log the accuracy on the test images and plot it."""
    options = arguments()
    try:
        network = archspec.load(options.spec, **dict(options.set))
        for chosen in options.size:
            network = network.at(**chosen)
        model = network.to_torch(device=options.device, seed=options.seed)
        parts = digits(options.seed, options.examples)
        train, test = (fitted(part, model) | dict(options.input) for part in parts)
        optimiser = torch.optim.AdamW(parameter_groups(model, options.weight_decay), options.rate)
        trainer = Trainer(
            model,
            optimiser,
            LambdaLR(optimiser, lambda epoch: (1 + math.cos(math.pi * epoch / options.epochs)) / 2),
            measure=lambda: evaluate(model, test),
            clip=options.clip,
            folder=options.out,
        )
        torch.manual_seed(options.seed)
        if options.resume:
            trainer.resume()
        trainer.train(train, options.epochs, options.batch, network.name)
    except (OSError, TypeError, ValueError, FloatingPointError, archspec.CompileFailed) as failure:
        raise SystemExit(str(failure)) from None
    plot(trainer.history, options.out / "history.svg")


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description="Train a network for images on scikit-learn's digits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("spec", help="lenet, mine.arch or mine.arch:name, as for `archspec show`")
    add("--set", type=setting, action="append", default=[], help="a parameter: classes=10")
    add("--input", type=setting, action="append", default=[], help="a number: teacher_weight=0.5")
    add("--size", type=sizes, action="append", default=[], help="of images: H=W=32")
    add("--epochs", type=int, default=10, help="passes over the training images")
    add("--batch", type=int, default=32, help="images in a step")
    add("--rate", type=float, default=1e-3, help="first learning rate; it falls as a cosine")
    add("--weight-decay", type=float, default=0.01, help="of AdamW")
    add("--clip", type=float, help="largest norm of the gradient")
    add("--seed", type=int, default=0, help="of split, weights and order")
    add("--device", default="cpu", help="cpu, cuda, ..")
    add("--examples", type=int, help="number of images for training and testing")
    add("--out", type=Path, default=Path("run"), help="folder for checkpoint, log and plot")
    add("--resume", action="store_true", help="continue from the checkpoint in the folder")
    return parser.parse_args()


def setting(text: str) -> tuple[str, Any]:
    """A parameter of the network: a number, a list, a boolean, or else text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def sizes(text: str) -> dict[str, int]:
    """Sizes of free dimensions, as in `H=W=32`."""
    *names, size = text.split("=")
    return dict.fromkeys(names, int(size))


def digits(seed: int, count: int | None = None) -> tuple[Named, Named]:
    """Images [B, 1, 8, 8] from 0 to 1 and labels [B]; a random quarter is for testing."""
    bunch = load_digits()
    images, labels = bunch.images[:count] / 16.0, bunch.target[:count]
    parts = train_test_split(images, labels, test_size=0.25, random_state=seed)
    image, test_image = (torch.from_numpy(part).float()[:, None] for part in parts[:2])
    label, test_label = (torch.from_numpy(part) for part in parts[2:])
    return {"image": image, "labels": label}, {"image": test_image, "labels": test_label}


def fitted(data: Named, model: torch.nn.Module) -> Named:
    """Images of the size of the model's first input, and labels of the images or their pixels."""
    names = inspect.signature(model.forward).parameters
    example = dict(zip(names, model.example_inputs(), strict=True))
    name, like = next(iter(example.items()))
    if like.dim() != 4:
        raise ValueError(f"`{name}` is no image; train on other data with `trainer.py`")
    images = F.interpolate(data["image"], like.shape[2:], mode="bilinear")
    labels = data["labels"]
    if prediction(outputs_of(model.eval(), example)).dim() == 4:
        labels = torch.where(images[:, 0] > 0.5, 1 + labels[:, None, None], 0)
    return {name: images.expand(-1, like.shape[1], -1, -1), "labels": labels}


if __name__ == "__main__":
    main()
