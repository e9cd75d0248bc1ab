"""Writes one or several files atomically: all of them or none.

The files are written and closed in a staging folder next to their destinations, and moved once
nothing blocks any of them. The files that they replace are kept until all are in place.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.frozen import frozen
from archspec.shipped import in_place_of_file


def destination(given: str | Path) -> Path:
    """The path of a destination given by the user.

    Raises CompileFailed (E0803) for a text that cannot be a path: an empty one, or one with a
    character that the system does not allow.
    """
    path = Path(given)
    if given == "":
        raise CompileFailed([diagnostic("E0803", "cannot write: the path is empty")])
    try:
        os.lstat(path)
    except ValueError as fault:
        raise CompileFailed([_refusal(path, str(fault))]) from None
    except OSError:
        pass  # reported on writing
    return path


@contextmanager
def staged(directory: Path) -> Iterator[tuple[Path, list[Path]]]:
    """An empty folder whose files are moved into `directory` if nothing fails.

    Also yields a list that then contains their new paths, sorted. Links at the destinations are
    replaced. On an error or interrupt, `directory` is left unchanged. Raises CompileFailed (E0803)
    if a file cannot be written or moved, and for any other OSError meanwhile.
    """
    with _staged(directory, f"into {directory}") as found:
        yield found


def write_file(path: Path, data: bytes) -> None:
    """Write a file and its missing parent folders, all or nothing.

    If the path is a link, its target is replaced and the link kept. Raises CompileFailed (E0803).
    """
    place = Path(os.path.realpath(path)) if os.path.islink(path) else path
    with _staged(place.parent, str(path)) as (folder, _):
        (folder / place.name).write_bytes(data)


@contextmanager
def deferring(path: Path) -> Iterator[BinaryIO]:
    """A file for a writer that does not handle errors, such as that of `torch.save`.

    It accepts all data; the first error, an OSError, is raised at the end.
    """
    with path.open("wb") as file:
        writer = _Deferring(file)
        yield cast(BinaryIO, writer)
        if writer.fault is not None:
            raise writer.fault


class _Deferring(io.RawIOBase):
    def __init__(self, file: BinaryIO) -> None:
        self.fault: OSError | None = None
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: memoryview) -> int:  # type: ignore[override]  # its type is private
        if self.fault is None:
            try:
                self._file.write(data)
            except OSError as fault:
                self.fault = fault
        return memoryview(data).nbytes


@frozen
class _Replacement:
    """A new file, its destination, where to keep the old one, and whether there is an old one."""

    new: Path
    place: Path
    kept: Path
    existed: bool

    def carry_out(self) -> None:
        if self.existed:
            try:  # with a link, the destination is never missing
                os.link(self.place, self.kept, follow_symlinks=False)
            except (OSError, NotImplementedError):  # file systems without links
                os.replace(self.place, self.kept)
        os.replace(self.new, self.place)

    def undo(self) -> bool:
        """Undo a complete or partial replacement; return whether this succeeded."""
        try:
            if os.path.lexists(self.kept):
                shutil.move(self.kept, self.place)
                self.kept.unlink(missing_ok=True)  # two links to one file: nothing was moved
            elif not self.existed:
                self.place.unlink(missing_ok=True)
        except OSError:
            return False
        return True


@contextmanager
def _staged(directory: Path, subject: str) -> Iterator[tuple[Path, list[Path]]]:
    """Like `staged`; errors name `subject` if the system does not name a file."""
    staging = directory / f".archspec-{os.urandom(6).hex()}"  # known before it is created
    new, kept = staging / "new", staging / "kept"
    made, files = _missing(directory), list[Path]()
    try:
        with _coded(directory, new, subject):
            directory.mkdir(parents=True, exist_ok=True)
            staging.mkdir(mode=0o700)
            new.mkdir()
            kept.mkdir()
            yield new, files
            with _held_interrupts():
                replacements = _prepared(directory, new, kept)
                for folder in {item.place.parent: None for item in replacements}:
                    made[:0] = _missing(folder)
                    folder.mkdir(parents=True, exist_ok=True)
                _replace(replacements)
                files += [item.place for item in replacements]
    finally:
        with _held_interrupts():
            shutil.rmtree(new, ignore_errors=True)
            if files or not os.path.isdir(kept) or not os.listdir(kept):  # else the only copies
                shutil.rmtree(staging, ignore_errors=True)
            for folder in made if not files else ():
                with suppress(OSError):
                    folder.rmdir()


def _missing(folder: Path) -> list[Path]:
    """The folder and its parents that do not exist, innermost first."""
    return [item for item in (folder, *folder.parents) if not os.path.lexists(item)]


def _prepared(directory: Path, new: Path, kept: Path) -> list[_Replacement]:
    """The replacements to carry out. Raises CompileFailed (E0803) with everything in the way."""
    made = sorted(item for item in new.rglob("*") if item.is_file())
    places = [directory / item.relative_to(new) for item in made]
    device = new.stat().st_dev
    faults = [
        _refusal(place, words)
        for place in places
        if (words := _obstacle(place, device)) is not None
    ]
    if faults:
        raise CompileFailed(faults)
    found = []
    for index, (item, place) in enumerate(zip(made, places, strict=True)):
        existed = os.path.lexists(place)
        if existed and not place.is_symlink():
            _keep_rights(place, item)
        found.append(_Replacement(item, place, kept / str(index), existed))
    return found


def _obstacle(place: Path, device: int) -> str | None:
    """Why no file can be written at this place, in words, or None if one can."""
    folder = next(item for item in place.parents if os.path.lexists(item))
    if not folder.is_dir():
        return f"{folder} is not a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is read-only"
    if folder.stat().st_dev != device:
        return f"{folder} is on another file system"
    instead = in_place_of_file(place)
    if instead is not None and instead != "a broken link":
        return f"{instead} is there"
    if place.is_symlink() or not place.exists():
        return None
    there = place.stat()
    if there.st_dev != device:
        return "it is on another file system"
    # read-only for everybody counts too, although `root` could write to it
    read_only = not there.st_mode & 0o222 or not os.access(place, os.W_OK)
    return "it is read-only" if read_only else None


def _keep_rights(old: Path, new: Path) -> None:
    """Give a new file the owner and permissions of the one that it replaces, if allowed."""
    there, made = old.stat(), new.stat()
    with suppress(OSError):
        if (there.st_uid, there.st_gid) != (made.st_uid, made.st_gid):
            os.chown(new, there.st_uid, there.st_gid)
    with suppress(OSError):
        new.chmod(stat.S_IMODE(there.st_mode))


def _replace(replacements: Sequence[_Replacement]) -> None:
    """Carry out all replacements or none.

    Raises CompileFailed (E0803) if an old file cannot be restored.
    """
    begun = list[_Replacement]()
    try:
        for item in replacements:
            begun.append(item)
            item.carry_out()
    except BaseException:
        lost = [item for item in reversed(begun) if not item.undo()]
        if not lost:
            raise
        raise CompileFailed([_unrestored(item) for item in lost]) from None


def _unrestored(item: _Replacement) -> Diagnostic:
    message = f"cannot write {item.place}, nor restore the previous file"
    is_kept = os.path.lexists(item.kept)
    return diagnostic("E0803", message, notes=[f"it is kept as {item.kept}"] if is_kept else ())


@contextmanager
def _coded(directory: Path, new: Path, subject: str) -> Iterator[None]:
    """Convert an OSError to a diagnostic that names files by their destinations."""
    try:
        yield
    except OSError as fault:
        words = (fault.strerror or str(fault)).replace(str(new), str(directory))
        file = Path(fault.filename) if isinstance(fault.filename, str | Path) else directory
        if file.is_relative_to(new):
            found = _refusal(directory / file.relative_to(new), words)
        else:  # possibly a temporary file of another library
            found = diagnostic("E0803", f"cannot write {subject}: {words}")
        raise CompileFailed([found]) from None


def _refusal(place: Path, words: str) -> Diagnostic:
    return diagnostic("E0803", f"cannot write {place}: {words}")


@contextmanager
def _held_interrupts() -> Iterator[None]:
    """Defer an interrupt by the user until the body is done."""
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived = list[int]()
    signal.signal(signal.SIGINT, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if arrived:
            signal.raise_signal(signal.SIGINT)
