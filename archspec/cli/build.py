"""`archspec build`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from archspec.cli.console import working, write, write_json
from archspec.cli.guard import WrongUsage
from archspec.cli.networks import open_network
from archspec.cli.passes import Passes
from archspec.cli.requests import request
from archspec.diagnostics.printable import printable
from archspec.targets.weight_options import renaming

_EXAMPLE = "--target 'torch{option=value}'"


def run(
    spec: str,
    output: Path | None,
    targets: Sequence[str],
    given: Sequence[str],
    sized: Sequence[str],
    passes: Passes,
    seed: int,
    weights: Path | None,
    entry: str | None,
    ignore: Sequence[str],
    rename: Sequence[str],
    as_json: bool,
) -> None:
    """Write the artefacts of every target and list the files written."""
    from archspec.network import TARGETS

    # torch warns at its first tensor, but no artefact needs NumPy
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
    if weights is None and (entry is not None or ignore or rename):
        raise WrongUsage("--entry, --ignore and --rename are about the file of --weights")
    for option, texts in (("--entry", [entry]), ("--ignore", ignore)):
        if "" in texts:
            raise WrongUsage(f"{option} is empty")
    pairs = [_renaming(text) for text in rename]
    requested = _targets(targets)
    network = open_network(spec, given, passes, sized)
    folder = output or Path("build") / network.name
    chosen = requested or {name: {} for name in TARGETS}
    with working(f"building {network.name} for {', '.join(chosen)}"):
        values = (
            network.read_weights(weights, entry=entry, ignore=ignore, rename=pairs)
            if weights is not None
            else None
        )
        written = network.build(folder, targets=chosen, seed=seed, weights=values)
    origin = values.origin if values is not None else None
    if as_json:
        rows = [{"path": str(path), "bytes": path.stat().st_size} for path in written]
        write_json({"ok": True, "name": network.name, "weights": origin, "files": rows})
        return
    if origin is not None:
        write(f"weights from {printable(origin)}\n")
    for path in written:
        write(f"wrote {path}  ({_size(path.stat().st_size)})\n")
    if not any(path.name == f"{network.name}.svg" for path in written):
        write(f"there is no drawing: {network.name}.report.md gives the reason\n", sys.stderr)


def _targets(texts: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
    """The options of each target. Raises WrongUsage if a target is repeated with other options."""
    found: dict[str, Mapping[str, object]] = {}
    for text in texts:
        asked = request("--target", text, _EXAMPLE)
        if found.setdefault(asked.name, asked.options) != asked.options:
            raise WrongUsage(
                f"--target {text}: `{asked.name}` is already given with other options", _EXAMPLE
            )
    return found


def _renaming(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not sign or "=" in new:
        raise WrongUsage(f"--rename {text}: write it as OLD=NEW", "--rename backbone=body")
    try:
        return renaming(old, new)
    except ValueError as fault:
        raise WrongUsage(f"--rename {text}: {fault}", "--rename backbone=body") from None


def _size(count: int) -> str:
    """A number of bytes in a readable unit."""
    amount, units = float(count), ["bytes", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{count} bytes" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"
