"""Locks between processes, on what exists anyway: a lock file would be left behind where others look.

They are advisory ``flock`` locks: the kernel releases them when a process ends, however it ends. File systems that have
none, as some network file systems, are used without.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["is_unlocked", "lock", "locked"]


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Lock a directory, after waiting for other processes that have locked it.

    Raises:
        OSError: the directory does not exist.
    """
    number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock(number)
        yield
    finally:
        os.close(number)


def lock(number: int) -> None:
    """Lock an open file or directory until it is closed, after waiting for other processes that have locked it."""
    with suppress(OSError):
        fcntl.flock(number, fcntl.LOCK_EX)


def is_unlocked(path: Path) -> bool:
    """Return whether no process holds the lock on a file or directory; False if that cannot be found out."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(number)
    return True
