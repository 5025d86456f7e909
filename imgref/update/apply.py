"""Writing the files of a plan: whole or not at all, and only where nobody has changed them since."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from imgref.update.plan import FilePlan
from imgref.update.source import Unread, read_bytes

__all__ = ["apply_file"]

_ATTRIBUTES: Final = ("user.", "system.posix_acl_access")
"""Extended attributes that belong to the file, and not to where it is."""


def apply_file(plan: FilePlan) -> str | None:
    """Write a file as planned, and return why it could not be written, or None.

    Mode and owner stay, and a link still leads to the file. Other hard links keep the old content.
    """
    path = plan.source.real
    try:
        if not os.access(path, os.W_OK):
            return "is read-only"
        with _replacement(path, plan.result) as replacement:
            if os.path.realpath(path) != path or read_bytes(path) != plan.source.data:
                return "was changed in the meantime, and is left alone"
            os.replace(replacement, path)  # noqa: PTH105
    except Unread as error:
        return str(error)
    except FileNotFoundError:
        return "was deleted in the meantime"
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    return None


@contextmanager
def _replacement(path: str, data: bytes) -> Iterator[str]:
    """Make a file beside another one, with its mode and owner; it is removed unless it was moved."""
    directory, name = os.path.split(path)
    status = os.stat(path)  # noqa: PTH116
    beside = os.path.join(directory, f".{name[:200]}.{os.getpid()}.tmp")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(file, "wb") as stream:
            stream.write(data)
            _keep_owner(file, status)
            _keep_attributes(path, file)
            os.fchmod(file, stat.S_IMODE(status.st_mode))
            stream.flush()
            os.fsync(file)
        yield beside
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)  # noqa: PTH108


def _keep_owner(file: int, status: os.stat_result) -> None:
    own = os.fstat(file)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(file, status.st_uid, status.st_gid)


def _keep_attributes(path: str, file: int) -> None:
    if not hasattr(os, "listxattr"):
        return
    with suppress(OSError):
        for name in os.listxattr(path):
            if name.startswith(_ATTRIBUTES):
                os.setxattr(file, name, os.getxattr(path, name))
