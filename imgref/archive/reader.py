"""Opening an image archive, and choosing one of its images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

from imgref.archive._layout import Entry, inner_entry, layout_entries
from imgref.archive._saved import has_plain_layers, saved_entries
from imgref.archive.image import Image
from imgref.archive.manifest import read_json
from imgref.archive.storage import NEITHER, Directory, Files, Tar
from imgref.errors import ArchiveError, InvalidReference, quote
from imgref.reference import parse

__all__ = ["KEPT", "Archive", "open_archive"]

KEPT: Final = "imgref.digests"
"""An annotation of the index.json that ``imgref pull`` writes: the layers are as the registry has them, compressed or
not, and are pushed as they are. ``docker save`` writes layers that were compressed on the registry and are not now."""

_SHORTEST_ID: Final = 7


class Archive:
    """Images on disk, open for reading; made by :func:`open_archive`, and closed by ``with``.

    Attributes:
        path: where it lies.
        names: what its images are called there: a name, else the digest or the image id.
    """

    def __init__(self, files: Files, entries: tuple[Entry, ...]) -> None:
        self.path = files.path
        self.names = tuple(name for entry in entries for name in entry.names or (entry.digest,))
        self._files = files
        self._entries = entries

    def image(self, name: str | None = None) -> Image:
        """Return one image: the only one, or the one with this name, tag, digest or id; also one inside an index.

        Every manifest is read and its digest verified, and every blob must be there with the right size; blobs
        are verified as they are read.

        Raises:
            ArchiveError: there are several and none is named, or none of that name, or the image is not whole.
        """
        found = [entry for entry in self._entries if name is None or _is_called(name, entry)]
        if not found and name is not None:
            found = list(inner_entry(self._files, name))
        if len(found) == 1:
            return found[0].load()
        if not self._entries:
            raise ArchiveError("holds no image", self.path)
        known = ", ".join(map(quote, self.names[:8])) + (", …" if len(self.names) > 8 else "")
        if name is None:
            raise ArchiveError(f"holds {len(found)} images; name one with --image: {known}", self.path)
        many = f"holds {len(found)} images" if found else "holds no image"
        raise ArchiveError(f"{many} called {quote(name)}, but {known}", self.path)

    def close(self) -> None:
        """Close its files; what was opened from it can be read no more."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_archive(path: str, stream: BinaryIO | None = None) -> Archive:
    """Open an OCI layout (a directory or a tar) or a tar of ``docker save``; a tar may be compressed.

    Args:
        path: where it lies; a pipe will do, and is copied to a temporary file first.
        stream: read from here instead, and call it ``path`` in messages.

    Raises:
        ArchiveError: it is none of them, is damaged, or has a path outside of itself.

    >>> open_archive("README.md")
    Traceback (most recent call last):
        ...
    imgref.errors.ArchiveError: README.md: is neither an OCI layout nor a tar of docker save
    """
    files: Files = Directory(path) if stream is None and Path(path).is_dir() else Tar(path, stream)
    try:
        return Archive(files, tuple(_entries(files)))
    except BaseException:
        files.close()
        raise


def _is_called(name: str, entry: Entry) -> bool:
    plain = name.removeprefix("sha256:")
    if name in entry.names or name == entry.digest:
        return True
    if len(plain) >= _SHORTEST_ID and entry.digest.partition(":")[2].startswith(plain):
        return True
    wanted = _canonical(name)
    return wanted is not None and any(wanted == _canonical(other) for other in entry.names)


def _canonical(name: str) -> str | None:
    try:
        return str(parse(name))
    except InvalidReference:
        return None


def _entries(files: Files) -> Iterator[Entry]:
    has_index = files.size("index.json") is not None
    if files.size("manifest.json") is not None and not (has_index and _as_pushed(files)):
        yield from saved_entries(files)
    elif has_index:
        yield from layout_entries(files)
    elif files.size("repositories") is not None:
        raise files.fail("comes from a Docker older than 1.10; load it into a newer one and save it again")
    else:
        raise files.fail(NEITHER)


def _as_pushed(files: Files) -> bool:
    """Return whether an archive that is both kinds has the layers that the image's digest is of.

    Docker with the containerd image store saves what it pulled. Without it, Docker 25 and newer invent a
    layout with uncompressed layers; no registry has that image, so it counts as a plain ``docker save``.
    """
    try:
        index = read_json(files.read("index.json"))
        marks = index.get("annotations")
        # Docker 25.0 wrote layouts that list nothing.
        return (isinstance(marks, dict) and KEPT in marks) or (
            bool(index.get("manifests")) and not has_plain_layers(files)
        )
    except (ArchiveError, ValueError):
        return True
