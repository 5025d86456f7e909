"""OCI layouts: their images, and their blobs, which are verified as they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from imgref._grammar import DIGEST, is_a
from imgref.archive.image import Image, assemble
from imgref.archive.manifest import MANIFEST_LIMIT, Descriptor, Manifest, read_json
from imgref.archive.storage import Files

__all__ = ["IMAGE_NAME", "REF_NAME", "Entry", "blob_name", "inner_entry", "layout_entries"]

IMAGE_NAME: Final = "io.containerd.image.name"
REF_NAME: Final = "org.opencontainers.image.ref.name"

_CHUNK: Final = 1 << 18
"""Bytes that are read at once: they stay in the processor's cache while they are hashed and sent."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of an archive: its names as they are spelled there, and its digest or, from Docker, its id."""

    names: tuple[str, ...]
    digest: str
    load: Callable[[], Image]


def layout_entries(files: Files) -> Iterator[Entry]:
    """Yield the images that index.json lists; one that is listed under several names counts once."""
    try:
        listed = read_json(files.read("index.json")).get("manifests")
        if not isinstance(listed, list):
            raise ValueError("lists no manifests")
        descriptors = [Descriptor.read(value) for value in listed]
    except ValueError as error:
        raise files.fail(str(error), "index.json") from error
    layout = _Layout(files)
    by_digest: dict[str, list[Descriptor]] = {}
    for descriptor in descriptors:
        by_digest.setdefault(descriptor.digest, []).append(descriptor)
    for digest, same in by_digest.items():
        names = [root.annotations[key] for root in same for key in (IMAGE_NAME, REF_NAME) if key in root.annotations]
        yield Entry(tuple(dict.fromkeys(names)), digest, partial(layout.image, same[0]))


def inner_entry(files: Files, digest: str) -> Iterator[Entry]:
    """Yield an image that index.json does not list, but an index in it may; by its whole digest, if it is there."""
    if is_a(DIGEST, digest) and (size := files.size(blob_name(digest))) is not None:
        yield Entry((), digest, partial(_Layout(files).image, Descriptor("", digest, size)))


class _Layout:
    """The blobs of an OCI layout, as a source of images."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._verified: set[str] = set()

    def image(self, root: Descriptor) -> Image:
        """Read the manifests, and look that every blob is there."""
        self._check_children(root)
        try:
            image = assemble(root, self)
        except ValueError as error:
            raise self._files.fail(str(error), blob_name(root.digest)) from error
        for blob in (*image.configs, *image.layers):
            descriptor = blob.descriptor()
            if not descriptor.foreign:
                self._check(descriptor)
        return image

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest, its digest verified."""
        name = self._check(descriptor)
        if descriptor.size > MANIFEST_LIMIT:
            raise self._files.fail(f"is too big for a manifest: {descriptor.size} bytes", name)
        raw = b"".join(self.chunks(descriptor))
        try:
            return Manifest.read(raw, descriptor.media_type, descriptor.digest)
        except ValueError as error:
            raise self._files.fail(str(error), name) from error

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield a blob's bytes from the first one; the last ones only once its digest is known to be right."""
        name = self._check(descriptor)
        algorithm = descriptor.digest.partition(":")[0]
        # What was read once, and is sent again, is not hashed again.
        found = None if descriptor.digest in self._verified else hashlib.new(algorithm)
        left = descriptor.size
        with self._files.open(name) as stream:
            while left:
                chunk = stream.read(min(left, _CHUNK))
                if not chunk:
                    raise self._files.fail("became shorter while it was read", name)
                left -= len(chunk)
                if found is not None:
                    found.update(chunk)
                    if not left:
                        self._verify(f"{algorithm}:{found.hexdigest()}", descriptor.digest, name)
                yield chunk
        if found is not None and not descriptor.size:
            self._verify(f"{algorithm}:{found.hexdigest()}", descriptor.digest, name)

    def _verify(self, found: str, digest: str, name: str) -> None:
        if found != digest:
            raise self._files.fail(f"is damaged: its digest is {found}, not the one that it is named for", name)
        self._verified.add(digest)

    def _check_children(self, root: Descriptor) -> None:
        """Refuse an index without all of its images, which Docker saves after pulling one platform; suggest a fix."""
        children = self.manifest(root).children
        there = [child for child in children if self._files.size(blob_name(child.digest)) is not None]
        if there and len(there) < len(children):
            lacking = next(child for child in children if child not in there)
            reason = f"is missing, but the image refers to it; --image {there[0].digest} takes a part of it"
            if there[0].platform is not None:
                reason += f", {there[0].platform}"
            raise self._files.fail(reason, blob_name(lacking.digest))

    def _check(self, descriptor: Descriptor) -> str:
        name = blob_name(descriptor.digest)
        size = self._files.size(name)
        if size is None:
            raise self._files.fail("is missing, but the image refers to it", name)
        if size != descriptor.size:
            raise self._files.fail(f"has {size} bytes, but the image's descriptor has {descriptor.size}", name)
        return name


def blob_name(digest: str) -> str:
    """Return the path of a blob in a layout."""
    return "blobs/" + digest.replace(":", "/")
