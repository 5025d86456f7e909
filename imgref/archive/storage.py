"""The files of an archive, whether it is a directory or a tar, and the compressions that they may have."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from imgref.archive.zstd import ZstdReader
from imgref.errors import ArchiveError

if TYPE_CHECKING:
    from tarfile import TarInfo

__all__ = ["CHUNK", "NEITHER", "Directory", "Files", "Tar", "packing_of", "section", "spool_to", "unpacked"]

CHUNK: Final = 1 << 20
NEITHER: Final = "is neither an OCI layout nor a tar of docker save"

_BLOCK: Final = 512
_SHOWN: Final = 200
_MOST_LINKS: Final = 40
_LONGEST_NAME: Final = 4096
_INDEX_LIMIT: Final = 32 << 20
_ALWAYS_UNPACKED: Final = 1 << 30
_MOST_EXPANDED: Final = 100
"""What is compressed may unpack to 1 GiB, and to this many times its size beyond that: images shrink to a half or a
tenth, but a file of 10 MB can be made to fill any disk."""

_PACKED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}
"""The first bytes of each compression that Docker reads, with the module of Python's that does, if one does."""


class Files(ABC):
    """A directory or a tar, as files with names; no name and no link points outside of it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._open: list[BinaryIO] = []

    def fail(self, reason: str, member: str | None = None) -> ArchiveError:
        """Return the error that explains what is wrong with a file."""
        # Names come from the archive: they must not contain control characters or line breaks.
        shown = member if member is None or member.isprintable() else repr(member)
        return ArchiveError(reason, self.path, shown and shown[:_SHOWN])

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, or None if it does not exist."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Open a file that is there; may be called from several threads."""

    def read(self, name: str, limit: int = _INDEX_LIMIT) -> bytes:
        """Read a small file whole."""
        size = self.size(name)
        if size is None:
            raise self.fail("is missing", name)
        if size > limit:
            raise self.fail(f"has {size} bytes, more than the {limit} that are read into memory", name)
        with self.open(name) as stream:
            return stream.read(limit)

    def spool(self) -> BinaryIO:
        """Create a temporary file without a name, which disappears when it is closed, whatever happens."""
        from tempfile import TemporaryFile

        spool = cast("BinaryIO", TemporaryFile(buffering=0))  # noqa: SIM115
        self._open.append(spool)
        return spool

    def close(self) -> None:
        """Close what is open."""
        for file in self._open:
            file.close()


def _inside(name: str, base: str = "") -> str | None:
    """Join a name to a directory of the archive; None if the result is outside of the archive."""
    parts = base.split("/") if base else []
    for part in name.split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


