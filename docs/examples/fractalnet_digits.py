"""Train a FractalNet with drop-path on scikit-learn's digits, and extract its columns.

    pip install 'archspec-nn[examples]'
    python docs/examples/fractalnet_digits.py --epochs 60 --seed 0

Prints the test accuracy of the whole network, of each of its columns as a separate network, and of
a plain network with the depth of the deepest column, trained for the same number of epochs; plots
the accuracies by epoch. The networks are in `digits.arch`. The same seed gives the same numbers on
the same machine with the same versions.
"""

from __future__ import annotations

import argparse
import copy
import os
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import sklearn
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor, nn
from train_digits import digits
from trainer import Named, Trainer, evaluate, progress

import archspec

SPEC = Path(__file__).parent / "digits.arch"
BATCH = 32
LEARNING_RATE = 0.02


@dataclass
class Candidate:
    """A network, with its test accuracy after each epoch and at the end."""

    name: str
    network: archspec.Network
    module: nn.Module
    accuracy: list[float] = field(default_factory=list)
    settled: float = 0.0
    """Test accuracy with recomputed statistics of batch norms."""


def main() -> None:
    """Train, print the results and plot them."""
    options = arguments()
    deterministic()
    console = Console()
    data, test = digits(options.seed, options.examples)
    fractal = load("fractal_digits", options)
    columns = [column(fractal, k, options.device) for k in range(1, options.columns + 1)]
    plain = load("plain_digits", options)
    with progress() as bar:
        train(fractal, columns, data, test, options, bar)
        train(plain, [], data, test, options, bar)
    candidates = [fractal, *columns, plain]
    for each in candidates:
        images = data["image"].to(options.device)
        each.settled = accuracy(settled(each.module, images), test)
    console.print(table(candidates, len(test["labels"])))
    console.print(f"seed {options.seed}, torch {torch.__version__}, sklearn {sklearn.__version__}")
    plot(candidates, options.plot)
    console.print(f"drawn into {options.plot}")


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description="FractalNet with drop-path on scikit-learn's digits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, default=60, help="passes over the training images")
    parser.add_argument("--seed", type=int, default=0, help="of split, weights, order, drop-path")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, ..")
    parser.add_argument("--columns", type=int, default=3, help="columns of the fractal")
    parser.add_argument("--examples", type=int, help="number of images for training and testing")
    parser.add_argument("--plot", type=Path, default=Path("fractalnet_digits.svg"), help="a file")
    return parser.parse_args()


def deterministic() -> None:
    """Make torch deterministic; on CUDA, cuBLAS must be configured before it starts."""
    torch.set_num_threads(1)  # a fixed order of sums; more threads are no faster for small images
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)


def load(name: str, options: argparse.Namespace) -> Candidate:
    """A network of `digits.arch` with initial weights."""
    network = archspec.load(SPEC, name, columns=options.columns)
    module = network.to_torch(device=options.device, seed=options.seed)
    return Candidate("whole" if name == "fractal_digits" else "plain", network, module)


def column(fractal: Candidate, k: int, device: str) -> Candidate:
    """Column k as a plain network; column 1 is the shallowest."""
    network = fractal.network.extract(column=k)
    return Candidate(f"column {k}", network, network.to_torch(device=device))


def train(
    candidate: Candidate,
    columns: list[Candidate],
    data: Named,
    test: Named,
    options: argparse.Namespace,
    bar: Progress,
) -> None:
    """Train with momentum; after each half of the remaining epochs, divide the rate by ten."""
    torch.manual_seed(options.seed)
    optimiser = torch.optim.SGD(candidate.module.parameters(), LEARNING_RATE, momentum=0.9)
    halves = [round(options.epochs * (1 - 2.0**-i)) for i in range(1, 5)]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, halves)
    trainer = Trainer(
        candidate.module,
        optimiser,
        schedule,
        measure=lambda: measured(candidate, columns, test),
    )
    trainer.train(data, options.epochs, BATCH, candidate.name, bar)


def measured(whole: Candidate, columns: list[Candidate], test: Named) -> dict[str, float]:
    """Record the test accuracy of a network and of its columns with the current weights."""
    state = whole.module.state_dict()
    for each in columns:
        each.module.load_state_dict({name: state[name] for name in each.module.state_dict()})
    for each in (whole, *columns):
        each.accuracy.append(accuracy(each.module, test))
    return {"test accuracy": whole.accuracy[-1]}


def accuracy(module: nn.Module, test: Named) -> float:
    """The proportion of test images that are classified correctly."""
    return evaluate(module, test)["test accuracy"]


@torch.inference_mode()
def settled(module: nn.Module, images: Tensor) -> nn.Module:
    """A copy of the network, with statistics of batch norms from one pass over these images.

    In training with drop-path, the input of a batch norm is sometimes a single column and
    sometimes the mean of several, so its running averages fit neither the whole network nor a
    column.
    """
    module = copy.deepcopy(module).eval()
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = 1.0
        norm.train()
    module(images)
    return module.eval()


def table(candidates: list[Candidate], tested: int) -> Table:
    """The table of the results."""
    result = Table("network", title=f"Test accuracy on {tested} digits")
    for head in ("layers", "parameters", "MACs", "as trained", "settled"):
        result.add_column(head, justify="right")
    for each in candidates:
        network = each.network
        result.add_row(
            each.name,
            str(network.depth),
            f"{network.parameters:,}",
            f"{network.macs():,}",
            f"{each.accuracy[-1]:.1%}",
            f"{each.settled:.1%}",
        )
    return result


def plot(candidates: list[Candidate], path: Path) -> None:
    """Plot the test accuracy by epoch and at the end."""
    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "digits"  # the same ids in each run
    from matplotlib import pyplot  # after the choice of what draws

    figure, (course, end) = pyplot.subplots(
        1, 2, figsize=(10, 4), width_ratios=(3, 2), layout="constrained"
    )
    shades = pyplot.colormaps["viridis"].resampled(len(candidates)).colors[1:-1]
    for each, colour in zip(candidates, ["black", *shades, "tab:red"], strict=True):
        percent = [100 * value for value in each.accuracy]
        course.plot(range(1, len(percent) + 1), percent, color=colour, label=each.name)
        end.plot(percent[-1], each.name, "o", color=colour, fillstyle="none", markersize=9)
        end.plot(100 * each.settled, each.name, "o", color=colour, markersize=5)
    course.set(xlabel="epoch", ylabel="test accuracy, %", title="in training")
    course.legend()
    end.set(xlabel="test accuracy, %", title="after training")
    large = pyplot.Line2D([], [], color="grey", marker="o", ls="", ms=9, fillstyle="none")
    small = pyplot.Line2D([], [], color="grey", marker="o", ls="", ms=5)
    end.legend([large, small], ["as trained", "settled"])
    end.margins(0.1)
    end.invert_yaxis()
    end.grid(axis="x", alpha=0.3)
    for axes in (course, end):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=150)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
