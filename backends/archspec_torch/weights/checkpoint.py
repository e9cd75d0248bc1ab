"""Reading and writing state dicts in files, without running code in them."""

from __future__ import annotations

import re
import stat
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import torch

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.diagnostics.printable import printable
from archspec.staging import deferring
from archspec.targets.weights import EVERYTHING, Taking, Weights
from archspec_torch.weights.selection import Stored, selected, several
from archspec_torch.weights.tensors import tensors

_ZIP = b"PK\x03\x04"
_CODE = re.compile(r"GLOBAL ([\w.]+)")


def stored(given: str | Path | Mapping[str, Any]) -> Stored:
    """The only state dict in a file, or in a loaded object; see `candidates`."""
    found = candidates(given)
    if len(found) > 1:
        raise several(found[0].source, [item.entry for item in found])
    return found[0]


def candidates(
    given: str | Path | Mapping[str, Any], taking: Taking = EVERYTHING
) -> tuple[Stored, ...]:
    """The state dicts in a file, or in what such a file holds, that may be meant.

    Tensors of large files are mapped into memory, not read. Raises CompileFailed: E0840 when the
    file cannot be read, E0841 when it holds no state dict; TypeError for what is neither.
    """
    if isinstance(given, Mapping):
        return selected(given, "a state dict", taking)
    if not isinstance(given, str | Path):
        raise TypeError(f"weights must be a file or a state dict, not {type(given).__name__}")
    if given == "":
        raise CompileFailed([diagnostic("E0840", "cannot read the weights: the path is empty")])
    path = Path(given)
    head = _head(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, depending on the age of the file
            is_safe = path.suffix == ".safetensors" or head[8:9] == b"{"
            loaded = _safetensors(path) if is_safe else _pickled(path, head)
    except Exception as fault:  # exceptions of readers for a damaged file are not documented
        raise _unreadable(path, str(fault)) from None
    return selected(loaded, path.name, taking)


def save(weights: Weights, path: Path) -> None:
    """Write the tensors as a plain state dict, which `torch.load` reads with `weights_only`.

    torch's own writer may end the process where the disk is full. Raises OSError instead.
    """
    values = {name: value.detach() for name, value in tensors(weights).items()}
    for name, value in values.items():
        if value.untyped_storage().nbytes() > value.nbytes:  # otherwise the whole storage is saved
            values[name] = value.clone()
    with deferring(path) as file:
        torch.save(values, file)


def _head(path: Path) -> bytes:
    """The first bytes of a file."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "it is a folder" if stat.S_ISDIR(mode) else "it is not a file"
            raise OSError(what)
        with path.open("rb") as file:
            return file.read(9)
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the name
        words = getattr(fault, "strerror", None) or str(fault)
        message = f"cannot read the weights in {path}: {words}"
        raise CompileFailed([diagnostic("E0840", message)]) from None


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors.torch import load_file  # noqa: PLC0415

    found: Mapping[str, Any] = load_file(path)
    return found


def _pickled(path: Path, head: bytes) -> object:
    """What `torch.save` wrote. Only the newer of its two formats can be mapped."""
    mapped = head.startswith(_ZIP)
    if mapped:
        _require_stored(path)
    found: object = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    return found


def _require_stored(path: Path) -> None:
    """Raise ValueError for compressed data: a few bytes could fill the memory."""
    with ZipFile(path) as archive:
        for item in archive.infolist():
            is_data = item.filename.endswith("data.pkl") or "/data/" in item.filename
            if is_data and item.compress_type != ZIP_STORED:
                raise ValueError("its data are compressed, which torch.save does not do")


def _unreadable(path: Path, words: str) -> CompileFailed:
    code = _CODE.search(words)
    if code is not None:
        message = (
            f"{path} contains Python objects (`{code[1]}`), which run code when they are loaded; "
            "it is refused"
        )
        fix = "save the state dict alone, in .safetensors or with torch.save"
        return CompileFailed([diagnostic("E0841", message, fix=fix)])
    if "TorchScript archive" in words:
        message = f"{path} is a TorchScript module, not a state dict"
        fix = "load it with torch.jit.load and save its state_dict()"
        return CompileFailed([diagnostic("E0841", message, fix=fix)])
    message = f"{path} cannot be read: it is damaged, or contains no weights"
    notes = ["weights are .safetensors files, and state dicts that torch.save wrote"]
    if words and len(words) < 200:
        notes.insert(0, f"the reader says: {printable(words)}")
    return CompileFailed([diagnostic("E0841", message, notes=notes)])
