"""Locates the shipped specs, and parses references to specs such as `file.arch:name`.

The shipped specs are in `archspec/specs` in a wheel, in `specs` next to the package in a checkout.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from errno import ELOOP, ENOENT, ENOTDIR
from functools import cache
from pathlib import Path
from types import MappingProxyType

SUFFIX = ".arch"
STANDARD = "std/"
LIBRARY = "archspec/specs/"
"""The prefix of names in messages for shipped specs that another file uses; `STANDARD` is that for
files of the standard library."""

_HEAD = re.compile(r"^[ \t]*(network|preset)[ \t]+([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)


@cache
def folder() -> Path:
    """The folder of the shipped specs."""
    package = Path(__file__).resolve().parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def is_library(name: str) -> bool:
    """Whether the source with this name is shipped with archspec and was read for another file."""
    return name.startswith((STANDARD, LIBRARY))


@cache
def networks() -> Mapping[str, Path]:
    """The file of every shipped network and preset, by name.

    The files are searched for heads of definitions; parsing them would take seconds.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder().glob("*.arch")):
        for _, name in heads(path.read_text(encoding="utf-8", errors="replace")):
            found.setdefault(name, path)
    return MappingProxyType(found)


def in_place_of_file(path: Path) -> str | None:
    """What is at a path instead of a file, in words; None for a file, and if nothing is there.

    Called before a file is opened, since reading a FIFO would never end. Raises OSError, for
    example for missing permissions.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a broken link" if path.is_symlink() else None
    except OSError as fault:
        if fault.errno == ELOOP:
            return "a circular link"
        if fault.errno == ENOTDIR:
            return None
        raise
    except ValueError:  # a character that is not allowed in a path
        return None
    return next((words for is_one, words in _KINDS if is_one(mode)), None)


def is_file(path: Path) -> bool:
    """Whether there is a file at a path. Raises OSError, for example for a name that is too long.

    `Path.is_file` raises or returns False then, depending on the version of Python.
    """
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path. Raises OSError, as `is_file` does."""
    return stat.S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    """The mode of what is at a path, 0 if nothing is there. Raises OSError."""
    try:
        return path.stat().st_mode
    except OSError as fault:
        if fault.errno in (ENOENT, ENOTDIR, ELOOP):
            return 0
        raise
    except ValueError:  # a character that is not allowed in a path
        return 0


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def exists_at(path: Path) -> bool:
    """Whether anything exists at a path, a file or not. Raises OSError."""
    return in_place_of_file(path) is not None or _mode(path) != 0


def parts(text: str) -> tuple[Path, str | None]:
    """The file and the network that a text such as `file.arch:name` refers to.

    A file whose name is the whole text takes precedence.
    """
    file, name = split(text)
    if file != text:
        try:
            if exists_at(Path(text)):
                return Path(text), None
        except OSError:
            pass  # the whole text cannot be a file name, but its first part may be one
    return Path(file), name


def heads(text: str) -> list[tuple[str, str]]:
    """Kind and name of each definition, `("preset", "resnet50")`, in a possibly incorrect text."""
    return [(match[1], match[2]) for match in _HEAD.finditer(text)]


def split(text: str) -> tuple[str, str | None]:
    r"""File and name of `file.arch:name`. The colon of a drive is not a separator.

    `C:\nets\a.arch:b` is `b` in a file on drive C.
    """
    file, colon, name = text.rpartition(":")
    if not colon or "/" in name or "\\" in name or not file:
        return text, None
    if len(file) == 1 and file.isalpha() and name.endswith(SUFFIX):
        return text, None  # C:a.arch, relative to the current folder of a drive
    return file, name or None
