"""Writes OCI layouts that are tars."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from imgref.archive._layout import blob_name
from imgref.archive._layout_writer import LAYOUT, LayoutWriter, good_blobs, index_of, json_bytes
from imgref.archive._staging import stage_file
from imgref.archive.image import Image
from imgref.archive.manifest import LARGEST_SIZE, Descriptor
from imgref.archive.storage import CHUNK, Tar
from imgref.errors import ArchiveError
from imgref.reference import ImageReference

__all__ = ["TarWriter"]

_BLOCK: Final = 512


class TarWriter(LayoutWriter):
    """All sizes are known from the manifests, so that each blob has its offset before the first one arrives."""

    def __init__(self, path: str, image: Image, reference: ImageReference) -> None:
        super().__init__(path, image, reference)
        self._target = Path(os.path.realpath(path))
        small = self._small_files()
        old = self._old_tar()
        try:
            self._stage = stage_file(self._target)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._places = self._lay_out(small)
            for name, data in small.items():
                self._put(self._places[name], data)
            self._take_over(old)
        except BaseException as error:
            self._discard()
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise
        finally:
            if old is not None:
                old.close()

    def write(self, descriptor: Descriptor, chunks: Iterable[bytes], *, verified: bool = False) -> None:
        at = self._places[blob_name(descriptor.digest)]
        try:
            for chunk in self._checked(descriptor, chunks, verified=verified):
                at = self._put(at, chunk)
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        try:
            self._stage.path.replace(self._target)
        except OSError as error:
            raise self._unwritable(error) from error

    def _small_files(self) -> dict[str, bytes]:
        files = {"oci-layout": LAYOUT, "index.json": index_of([self._entry()])}
        if loadable := self._loadable():
            files["manifest.json"] = json_bytes([loadable])
        return files | {blob_name(manifest.digest): manifest.raw for manifest in self._manifests.values()}

    def _old_tar(self) -> Tar | None:
        """Open the file to be replaced, for the blobs in it; a file that is not an image is not replaced."""
        if not self._target.exists() or self._target.stat().st_size == 0:
            return None
        old = Tar(self._path, None)
        if old.size("index.json") is None and old.size("manifest.json") is None:
            old.close()
            raise ArchiveError("is there already, and no image; it is not replaced", self._path)
        return old

    def _lay_out(self, small: dict[str, bytes]) -> dict[str, int]:
        """Write the headers and return the offset of each file; allocate all the space at once."""
        import tarfile

        sizes = {name: len(data) for name, data in small.items()}
        sizes |= {blob_name(blob.digest): blob.size for blob in self._blobs.values()}
        if sum(sizes.values()) > LARGEST_SIZE >> 1:
            raise ArchiveError("the image is larger than any file can be", self._path)
        algorithms = sorted({name.split("/")[1] for name in sizes if "/" in name})
        places, at = {}, 0
        for name in ("blobs", *(f"blobs/{algorithm}" for algorithm in algorithms), *sizes):
            member = tarfile.TarInfo(name)
            member.mode = 0o644
            if name in sizes:
                member.size = sizes[name]
            else:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            places[name] = at = self._put(at, member.tobuf(tarfile.GNU_FORMAT))
            at += -(-member.size // _BLOCK) * _BLOCK
        end = at + 2 * _BLOCK
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._stage.number, 0, end)
        else:
            os.ftruncate(self._stage.number, end)
        return places

    def _take_over(self, old: Tar | None) -> None:
        """Copy the blobs that the old tar has."""
        good = good_blobs(old, self._blobs.values()) if old else set()
        self.missing = frozenset(self._blobs.keys() - good)
        for digest in good:
            assert old is not None
            with old.open(blob_name(digest)) as stream:
                self.write(self._blobs[digest], iter(partial(stream.read, CHUNK), b""))

    def _put(self, at: int, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._stage.number, rest, at)
            at += written
            rest = rest[written:]
        return at

    def _discard(self) -> None:
        self._stage.discard()
