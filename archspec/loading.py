"""Loads a network from a file or by the name of a shipped network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.diagnostics.printable import printable
from archspec.diagnostics.refusal import refusal
from archspec.diagnostics.suggest import closest, meant
from archspec.network import Network


def load(file: str | Path, name: str | None = None, **parameters: Any) -> Network:
    """Compile a network from a file.

    `name` selects a network or preset if the file has several; it can also follow the file:
    `"nets.arch:small"`. `file` can also be the name of a shipped network (`"resnet50"`).
    `parameters` are the network's parameters: numbers, bools, strings and lists of them; a layer is
    an op or block as written in a spec: "relu", "batch_norm(eps=1e-3)". Raises FileNotFoundError,
    and CompileFailed, whose `diagnostics` describe errors in the spec or on reading the file.
    """
    from archspec.semantics.compile import load_network
    from archspec.targets.preflight import is_reserved

    try:
        place = _located(file, name)
        compiled, sink = load_network(*place, parameters, reserved=is_reserved)
    except FileNotFoundError:
        raise
    except OSError as fault:  # such as a name that is too long or missing permissions
        raise CompileFailed([refusal(fault)]) from None
    return Network(compiled, sink.diagnostics)


def _located(file: str | Path, name: str | None) -> tuple[Path, str | None]:
    """The file and the name of the network in it, from the arguments of `load`."""
    from archspec import shipped

    if file == "":
        raise CompileFailed([diagnostic("E0804", "the path of the spec is empty")])
    path, text = Path(file), str(file)
    if name is None:
        path, name = shipped.parts(text)
    if ("\n" in text or "{" in text) and not os.path.lexists(path):
        raise FileNotFoundError(
            "this is the text of a spec, and `load` takes the path of a file: write it to one "
            'first, `Path("net.arch").write_text(text)`, and load that'
        )
    known = shipped.networks()
    if shipped.exists_at(path) and not (shipped.is_folder(path) and text in known):
        return path, name
    if text in known:
        return known[text], name or text
    near = None if path.suffix else meant(closest(text, known))
    hint = f"; {near}" if near else ""
    if text.startswith("~"):
        hint = "; `~` is not expanded here, as it is by a shell: `Path(..).expanduser()`"
    shown = printable(str(path))
    raise FileNotFoundError(f"there is no file and no shipped network `{shown}`{hint}")
