"""Writing OCI layouts, as directories and as tars: whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from imgref._utils.locks import locked
from imgref.archive._json import read_value
from imgref.archive._layout import IMAGE_NAME, REF_NAME, blob_name
from imgref.archive._staging import is_stage, stage_directory, stage_file
from imgref.archive.image import Image
from imgref.archive.manifest import DOCKER_CONFIG, LARGEST_SIZE, OCI_CONFIG, OCI_INDEX, Descriptor, read_json
from imgref.archive.reader import KEPT
from imgref.archive.storage import CHUNK, Directory, Files, Tar
from imgref.errors import ArchiveError
from imgref.platforms import Platform, best_match
from imgref.reference import ImageReference

__all__ = ["LayoutWriter", "layout_writer"]

_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_BLOCK: Final = 512
_COMPRESSED: Final = (".gz", ".tgz", ".zst", ".xz", ".bz2")


def layout_writer(path: str, image: Image, reference: ImageReference) -> LayoutWriter:
    """Begin to write an image to an OCI layout that ``docker load``, skopeo and podman read too.

    Use it with ``with``; :meth:`LayoutWriter.finish` makes the layout, and without it nothing is left behind.

    Args:
        path: a directory that is an OCI layout, or empty, or not there yet: the image is added to those in it.
            A file, or a name that ends in ``.tar``: the tar is replaced when the new one is whole.
        image: what to write; its blobs are put in by the caller.
        reference: the name that it gets there.

    Raises:
        ArchiveError: something else lies at ``path``, or it cannot be written.
    """
    target = Path(path)
    if path.endswith(_COMPRESSED):
        raise ArchiveError("the layers are compressed already: name a directory or a .tar", path)
    if target.is_dir():
        _refuse_other_directory(target, path)
        return _DirectoryWriter(path, image, reference)
    if target.exists() and not target.is_file():
        raise ArchiveError("is neither a file nor a directory", path)
    if target.exists() or (path.endswith(".tar")):
        return _TarWriter(path, image, reference)
    return _DirectoryWriter(path, image, reference)


class LayoutWriter(ABC):
    """An OCI layout that comes to be; made by :func:`layout_writer`.

    Attributes:
        missing: digests of the blobs to put in; the others are there already, and verified.
    """

    missing: frozenset[str]

    def __init__(self, path: str, image: Image, reference: ImageReference) -> None:
        self._path = path
        self._reference = reference
        self._manifests = {manifest.digest: manifest for manifest in image.manifests()}
        self._root = next(reversed(self._manifests.values()))
        blobs = [blob.descriptor() for blob in (*image.configs, *image.layers)]
        self._blobs = {blob.digest: blob for blob in blobs if not blob.foreign}

    @abstractmethod
    def write(self, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:
        """Put in a blob, verified; may be called from several threads, and again after a failure.

        Raises:
            ArchiveError: its size or digest is not the one that the image names, or there is no space.
        """

    @abstractmethod
    def finish(self) -> None:
        """Make the layout: until now nothing of it is to be seen.

        Raises:
            ArchiveError: it cannot be written.
        """

    @abstractmethod
    def _discard(self) -> None:
        """Leave no trace of what was not finished."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()
        if isinstance(error, OSError):
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ArchiveError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            size = sum(blob.size for blob in self._blobs.values())
            return ArchiveError(f"no space left; the image needs {size:,} bytes", self._path)
        return ArchiveError(f"cannot be written: {error.strerror or error}", self._path)

    def _checked(self, descriptor: Descriptor, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a blob's bytes; the end is reached only if they are the ones that the image names."""
        algorithm, _, wanted = descriptor.digest.partition(":")
        found = hashlib.new(algorithm)
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > descriptor.size:
                break
            found.update(chunk)
            yield chunk
        if size != descriptor.size or found.hexdigest() != wanted:
            raise ArchiveError(f"what came is not {descriptor.digest} with {descriptor.size} bytes", self._path)

    def _entry(self) -> dict[str, object]:
        """Return the line of index.json, with the names that Docker, podman and skopeo look for."""
        root = self._root
        entry: dict[str, object] = {"mediaType": root.media_type, "digest": root.digest, "size": root.size}
        if self._reference.tag is not None:
            name = f"{self._reference.repository}:{self._reference.tag}"
            entry["annotations"] = {IMAGE_NAME: name, REF_NAME: self._reference.tag}
        return entry

    def _loadable(self) -> dict[str, object] | None:
        """Return the line of manifest.json, by which an engine without a containerd store loads the image.

        It takes one image: of an index, the one for this machine, else the first.
        """
        images = [
            m for m in self._manifests.values() if m.config and m.config.media_type in (OCI_CONFIG, DOCKER_CONFIG)
        ]
        here = Platform.parse(f"linux/{os.uname().machine}")
        known = {image.digest: image for image in images}
        children = [child for index in self._manifests.values() for child in index.children if child.digest in known]
        fitting = best_match(here, [(child.platform, child.digest, known[child.digest]) for child in children])
        image = fitting or next(iter(images), None)
        if image is None or image.config is None:
            return None
        tag = self._reference.tag
        names = [] if tag is None else [self._reference.with_tag(tag).familiar]
        return {
            "Config": blob_name(image.config.digest),
            "RepoTags": names,
            "Layers": [blob_name(layer.digest) for layer in image.layers],
        }


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _index(entries: list[object]) -> bytes:
    marks = {KEPT: "as pulled"}
    return _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, "annotations": marks})


