"""Runs backends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from archspec.analysis.buildable import require_buildable
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.extensions import attributing_failures
from archspec.graph.compiled import Compiled
from archspec.options import Options, read_options
from archspec.passes.folding.fold import Folding
from archspec.targets.base import Backend, BuildRequest, Uncovered
from archspec.targets.lowering import unlowered
from archspec.targets.registry import (
    KIND,
    backend,
    importing,
    live_backend,
    weight_store,
    without_weights,
)
from archspec.targets.weights import Weights


def first_folded(folding: Folding, seed: int) -> Weights:
    """The initial weights of a folded network: the folded initial weights of the original.

    Raises CompileFailed: E0520.
    """
    require_buildable(folding.whole, with_weights=True)
    store = weight_store()
    with _memory_of(folding.whole), importing(store.name):
        return store.first_folded(folding, seed)


def build_targets(
    compiled: Compiled,
    folder: Path,
    targets: Mapping[str, Mapping[str, object]],
    seed: int,
    weights: Weights | None = None,
) -> None:
    """Let each target write its artefacts; `targets` maps target names to option values.

    Raises CompileFailed: E0520 if the network is too large to write out or for the memory of this
    machine, E0801 for an unknown target or option and if a third-party target fails, E0802 for ops
    that a target does not lower.
    """
    found = [(backend(name), given) for name, given in targets.items()]
    chosen = [
        (target, BuildRequest(compiled, folder, seed, weights, _options(target, given)))
        for target, given in found
    ]
    require_buildable(compiled, with_weights=any(target.holds_weights for target, _ in chosen))
    _require_lowered(compiled, [target for target, _ in chosen])
    for target, request in chosen:
        bare = without_weights() if weights is None and target.holds_weights else None
        fix = f"`--target {bare}` writes the source alone, without it" if bare else None
        with (
            attributing_failures(KIND, target.name, KIND.code),
            _memory_of(compiled),
            importing(target.name, fix),
        ):
            target.build(request)


def _options(target: Backend, given: Mapping[str, object]) -> Options:
    with attributing_failures(KIND, target.name, KIND.code):
        return read_options("target", target, given, KIND.code)


def live_module(
    compiled: Compiled, *, device: object, dtype: object, seed: int, weights: Weights | None
) -> object:
    """The network as a live module, from the first target that can create one.

    Raises CompileFailed: E0520, E0801, E0802.
    """
    require_buildable(compiled, with_weights=str(device) != "meta")
    live = live_backend()
    _require_lowered(compiled, [live])
    with (
        attributing_failures(KIND, live.name, KIND.code),
        _memory_of(compiled),
        importing(live.name),
    ):
        return live.module(compiled, device=device, dtype=dtype, seed=seed, weights=weights)


@contextmanager
def _memory_of(compiled: Compiled) -> Iterator[None]:
    """Report MemoryError as a diagnostic (E0520)."""
    try:
        yield
    except MemoryError:
        message = f"there is too little memory for the weights of `{compiled.name}`"
        place = compiled.inference.origin.span
        bare = without_weights()
        fix = f"only the source, which contains no weights, is written by `--target {bare}`"
        raise CompileFailed(
            [diagnostic("E0520", message, place, fix=fix if bare is not None else None)]
        ) from None


def _require_lowered(compiled: Compiled, targets: Sequence[Backend]) -> None:
    """Raise CompileFailed (E0802) with every place of an op that some target does not lower."""
    faults = unlowered(compiled, {one.name: _uncovered(one, compiled) for one in targets})
    if faults:
        raise CompileFailed(faults)


def _uncovered(target: Backend, compiled: Compiled) -> tuple[Uncovered, ...]:
    with attributing_failures(KIND, target.name, KIND.code):
        return tuple(target.coverage(compiled))
