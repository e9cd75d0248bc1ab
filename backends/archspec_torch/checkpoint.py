"""Reading and writing state dicts in files, without running anything that stands in them."""

from __future__ import annotations

import re
import stat
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import torch

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.diagnostics.printable import printable
from archspec.targets.base import Weights

_ENTRIES = (
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "network",
    "net",
    "params",
    "weights",
)
"""Where training scripts keep the state dict beside other things; earlier ones win."""

_ZIP = b"PK\x03\x04"
_CODE = re.compile(r"GLOBAL ([\w.]+)")


@dataclass(frozen=True, eq=False)
class Stored:
    """A state dict as it was found; `entry` is the one of the file in which it stood."""

    tensors: Mapping[str, Any]
    source: str
    entry: str = ""


def stored(given: str | Path | Mapping[str, Any]) -> Stored:
    """The state dict in a file, or in what such a file holds.

    Tensors of large files are mapped into memory, not read. Raises CompileFailed: E0840 when the
    file cannot be read, E0841 when it holds no state dict; TypeError for what is neither.
    """
    if isinstance(given, Mapping):
        return _unwrapped(given, "a state dict")
    if not isinstance(given, str | Path):
        raise TypeError(f"weights must be a file or a state dict, not {type(given).__name__}")
    path = Path(given)
    head = _head(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on how old the file is
            is_safe = path.suffix == ".safetensors" or head[8:9] == b"{"
            loaded = _safetensors(path) if is_safe else _pickled(path, head)
    except Exception as fault:  # what a damaged file makes its readers raise is not documented
        raise _unreadable(path, str(fault)) from None
    return _unwrapped(loaded, path.name)


def save(weights: Weights, path: Path) -> None:
    """Write the tensors as a plain state dict, which `torch.load` reads with `weights_only`."""
    values = {name: value.detach() for name, value in weights.tensors.items()}
    for name, value in values.items():
        if value.untyped_storage().nbytes() > value.nbytes:  # else what it is a part of is saved
            values[name] = value.clone()
    torch.save(values, path)


def _head(path: Path) -> bytes:
    """The first bytes of a file."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "it is a folder" if stat.S_ISDIR(mode) else "it is no file"
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
    """Raise ValueError for compressed data: a few bytes of them could fill the memory."""
    with ZipFile(path) as archive:
        for item in archive.infolist():
            is_data = item.filename.endswith("data.pkl") or "/data/" in item.filename
            if is_data and item.compress_type != ZIP_STORED:
                raise ValueError("its data are compressed, which torch.save does not do")


def _unreadable(path: Path, words: str) -> CompileFailed:
    code = _CODE.search(words)
    if code is not None:
        message = (
            f"{path} holds Python objects (`{code[1]}`), whose reading runs code; it is refused"
        )
        fix = "save the state dict alone, in .safetensors or with torch.save"
        return CompileFailed([diagnostic("E0841", message, fix=fix)])
    if "TorchScript archive" in words:
        message = f"{path} is a TorchScript module, not a state dict"
        fix = "load it with torch.jit.load and save its state_dict()"
        return CompileFailed([diagnostic("E0841", message, fix=fix)])
    message = f"{path} cannot be read: it is damaged, or holds no weights"
    notes = ["weights are .safetensors files, and state dicts that torch.save wrote"]
    if words and len(words) < 200:
        notes.insert(0, f"the reader says: {printable(words)}")
    return CompileFailed([diagnostic("E0841", message, notes=notes)])


def _unwrapped(loaded: object, source: str) -> Stored:
    """The state dict in what was read: all of it, or one of its entries."""
    if not isinstance(loaded, Mapping):
        raise _no_state_dict(source, f"a {type(loaded).__name__}")
    if _is_state_dict(loaded):
        return Stored(loaded, source)
    entries = [name for name, value in loaded.items() if _is_state_dict(value) and value]
    named = [name for name in _ENTRIES if name in entries]
    if named or len(entries) == 1:
        entry = (named or entries)[0]
        return Stored(loaded[entry], source, str(entry))
    if entries:
        listed = ", ".join(f"`{name}`" for name in entries[:8])
        raise _no_state_dict(source, f"several: {listed}", "take one out and save it alone")
    if any(isinstance(value, torch.Tensor) for value in loaded.values()):
        return Stored({str(name): value for name, value in loaded.items()}, source)
    raise _no_state_dict(source, "a dict without tensors")


def _is_state_dict(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(item, torch.Tensor) for name, item in value.items()
    )


def _no_state_dict(source: str, what: str, fix: str | None = None) -> CompileFailed:
    message = f"{source} should hold one state dict, tensors by name, but holds {what}"
    return CompileFailed([diagnostic("E0841", message, fix=fix)])
