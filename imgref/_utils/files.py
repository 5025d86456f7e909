"""Replaces files as a whole: readers see the old content or the new, whatever happens in between."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["replace_file"]

_ATTRIBUTES: Final = ("user.", "system.posix_acl_access")
"""Extended attributes that belong to the file, and not to where it is."""

_LONGEST: Final = 40
"""Characters of the file's name that the temporary file's has, so that a long name does not become too long."""


def replace_file(
    path: str | os.PathLike[str],
    data: bytes,
    *,
    private: bool = False,
    exactly: bool = False,
    confirm: Callable[[], None] | None = None,
) -> None:
    """Write a file as a whole, or leave it as it is.

    The content is written to a new file in the same directory, which then replaces the old one. A symbolic link
    stays one, and the file that it names is replaced. A file that exists keeps its mode, and its owner and group as
    far as the system allows.

    Args:
        path: the file; its directory must exist.
        data: the content.
        private: whether only its owner may read it. A group keeps its rights if the others have none.
        exactly: whether a file that exists keeps its whole mode and its extended attributes too, and is not written if
            its owner or group cannot be kept.
        confirm: called right before the new content replaces the old; what it raises prevents that.

    Raises:
        OSError: it cannot be written, or is not a regular file; it names the path as passed.
    """
    target = Path(os.path.realpath(path))
    try:
        old = _status(target)
        beside = target.with_name(f".{target.name[:_LONGEST]}.{os.urandom(6).hex()}.tmp")
        # Until it has the rights of the old file, it has none that the old one might not have.
        mode = 0o666 if old is None and not private else 0o600
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            with open(number, "wb") as file:
                if old is not None and exactly:
                    _make_same(number, target, old)
                elif old is not None:
                    make_like(number, old, private=private)
                file.write(data)
                file.flush()
                os.fsync(number)
            if confirm is not None:
                confirm()
            beside.replace(target)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        _sync(target.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def make_like(number: int, old: os.stat_result, *, private: bool = False) -> None:
    """Set owner, group and mode of a new file to those of the file that it replaces.

    If the group cannot be kept, the new group gets no rights that the others do not have.
    """
    mine = os.fstat(number)
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if (old.st_uid, old.st_gid) != (mine.st_uid, mine.st_gid) and not _owned(number, old):
        mode = mode & 0o707 | mode << 3 & mode & 0o070
    if private:
        mode = 0o600 if mode & 0o007 else mode & 0o770
    os.fchmod(number, mode)


def _make_same(number: int, path: Path, old: os.stat_result) -> None:
    """Set owner, group, extended attributes and mode of a new file to those of the file that it replaces."""
    mine = os.fstat(number)
    if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(number, old.st_uid, old.st_gid)
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(path):
                if name.startswith(_ATTRIBUTES):
                    os.setxattr(number, name, os.getxattr(path, name))
    os.fchmod(number, stat.S_IMODE(old.st_mode))


def _owned(number: int, old: os.stat_result) -> bool:
    """Set the owner and group, or the group alone, and return whether the group is right."""
    for owner in (old.st_uid, -1):
        with suppress(PermissionError):
            os.fchown(number, owner, old.st_gid)
            return True
    return False


def _status(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return status


def _sync(directory: Path) -> None:
    """Make the new name survive a power failure, on file systems that can."""
    with suppress(OSError):
        number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(number)
        finally:
            os.close(number)
