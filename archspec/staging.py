"""Files that appear whole or not at all, one or several at once.

All are written and closed in a staging folder beside their places, and replace what stands there
once nothing is in the way of any. What they replace is kept there until all are in place.
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
    """The path of what is to be written, as a user gave it.

    Raises CompileFailed (E0803) for a text that can be no path: an empty one, or one with a
    character that the system has not.
    """
    path = Path(given)
    if given == "":
        raise CompileFailed([diagnostic("E0803", "cannot write: the path is empty")])
    try:
        os.lstat(path)
    except ValueError as fault:
        raise CompileFailed([_refusal(path, str(fault))]) from None
    except OSError:
        pass  # said where it is written
    return path


@contextmanager
def staged(directory: Path) -> Iterator[tuple[Path, list[Path]]]:
    """An empty folder whose files move into `directory` when nothing failed.

    Also gives the list that then holds their new paths, sorted. Links in their places are replaced.
    Where anything fails, or the user interrupts, everything in `directory` is as it was. Raises
    CompileFailed (E0803) where a file cannot be written or take its place, and for whatever else
    the system refuses meanwhile.
    """
    with _staged(directory, f"into {directory}") as found:
        yield found


def write_file(path: Path, data: bytes) -> None:
    """Write a file, and the folders that it lies in, all or nothing.

    A link stays, and the file that it leads to is replaced. Raises CompileFailed (E0803).
    """
    place = Path(os.path.realpath(path)) if os.path.islink(path) else path
    with _staged(place.parent, str(path)) as (folder, _):
        (folder / place.name).write_bytes(data)


@contextmanager
def deferring(path: Path) -> Iterator[BinaryIO]:
    """A file for a writer that does not bear errors, such as that of `torch.save`.

    It takes everything; the first error is raised at the end. Raises OSError.
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
    """A new file, its place, whether something `stood` there, and where that is kept."""

    new: Path
    place: Path
    kept: Path
    stood: bool

    def carry_out(self) -> None:
        if self.stood:
            try:  # the place is never empty, not even for a moment
                os.link(self.place, self.kept, follow_symlinks=False)
            except (OSError, NotImplementedError):  # file systems without links
                os.replace(self.place, self.kept)
        os.replace(self.new, self.place)

    def undo(self) -> bool:
        """Restore what stood there, however far it got; whether it could be."""
        try:
            if os.path.lexists(self.kept):
                shutil.move(self.kept, self.place)
                self.kept.unlink(missing_ok=True)  # two links of one file: nothing was moved
            elif not self.stood:
                self.place.unlink(missing_ok=True)
        except OSError:
            return False
        return True


@contextmanager
def _staged(directory: Path, subject: str) -> Iterator[tuple[Path, list[Path]]]:
    """`subject` says what cannot be written where the system does not name a file."""
    staging = directory / f".archspec-{os.urandom(6).hex()}"  # known before it is made
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
            if files or not os.path.isdir(kept) or not os.listdir(kept):  # else all that is left
                shutil.rmtree(staging, ignore_errors=True)
            for folder in made if not files else ():
                with suppress(OSError):
                    folder.rmdir()


def _missing(folder: Path) -> list[Path]:
    """The folder and those that it lies in, as far as they are not there, innermost first."""
    return [item for item in (folder, *folder.parents) if not os.path.lexists(item)]


def _prepared(directory: Path, new: Path, kept: Path) -> list[_Replacement]:
    """What is to be replaced. Raises CompileFailed (E0803) with all that is in the way."""
    made = sorted(item for item in new.rglob("*") if item.is_file())
    places = [directory / item.relative_to(new) for item in made]
    device = new.stat().st_dev
    faults = [
        _refusal(place, words)
        for place in places
        if (words := _in_the_way(place, device)) is not None
    ]
    if faults:
        raise CompileFailed(faults)
    found = []
    for index, (item, place) in enumerate(zip(made, places, strict=True)):
        stood = os.path.lexists(place)
        if stood and not place.is_symlink():
            _keep_rights(place, item)
        found.append(_Replacement(item, place, kept / str(index), stood))
    return found


def _in_the_way(place: Path, device: int) -> str | None:
    """Why no file can take this place, in words; None where one can."""
    folder = next(item for item in place.parents if os.path.lexists(item))
    if not folder.is_dir():
        return f"{folder} is no folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is read-only"
    if folder.stat().st_dev != device:
        return f"{folder} is on another file system"
    instead = in_place_of_file(place)
    if instead is not None and instead != "a link to nothing":
        return f"{instead} is there"
    if place.is_symlink() or not place.exists():
        return None
    there = place.stat()
    if there.st_dev != device:
        return "it is on another file system"
    # a mark for everybody, which `root` could write over
    read_only = not there.st_mode & 0o222 or not os.access(place, os.W_OK)
    return "it is read-only" if read_only else None


def _keep_rights(old: Path, new: Path) -> None:
    """Give a new file the owner and the rights of the one that it replaces, where we may."""
    there, made = old.stat(), new.stat()
    with suppress(OSError):
        if (there.st_uid, there.st_gid) != (made.st_uid, made.st_gid):
            os.chown(new, there.st_uid, there.st_gid)
    with suppress(OSError):
        new.chmod(stat.S_IMODE(there.st_mode))


def _replace(replacements: Sequence[_Replacement]) -> None:
    """All or none. Raises CompileFailed (E0803) where what stood there cannot be restored."""
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
    message = f"cannot write {item.place}, nor restore what stood there"
    is_kept = os.path.lexists(item.kept)
    return diagnostic("E0803", message, notes=[f"it is kept as {item.kept}"] if is_kept else ())


@contextmanager
def _coded(directory: Path, new: Path, subject: str) -> Iterator[None]:
    """Say what the system refuses as a diagnostic, in which files have their final places."""
    try:
        yield
    except OSError as fault:
        words = (fault.strerror or str(fault)).replace(str(new), str(directory))
        file = Path(fault.filename) if isinstance(fault.filename, str | Path) else directory
        if file.is_relative_to(new):
            found = _refusal(directory / file.relative_to(new), words)
        else:  # which may be a temporary file of somebody else
            found = diagnostic("E0803", f"cannot write {subject}: {words}")
        raise CompileFailed([found]) from None


def _refusal(place: Path, words: str) -> Diagnostic:
    return diagnostic("E0803", f"cannot write {place}: {words}")


@contextmanager
def _held_interrupts() -> Iterator[None]:
    """Let an interrupt by the user wait until the body is done."""
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
