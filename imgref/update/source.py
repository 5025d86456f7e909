"""A file that may be edited: its bytes, what was found in it, and which references a comment keeps."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from imgref.sources.beside import files_beside
from imgref.sources.contract import Context
from imgref.sources.decoding import encoding_of
from imgref.sources.find import read
from imgref.sources.keeping import Kept, kept_in
from imgref.sources.occurrence import Reading
from imgref.sources.recognition import Place, Places

__all__ = ["MAX_SIZE", "Source", "Unread", "read_bytes", "read_source", "read_sources"]

MAX_SIZE: Final = 10 * 1024 * 1024
"""How many bytes of a file are read at most."""


class Unread(Exception):
    """Why a file was not read."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was when it was read.

    Attributes:
        path: its name in messages.
        real: the file that is written, which is the target of a link.
        data: its bytes.
        text: its content, without a byte order mark.
        place: its kind.
        named: whether it was passed by name.
        reading: what was found in it.
        context: what the reader knew besides the content.
        reader: finds the references in other bytes, if that is not what its kind does.
    """

    path: str
    real: str
    data: bytes
    text: str
    place: Place
    named: bool
    reading: Reading
    context: Context = Context()  # noqa: RUF009  immutable
    reader: Callable[[bytes], tuple[Reading | None, str]] | None = None

    def reread(self, data: bytes) -> tuple[Reading | None, str]:
        """Read other bytes as this file was read."""
        if self.reader is not None:
            return self.reader(data)
        return read(self.place, data, named=self.named, context=self.context)

    def byte_offsets(self, offsets: Iterable[int]) -> Mapping[int, int]:
        """Return the byte offsets of characters."""
        encoding, at = encoding_of(self.data)
        found = {}
        before = 0
        for offset in sorted(set(offsets)):
            at += len(self.text[before:offset].encode(encoding, "surrogateescape"))
            found[offset], before = at, offset
        return found

    def kept(self) -> Kept:
        """Return what the comments keep as it is."""
        return kept_in(self.reading, self.text)


def read_source(path: str, place: Place, *, shown: str, named: bool, data: bytes | None = None) -> Source | None:
    """Read a file, and find the references in it.

    Args:
        path: how it is opened.
        place: its kind.
        shown: its name in messages.
        named: whether it was passed by name.
        data: its bytes, where they are known.

    Returns:
        None where nothing in it is a reference.

    Raises:
        Unread: it is too large, not a regular file, or cannot be understood.
        OSError: it cannot be read.
    """
    data = read_bytes(path) if data is None else data
    context = Context(beside=files_beside(path))
    try:
        reading, text = read(place, data, named=named, context=context)
    except RecursionError as error:
        raise Unread("is nested too deeply to be read") from error
    if reading is None or not reading.occurrences:
        return None
    return Source(shown, os.path.realpath(path), data, text, place, named, reading, context)


def read_sources(paths: Iterable[str | os.PathLike[str]]) -> list[Source]:
    r"""Return those of the files that have image references. Directories are not searched.

    Args:
        paths: files, whose names and content decide how they are read.

    Raises:
        Unread: one is too large, not a regular file, or cannot be understood.
        Unreadable: one is not text, although its name promises that.
        OSError: one cannot be read.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     file = Path(directory, "Dockerfile")
    ...     _ = file.write_text("FROM nginx:1.27\n")
    ...     [source.reading.occurrences[0].text for source in read_sources([file])]
    ['nginx:1.27']
    """
    places = Places()
    names = [os.fspath(path) for path in paths]
    found = (read_source(name, places.of(name), shown=name, named=True) for name in names)
    return [source for source in found if source is not None]


def read_bytes(path: str) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        Unread: it is too large, or not a regular file.
        OSError: it cannot be read.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Unread("is not a regular file")
        data = stream.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise Unread(f"has more than {MAX_SIZE:,} bytes, and is not read")
    return data
