"""What the writers of OCI layouts share: the missing blobs, their verification, and the files that list them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self

from imgref.archive._layout import IMAGE_NAME, REF_NAME, blob_name
from imgref.archive.image import Image
from imgref.archive.manifest import DOCKER_CONFIG, OCI_CONFIG, OCI_INDEX, Descriptor
from imgref.archive.reader import KEPT
from imgref.archive.storage import CHUNK, Files
from imgref.errors import ArchiveError
from imgref.platforms import Platform, best_match
from imgref.reference import ImageReference

__all__ = ["LAYOUT", "LayoutWriter", "good_blobs", "index_of", "json_bytes"]

LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'


class LayoutWriter(ABC):
    """An OCI layout that comes to be; made by :func:`layout_writer`.

    Attributes:
        missing: digests of the blobs to add; the others already exist, and are verified.
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
    def write(self, descriptor: Descriptor, chunks: Iterable[bytes], *, verified: bool = False) -> None:
        """Add and verify a blob; may be called from several threads, and again after a failure.

        Args:
            descriptor: of the blob.
            chunks: its content.
            verified: whether the digest of ``chunks`` is verified as they are read, as :meth:`Blob.chunks` does.
                Then only the size is checked: hashing takes longer than everything else.

        Raises:
            ArchiveError: its size or digest is not that of the image, or there is no space.
        """

    @abstractmethod
    def finish(self) -> None:
        """Create the layout, which is not visible until now.

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

    def _checked(self, descriptor: Descriptor, chunks: Iterable[bytes], *, verified: bool) -> Iterator[bytes]:
        """Yield a blob's bytes; the end is reached only if they are the ones that the image names."""
        algorithm, _, wanted = descriptor.digest.partition(":")
        found = None if verified else hashlib.new(algorithm)
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > descriptor.size:
                break
            if found is not None:
                found.update(chunk)
            yield chunk
        if size != descriptor.size or (found is not None and found.hexdigest() != wanted):
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
        """Return the line of manifest.json, from which Docker without the containerd image store loads the image.

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


def json_bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def index_of(entries: list[object]) -> bytes:
    marks = {KEPT: "as pulled"}
    return json_bytes({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, "annotations": marks})


def good_blobs(files: Files, blobs: Iterable[Descriptor]) -> set[str]:
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
