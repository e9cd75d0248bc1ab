"""Running backends, and putting files in their place only when all of them are there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from archspec.analysis.parameters import require_expandable, require_room
from archspec.diagnostics.model import CompileFailed, Diagnostic, diagnostic
from archspec.graph.compiled import Compiled
from archspec.passes.folding.fold import Folding
from archspec.targets.base import EVERYTHING, Backend, Taking, Weights
from archspec.targets.registry import backend


def fitting_weights(
    compiled: Compiled,
    given: Any,
    *,
    whole: Compiled | None = None,
    names_only: bool = False,
    folding: Folding | None = None,
    taking: Taking = EVERYTHING,
) -> Weights:
    """The weights in a file or state dict, which must be those of the network.

    Those of `whole`, the network that this one was extracted from, will do too, and where it was
    made by a `folding` those of the network as it was. Where `names_only` holds, tensors may lack
    values. Raises CompileFailed: E0840, E0841, E0842.
    """
    target: Any = backend("torch")
    found: Weights = target.weights(
        compiled, given, whole=whole, names_only=names_only, folding=folding, taking=taking
    )
    return found


def first_folded(folding: Folding, seed: int) -> Weights:
    """The first weights of a folded network: those of the network as it was, folded.

    Raises CompileFailed: E0520.
    """
    require_expandable(folding.whole)
    require_room(folding.whole)
    target: Any = backend("torch")
    found: Weights = target.first_folded(folding, seed)
    return found


def build_targets(
    compiled: Compiled,
    folder: Path,
    targets: Sequence[str],
    seed: int,
    weights: Weights | None = None,
) -> None:
    """Let each target write its artefacts.

    Raises CompileFailed: E0520 when the network is too large to be written out, or for the memory
    of this machine, E0801 for an unknown target, E0802 for ops that a target does not lower.
    """
    require_expandable(compiled)
    chosen = [backend(name) for name in dict.fromkeys(targets)]
    if any(target.holds_weights for target in chosen):
        require_room(compiled)
    faults = [fault for target in chosen for fault in _unsupported(compiled, target)]
    if faults:
        raise CompileFailed(faults)
    for target in chosen:
        with _memory_of(compiled):
            target.build(compiled, folder, seed, weights)


def live_module(
    compiled: Compiled, *, device: Any, dtype: Any, seed: int, weights: Weights | None
) -> Any:
    """The network as a live module of the target `torch`.

    Raises CompileFailed: E0520, E0801, E0802.
    """
    require_expandable(compiled)
    if str(device) != "meta":
        require_room(compiled)
    target: Any = backend("torch")
    faults = list(_unsupported(compiled, target))
    if faults:
        raise CompileFailed(faults)
    return target.module(compiled, device=device, dtype=dtype, seed=seed, weights=weights)


@contextmanager
def _memory_of(compiled: Compiled) -> Iterator[None]:
    """Say in words that there is too little memory; torch has no exception of its own for it."""
    try:
        yield
    except (MemoryError, RuntimeError) as fault:
        if not isinstance(fault, MemoryError) and "allocate memory" not in str(fault):
            raise
        message = f"there is too little memory for the weights of `{compiled.name}`"
        place = compiled.inference.origin.span
        fix = "its source alone is written by `--target torch`"
        raise CompileFailed([diagnostic("E0520", message, place, fix=fix)]) from None


def _unsupported(compiled: Compiled, target: Backend) -> Iterator[Diagnostic]:
    for op, reason in sorted(target.unsupported(compiled).items()):
        message = f"target `{target.name}` has no lowering for `{op}`: {reason}"
        yield diagnostic("E0802", message, compiled.inference.origin.span)


@contextmanager
def staged(directory: Path) -> Iterator[tuple[Path, list[Path]]]:
    """A temporary folder whose files move into `directory` when nothing failed.

    Also gives the list that then holds their new paths, sorted. Raises CompileFailed (E0803)
    when `directory` cannot be written.
    """
    is_new = not directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".archspec-", dir=directory))
    except OSError as error:
        words = error.strerror or str(error)
        message = f"cannot write into {directory}: {words}"
        raise CompileFailed([diagnostic("E0803", message)]) from error
    files: list[Path] = []
    try:
        yield folder, files
        made = sorted(item for item in folder.rglob("*") if item.is_file())
        places = {path: directory / path.relative_to(folder) for path in made}
        for place in places.values():
            if place.is_dir():
                message = f"cannot write {place}: a folder of that name is there"
                raise CompileFailed([diagnostic("E0803", message)])
        for path, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
            files.append(place)
    except OSError as error:
        words = error.strerror or str(error)
        message = f"cannot write into {directory}: {words}"
        raise CompileFailed([diagnostic("E0803", message)]) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if is_new and not files:
            with suppress(OSError):
                directory.rmdir()
