"""Where specs are: those that come with the package, and how one is named.

In a wheel they stand in `archspec/specs`, in a checkout in `specs` beside the package.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from errno import ELOOP, ENOTDIR
from functools import cache
from pathlib import Path
from types import MappingProxyType

SUFFIX = ".arch"
STANDARD = "std/"
LIBRARY = "archspec/specs/"
"""How files of the standard library, and shipped specs that another file uses, are named in what is
said of them."""

_HEAD = re.compile(r"^[ \t]*(network|preset)[ \t]+([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)


@cache
def folder() -> Path:
    """Where the shipped specs stand."""
    package = Path(__file__).resolve().parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def is_library(name: str) -> bool:
    """Whether a text of this name comes with the package and was read for another file."""
    return name.startswith((STANDARD, LIBRARY))


@cache
def networks() -> Mapping[str, Path]:
    """Every shipped network and preset with its file.

    The files are searched for heads of definitions, not parsed: that would take seconds.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder().glob("*.arch")):
        for _, name in heads(path.read_text(encoding="utf-8", errors="replace")):
            found.setdefault(name, path)
    return MappingProxyType(found)


def in_place_of_file(path: Path) -> str | None:
    """What stands at a path in place of a file, in words; None for a file, and where nothing is.

    Asked before a file is opened: a FIFO would never end. Raises OSError, as for missing rights.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to nothing" if path.is_symlink() else None
    except OSError as fault:
        if fault.errno == ELOOP:
            return "a link that leads back to itself"
        if fault.errno == ENOTDIR:
            return None
        raise
    except ValueError:  # a character that no path may have
        return None
    return next((words for is_one, words in _KINDS if is_one(mode)), None)


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def is_there(path: Path) -> bool:
    """Whether anything stands at a path, a file or what is none. Raises OSError."""
    return in_place_of_file(path) is not None or path.exists()


def parts(text: str) -> tuple[Path, str | None]:
    """The file that a text means, and the network in it: of `file.arch:name`, or of the whole text.

    A file that has the whole text for its name comes first.
    """
    file, name = split(text)
    if file != text:
        try:
            if is_there(Path(text)):
                return Path(text), None
        except OSError:
            pass  # the whole text can be no name of a file; its first part may be one
    return Path(file), name


def heads(text: str) -> list[tuple[str, str]]:
    """`("network", "resnet")`, `("preset", "resnet50")`, .. in a text that need not be correct."""
    return [(match[1], match[2]) for match in _HEAD.finditer(text)]


def split(text: str) -> tuple[str, str | None]:
    r"""File and name of `file.arch:name`. The colon of a drive does not part them.

    `C:\nets\a.arch:b` is `b` in a file of drive C.
    """
    file, colon, name = text.rpartition(":")
    if not colon or "/" in name or "\\" in name or not file:
        return text, None
    if len(file) == 1 and file.isalpha() and name.endswith(SUFFIX):
        return text, None  # C:a.arch, relative to the folder of a drive
    return file, name or None
