"""Scripting a network.

torch warns that `torch.jit` is deprecated; that is known, and silenced here and nowhere else.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from archspec.graph.compiled import Compiled
from archspec.targets.base import Weights
from archspec_torch.module import to_module
from archspec_torchscript.check import require_loadable

ORIGIN = "weights.txt"
"""Name of the extra file in the archive that says where the weights come from."""


def to_torchscript(
    network: Compiled,
    seed: int = 0,
    module: torch.nn.Module | None = None,
    weights: Weights | None = None,
) -> torch.jit.ScriptModule:
    """The network (or a module made of it, with its weights) as a ScriptModule.

    Raises CompileFailed: E0823 for a name that could be saved but not loaded.
    """
    require_loadable(network)
    with _quiet():
        source = module if module is not None else to_module(network, seed, weights=weights)
        scripted: torch.jit.ScriptModule = torch.jit.script(source)
    return scripted


def save_scripted(
    network: Compiled, path: Path, seed: int = 0, weights: Weights | None = None
) -> None:
    """Script the network and save it."""
    scripted = to_torchscript(network, seed, weights=weights)
    told = {ORIGIN: weights.origin} if weights is not None else {}
    with _quiet():
        torch.jit.save(scripted, str(path), told)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        for category in (FutureWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", message=r".*torch\.jit", category=category)
        yield