def _good_blobs(files: Files, blobs: Iterable[Descriptor]) -> set[str]:
    """Return the digests of the blobs that are there, whole and right."""
    good = set()
    for blob in blobs:
        name = blob_name(blob.digest)
        try:
            if files.size(name) != blob.size:
                continue
            algorithm, _, wanted = blob.digest.partition(":")
            found = hashlib.new(algorithm)
            with files.open(name) as stream:
                while chunk := stream.read(CHUNK):
                    found.update(chunk)
        except ArchiveError:
            continue
        if found.hexdigest() == wanted:
            good.add(blob.digest)
    return good


class _DirectoryWriter(LayoutWriter):
    """Everything new is made in a directory beside its place, and moved there at the end, index.json last.

    Others may write to the same layout meanwhile: what it lists is read at the end, under a lock.
    """

    def __init__(self, path: str, image: Image, reference: ImageReference) -> None:
        super().__init__(path, image, reference)
        self._target = Path(os.path.realpath(path))
        exists = self._target.exists()
        # Beside the target only where that is not there yet: an existing one may be a file system of its own.
        home = self._target if exists else self._target.parent
        old = Directory(path) if exists else None
        good = _good_blobs(old, self._blobs.values()) if old else set()
        self.missing = frozenset(self._blobs.keys() - good)
        self._others(old)
        try:
            self._stage = stage_directory(home, self._target)
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:
        place = self._stage.path / blob_name(descriptor.digest)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb", buffering=0) as file:
                for chunk in self._checked(descriptor, chunks):
                    _write_all(file.fileno(), chunk)
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        try:
            self._finish()
        except OSError as error:
            raise self._unwritable(error) from error

    def _finish(self) -> None:
        for manifest in self._manifests.values():
            place = self._stage.path / blob_name(manifest.digest)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(manifest.raw)
        (self._stage.path / "oci-layout").write_bytes(_LAYOUT)
        if not self._target.exists():
            with locked(self._target.parent):
                if not self._target.exists():
                    self._list_images(None)
                    self._stage.path.rename(self._target)
                    return
        with locked(self._target):
            _refuse_other_directory(self._target, self._path)
            self._list_images(Directory(self._path))
            self._move_files()

    def _list_images(self, old: Directory | None) -> None:
        """Write the files that list this image and those that the layout has."""
        if listed := self._merged_saves(old, self._loadable()):
            (self._stage.path / "manifest.json").write_bytes(_json(listed))
        (self._stage.path / "index.json").write_bytes(_index([*self._others(old), self._entry()]))

    def _move_files(self) -> None:
        for file in sorted(self._stage.path.rglob("*"), key=lambda file: file.name == "index.json"):
            place = self._target / file.relative_to(self._stage.path)
            if file.is_dir():
                place.mkdir(exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)

    def _others(self, old: Directory | None) -> list[object]:
        """Return the lines of index.json that stay: those of other names, or of no name and another digest."""
        if old is None or old.size("index.json") is None:
            return []
        try:
            listed = read_json(old.read("index.json")).get("manifests")
        except ValueError as error:
            raise ArchiveError(str(error), self._path, "index.json") from error
        mine = self._entry()
        return [entry for entry in (listed if isinstance(listed, list) else []) if not _same_name(entry, mine)]

    def _merged_saves(self, old: Directory | None, mine: dict[str, object] | None) -> list[object]:
        try:
            listed = read_value(old.read("manifest.json")) if old else []
        except (ArchiveError, ValueError):
            listed = []
        others: list[object] = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
        if mine is None:
            return others
        names = mine["RepoTags"]
        return [*(e for e in others if isinstance(e, dict) and e.get("RepoTags") != names), mine]

    def _discard(self) -> None:
        self._stage.discard()


