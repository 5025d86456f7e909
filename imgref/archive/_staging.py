"""Where an image is written until it is complete: hidden beside its target, and locked while its writer runs.

A writer that is killed cannot clean up. The kernel releases its lock, which is how the next writer for the same target
recognises what was abandoned, and removes it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

from imgref._utils.locks import is_unlocked, lock, locked

__all__ = ["Stage", "is_stage", "scratch_directory", "stage_directory", "stage_file"]

_SUFFIX: Final = ".imgref"
_NAME: Final = re.compile(rf"\..*\.[0-9a-f]{{8}}{re.escape(_SUFFIX)}", re.DOTALL)
_SCRATCH: Final = re.compile(r"imgref-[a-z0-9_]{8}\.pull")
_SURELY_LOCKED: Final = 60.0
_LONGEST: Final = 50
"""Characters of the target's name that a stage's name has: the whole may be as long as a name can be."""


class Stage:
    """A temporary file or directory, locked.

    Attributes:
        path: where it is.
        number: its file descriptor.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number

    def discard(self) -> None:
        """Remove it, if it is still there, and release the lock."""
        _remove(self.path)
        os.close(self.number)


def stage_directory(home: Path, target: Path) -> Stage:
    """Create a directory with the usual rights, below ``home``, for what becomes ``target``.

    Raises:
        OSError: it cannot be created.
    """

    def create(path: Path) -> int:
        path.mkdir()
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    return _stage(home, target, create)


def stage_file(target: Path) -> Stage:
    """Create a file with the usual rights, beside what it will replace.

    Raises:
        OSError: it cannot be created.
    """
    return _stage(target.parent, target, lambda path: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))


def _stage(home: Path, target: Path, create: Callable[[Path], int]) -> Stage:
    # Under a lock on the directory: no other process may find the new one before it is locked.
    if home != target.parent:
        with suppress(OSError), locked(target.parent):
            _remove_abandoned(target.parent, target)
    with locked(home):
        _remove_abandoned(home, target)
        while True:
            path = home / f".{target.name[:_LONGEST]}.{os.urandom(4).hex()}{_SUFFIX}"
            with suppress(FileExistsError):
                number = create(path)
                lock(number)
                return Stage(path, number)


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Create a directory among the system's temporary files, private and locked, and remove it at the end.

    Writers of images lock the directory that they write to, so they need another one inside it.

    Those that were abandoned are removed too. They must be a minute old, since each is locked only once it exists, and
    the lock on a directory that everybody can open is not one to wait for.
    """
    base = Path(gettempdir())
    with os.scandir(base) as entries:
        found = [Path(entry.path) for entry in entries if _SCRATCH.fullmatch(entry.name)]
    for path in found:
        with suppress(OSError):
            status = path.lstat()
            old = status.st_mtime < time.time() - _SURELY_LOCKED
            if old and status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode) and is_unlocked(path):
                _remove(path)
    with TemporaryDirectory(prefix="imgref-", suffix=".pull", dir=base) as name:
        number = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            lock(number)
            yield Path(name)
        finally:
            os.close(number)


def is_stage(name: str) -> bool:
    """Return whether a file or directory of this name is a stage, for any target."""
    return _NAME.fullmatch(name) is not None


def _remove_abandoned(home: Path, target: Path) -> None:
    own = f".{target.name[:_LONGEST]}."
    with os.scandir(home) as entries:
        found = [Path(entry.path) for entry in entries if is_stage(entry.name)]
    for path in found:
        if path.name[: -len(_SUFFIX) - 8] == own and is_unlocked(path):
            _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
        return
    shutil.rmtree(path, ignore_errors=True)