class Directory(Files):
    """Files that lie in a directory."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._root = os.path.realpath(path)

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it does not exist."""
        try:
            return Path(self._locate(name)).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._unreadable(error, name) from error

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        try:
            # A pipe would wait for a writer for ever.
            stream = os.fdopen(os.open(self._locate(name), os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
        except OSError as error:
            raise self._unreadable(error, name) from error
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            stream.close()
            raise self.fail("is not a regular file", name)
        return cast("BinaryIO", stream)

    def _locate(self, name: str) -> str:
        if _inside(name) is None or name.startswith("/"):
            raise self.fail(f"{name!r} leads out of the directory")
        found = os.path.realpath(f"{self._root}/{name}", strict=True)
        if os.path.commonpath((self._root, found)) != self._root:
            raise self.fail("links to a file outside of the directory", name)
        return found

    def _unreadable(self, error: OSError, name: str) -> ArchiveError:
        loop = error.errno == errno.ELOOP
        return self.fail("is a link that ends nowhere: a loop" if loop else f"cannot be read: {error.strerror}", name)


class Tar(Files):
    """Files that lie in a tar, which may be compressed or come through a pipe; it is copied first, then."""

    def __init__(self, path: str, stream: BinaryIO | None) -> None:
        super().__init__(path)
        self._places: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str | None] = {}
        try:
            self._file = stream or cast("BinaryIO", Path(path).open("rb", buffering=0))  # noqa: SIM115
        except OSError as error:
            raise self.fail(f"cannot be read: {error.strerror}") from error
        self._open.append(self._file)
        try:
            self._prepare()
            self._scan()
        except BaseException:
            self.close()
            raise

    def size(self, name: str) -> int | None:
        """Return the size of a member in bytes, or None if it does not exist."""
        place = self._place(name)
        return None if place is None else place[1]

    def open(self, name: str) -> BinaryIO:
        """Open a member for reading."""
        place = self._place(name)
        if place is None:
            raise self.fail("is missing", name)
        return section(self._file, *place)

    def _prepare(self) -> None:
        """Return a file that can be read at any offset: not a pipe, and not compressed."""
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            plain = self.spool()
            spool_to(self, iter(lambda: self._file.read(CHUNK), b""), plain)
            self._file = plain
        self._file.seek(0)
        kind = packing_of(self._file.read(6))
        if kind is not None:
            self._file.seek(0)
            plain = self.spool()
            size = os.fstat(self._file.fileno()).st_size
            spool_to(self, unpacked(self, self._file, kind, None, size), plain)
            self._file = plain

    def _scan(self) -> None:
        import tarfile

        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", self._file), mode="r:") as tar:
                for member in tar:
                    self._enter(member, size)
                self._file.seek(tar.offset)
            if any(self._file.read(_BLOCK) or b"\xff"):
                # A tar ends in blocks of zeros. Python's reader takes whatever it cannot read for the end.
                raise self.fail("is cut short, or damaged in the middle")
        except tarfile.ReadError as error:
            if self._places or "unexpected end" in str(error):
                raise self.fail("is cut short") from error
            raise self.fail(NEITHER) from error
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise self.fail(f"is a damaged tar: {error}") from error

    def _enter(self, member: TarInfo, size: int) -> None:
        name = _inside(member.name)
        if name is None:
            raise self.fail(f"{member.name!r:.200} leads out of the archive")
        self._places.pop(name, None)
        self._links.pop(name, None)
        if member.issym():
            base = name.rpartition("/")[0]
            self._links[name] = None if member.linkname.startswith("/") else _inside(member.linkname, base)
        elif member.islnk():
            self._links[name] = _inside(member.linkname)
        elif member.isreg():
            if member.offset_data + member.size > size:
                raise self.fail("is cut short", name)
            if member.issparse():
                raise self.fail("is stored with holes; pack the archive again without --sparse", name)
            self._places[name] = (member.offset_data, member.size)

    def _place(self, name: str) -> tuple[int, int] | None:
        """Find a file's offset and size, through links, which may also replace directories in its path."""
        here = _inside(name)
        if here is None or name.startswith("/"):
            raise self.fail(f"{name!r} leads out of the archive")
        for _ in range(_MOST_LINKS):
            if len(here) > _LONGEST_NAME:
                return None
            cuts = [at for at, letter in enumerate(here) if letter == "/"]
            link = next((here[:cut] for cut in [*cuts, len(here)] if here[:cut] in self._links), None)
            if link is None:
                return self._places.get(here)
            target = self._links[link]
            if target is None:
                raise self.fail("links to a file outside of the archive", name)
            here = target + here[len(link) :]
        raise self.fail("is a link that ends nowhere: a loop", name)


class _Section(io.RawIOBase):
    """A part of a file; many can be read at once, since none moves the file's own position."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._number = file.fileno()
        self._at, self._end = offset, offset + size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._end - self._at if size < 0 else min(size, self._end - self._at)
        data = os.pread(self._number, wanted, self._at) if wanted else b""
        self._at += len(data)
        return data


def section(file: BinaryIO, offset: int, size: int) -> BinaryIO:
    """Open a part of a file that has a descriptor, beside whatever else reads from it."""
    return cast("BinaryIO", _Section(file, offset, size))


def packing_of(head: bytes) -> str | None:
    """Return the compression by a file's first six bytes; None for none that Docker reads."""
    return next((kind for magic, kind in _PACKED.items() if head.startswith(magic)), None)


def spool_to(files: Files, chunks: Iterator[bytes], spool: BinaryIO) -> tuple[str, int]:
    """Write everything to a temporary file; return its digest and its size in bytes."""
    found = hashlib.sha256()
    try:
        for chunk in chunks:
            found.update(chunk)
            rest = memoryview(chunk)
            while rest:
                rest = rest[spool.write(rest) :]
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            from tempfile import gettempdir

            reason = f"no space left in {gettempdir()} to unpack or compress it; TMPDIR can name another directory"
            raise files.fail(reason) from error
        raise files.fail(f"cannot be read: {error.strerror or error}") from error
    return f"sha256:{found.hexdigest()}", spool.tell()


def unpacked(files: Files, stream: BinaryIO, packing: str | None, member: str | None, size: int) -> Iterator[bytes]:
    """Yield a stream's bytes, decompressed if its first bytes are those of a compressed format.

    Args:
        files: the archive.
        stream: its file, or a member.
        packing: from :func:`packing_of`.
        member: the member's name, for messages.
        size: bytes of the stream, which bound what it unpacks to.
    """
    import bz2
    import gzip
    import lzma
    import zlib

    opened: BinaryIO = stream
    if packing == "gzip":
        opened = cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))
    elif packing == "zstd":
        try:
            opened = cast("BinaryIO", ZstdReader(stream))
        except ModuleNotFoundError as error:
            reason = "is compressed with zstd; install 'imgref[zstd]', or unpack it first (unzstd)"
            raise files.fail(reason, member) from error
    elif packing is not None:
        opened = cast("BinaryIO", (bz2.BZ2File if packing == "bz2" else lzma.LZMAFile)(stream))
    left = _ALWAYS_UNPACKED + _MOST_EXPANDED * size
    try:
        while chunk := _read_full(opened):
            left -= len(chunk)
            if left < 0:
                raise files.fail(f"unpacks to more than 1 GiB and {_MOST_EXPANDED} times its size", member)
            yield chunk
    except EOFError as error:
        raise files.fail("is cut short", member) from error
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, ValueError) as error:
        raise files.fail(f"is damaged: {error}", member) from error
    except OSError as error:
        # bz2 raises OSError instead of an error class of the module.
        raise files.fail(f"is damaged: {error.strerror or error}", member) from error


def _read_full(stream: BinaryIO) -> bytes:
    """Read a whole chunk wherever there is one: what is compressed depends on where the chunks end."""
    chunk = stream.read(CHUNK)
    while chunk and len(chunk) < CHUNK and (more := stream.read(CHUNK - len(chunk))):
        chunk += more
    return chunk
