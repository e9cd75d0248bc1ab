"""The speed of generated modules, as ratios. README.md in this folder explains how to read them."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from paired import ROOT, Ratio, Times, call, paired, report
from torch import Tensor, nn

import archspec

SPECS = ROOT / "specs"
PEERS = {"resnet50": "resnet.arch", "densenet121": "densenet.arch", "vit_b_16": "vit.arch"}
"""Networks of torchvision, and their specs."""
FOLDED = {"resnet50": "resnet.arch", "unireplknet_a": "unireplknet.arch"}
AS_FAST = 1.03
GLOBAL_SHARE = 0.4
"""Relative to a step that computes all columns: steps of one column, as a mean over columns."""
FRACTALNET_BATCH = 16


def main() -> int:
    """Measure and print; 1 if a target was missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="pairs of each")
    parser.add_argument("--only", default="", help="those with this in their name")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=64, help="height and width of the images")
    parser.add_argument("--fractalnet", default="fractalnet40_w16", help="a preset of 4 columns")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = [*against_torchvision(options), *folded(options), *drop_path(options)]
    return report("Generated modules", found)


# ---------------------------------------------------------------------- torchvision


def against_torchvision(options: argparse.Namespace) -> list[Ratio]:
    """Forward pass and training step of the modules that torchvision has, too."""
    names = [name for name in PEERS if options.only in name]
    if names and importlib.util.find_spec("torchvision") is None:
        print("torchvision is not installed, nothing to compare with", file=sys.stderr)
        return []
    return [ratio for name in names for ratio in compared(name, options)]


def compared(name: str, options: argparse.Namespace) -> list[Ratio]:
    """One network, generated and hand-written, with the same weights."""
    from torchvision import models

    sized = {"image_size": options.size} if name.startswith("vit") else {}
    theirs = getattr(models, name)(**sized).to(options.device)
    network = archspec.load(SPECS / PEERS[name], name, **({"size": options.size} if sized else {}))
    ours = network.to_torch(device=options.device)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    images = torch.randn(options.batch, 3, options.size, options.size, device=options.device)
    measure = partial(
        paired,
        against="torchvision",
        target=AS_FAST,
        rounds=options.rounds,
        clock=clock(options),
    )
    return [
        measure(
            f"{name}, {what}",
            partial(timed, prepare(ours, images), options),
            partial(timed, prepare(theirs, images), options),
        )
        for what, prepare in (("forward", forward), ("training step", training_step))
    ]


def forward(module: nn.Module, images: Tensor) -> Callable[[], None]:
    """A forward pass in eval mode."""

    def run() -> None:
        module.eval()
        with torch.inference_mode():
            module(images)

    return run


def training_step(module: nn.Module, images: Tensor) -> Callable[[], None]:
    """Forward, backward and a step of SGD."""
    optimiser = torch.optim.SGD(module.parameters(), 1e-3, momentum=0.9)
    labels = torch.zeros(len(images), dtype=torch.long, device=images.device)

    def run() -> None:
        module.train()
        optimiser.zero_grad()
        F.cross_entropy(module(images), labels).backward()
        optimiser.step()

    return run


def clock(options: argparse.Namespace) -> str:
    """CPU time does not include the time of an accelerator."""
    return "cpu" if options.device == "cpu" else "wall"


def timed(run: Callable[[], None], options: argparse.Namespace) -> Times:
    """One run, until the device has finished."""

    def finished() -> None:
        run()
        if options.device != "cpu":
            torch.accelerator.synchronize()

    return call(finished)


# ---------------------------------------------------------------------- folding


def folded(options: argparse.Namespace) -> list[Ratio]:
    """Forward passes with folded norms and merged parallel convolutions, against the original."""
    found: list[Ratio] = []
    for name, file in FOLDED.items():
        what = f"{name} folded, forward"
        if options.only not in what:
            continue
        network = archspec.load(SPECS / file, name)
        images = torch.randn(options.batch, 3, options.size, options.size, device=options.device)
        runs = (
            partial(timed, forward(each.to_torch(device=options.device), images), options)
            for each in (network.fold(), network)
        )
        found.append(
            paired(
                what,
                *runs,
                against="the same, not folded",
                target=1.0,
                rounds=options.rounds,
                clock=clock(options),
            )
        )
    return found


# ---------------------------------------------------------------------- drop-path


def drop_path(options: argparse.Namespace) -> list[Ratio]:
    """A training step that computes one column, compared with one that computes all columns."""
    name = f"{options.fractalnet}, training step with one column"
    if options.only not in name:
        return []
    one, every = (
        archspec.load(SPECS / "fractalnet.arch", options.fractalnet, drop=0.0, **{"global": share})
        for share in (1.0, 0.0)
    )
    images = torch.randn(FRACTALNET_BATCH, 3, 32, 32, device=options.device)
    module = one.to_torch(device=options.device)
    draws = partial(mean_over_columns, module, training_step(module, images), options)
    whole = training_step(every.to_torch(device=options.device), images)
    return [
        paired(
            name,
            draws,
            partial(timed, whole, options),
            against="the step with all columns",
            target=GLOBAL_SHARE,
            rounds=options.rounds,
            note=f"batch {FRACTALNET_BATCH}, mean over the columns",
            clock=clock(options),
        )
    ]


def mean_over_columns(
    module: nn.Module, step: Callable[[], None], options: argparse.Namespace
) -> Times:
    """The time of a step as the mean over columns; steps run until each column was drawn.

    The columns are told apart by how many weights have a gradient: it doubles with the depth.
    """
    seen: dict[int, Times] = {}
    while len(seen) < 4:
        took = timed(step, options)
        trained = sum(1 for weight in module.parameters() if weight.grad is not None)
        seen.setdefault(trained, took)
    return Times(
        sum(times.cpu for times in seen.values()) / len(seen),
        sum(times.wall for times in seen.values()) / len(seen),
    )


if __name__ == "__main__":
    sys.exit(main())