def _refuse_other_directory(target: Path, path: str) -> None:
    # What other writers have not finished yet, or left behind when they were killed, does not count.
    if not (target / "index.json").is_file() and not all(is_stage(entry.name) for entry in target.iterdir()):
        raise ArchiveError("is a directory with other things in it, and no OCI layout", path)


def _same_name(entry: object, mine: dict[str, object]) -> bool:
    if not isinstance(entry, dict):
        return True
    theirs, ours = entry.get("annotations"), mine.get("annotations")
    theirs, ours = theirs if isinstance(theirs, dict) else {}, ours if isinstance(ours, dict) else {}
    if not ours:
        return bool(entry.get("digest") == mine["digest"]) and REF_NAME not in theirs
    image = theirs.get(IMAGE_NAME, ours[IMAGE_NAME])
    return bool(theirs.get(REF_NAME) == ours[REF_NAME] and image == ours[IMAGE_NAME])


def _write_all(number: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(number, rest) :]


class _TarWriter(LayoutWriter):
    """Every size is known from the manifests, so that each blob has its place before the first one comes."""

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

    def write(self, descriptor: Descriptor, chunks: Iterable[bytes]) -> None:
        at = self._places[blob_name(descriptor.digest)]
        try:
            for chunk in self._checked(descriptor, chunks):
                at = self._put(at, chunk)
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        try:
            self._stage.path.replace(self._target)
        except OSError as error:
            raise self._unwritable(error) from error

    def _small_files(self) -> dict[str, bytes]:
        files = {"oci-layout": _LAYOUT, "index.json": _index([self._entry()])}
        if loadable := self._loadable():
            files["manifest.json"] = _json([loadable])
        return files | {blob_name(manifest.digest): manifest.raw for manifest in self._manifests.values()}

    def _old_tar(self) -> Tar | None:
        """Open what is to be replaced, for the blobs in it; what is no image is not replaced."""
        if not self._target.exists() or self._target.stat().st_size == 0:
            return None
        old = Tar(self._path, None)
        if old.size("index.json") is None and old.size("manifest.json") is None:
            old.close()
            raise ArchiveError("is there already, and no image; it is not replaced", self._path)
        return old

    def _lay_out(self, small: dict[str, bytes]) -> dict[str, int]:
        """Write the headers and give the offset of each file; ask for all the space at once."""
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
        good = _good_blobs(old, self._blobs.values()) if old else set()
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
