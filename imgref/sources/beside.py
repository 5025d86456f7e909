"""The files beside the one that is read, for the few kinds whose consumers read a second file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from imgref.sources.contract import Beside
from imgref.sources.decoding import Unreadable

__all__ = ["MAX_BESIDE", "files_beside"]

MAX_BESIDE: Final = 1024 * 1024
"""How many bytes a file beside another one may have."""


def files_beside(path: str | os.PathLike[str]) -> Beside:
    """Return what reads the files in the directory of a file. Nothing is opened until a reader asks.

    The directory is that of the path as written: of a link, not that of the file which the link points to.

    >>> files_beside("no/such/directory/compose.yaml")(".env") is None
    True
    """
    directory = os.path.dirname(path)

    def read(name: str) -> str | None:
        data = _bytes_of(os.path.join(directory, name))
        return None if data is None else data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")

    return read


def _bytes_of(path: str) -> bytes | None:
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISREG(mode):
            raise Unreadable("is not a regular file")
        # Opening a FIFO, if it has become one in the meantime, would wait for somebody who writes to it.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(file, "rb") as stream:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise Unreadable("is not a regular file")
            data = stream.read(MAX_BESIDE + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_BESIDE:
        raise Unreadable(f"has more than {MAX_BESIDE:,} bytes, and is not read")
    return data
