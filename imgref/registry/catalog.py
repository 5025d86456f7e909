"""The images of a repository: which tags name the same one, when it was built, how large it is, and for what.

Digests take one HEAD request for each tag. Only then imgref requests the manifest and the configuration of each image,
once, however many tags name it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from imgref.archive.config import ImageConfig, read_time
from imgref.archive.manifest import Descriptor, Manifest
from imgref.errors import NotFound, RegistryError
from imgref.platforms import Platform, best_match
from imgref.reference import ImageReference
from imgref.registry.lookup import Lookup
from imgref.registry.threads import run_all
from imgref.registry.transport import Event

__all__ = ["ImageDetails", "TaggedImage", "describe_images", "find_images", "read_details"]

_JOBS: Final = 8
_USUAL: Final = Platform("linux", "amd64")
_CREATED: Final = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """What the documents of an image contain about it.

    Attributes:
        created: when it was built, according to its publisher; None if unknown.
        size: the bytes of its configuration and layers, as they are transferred; None if that is not known. An image
            for several platforms has the size and the time of the image for linux/amd64, or else of its first one.
        platforms: what it is for.
    """

    created: datetime | None = None
    size: int | None = None
    platforms: tuple[Platform, ...] = ()


@dataclass(frozen=True, slots=True)
class TaggedImage:
    """An image of a repository, with the tags that name it.

    Attributes:
        tags: the tags, in the order in which they were requested; at least one.
        descriptor: what the tags point to; None if the registry does not report it.
        host: the registry that answered.
        details: the data from the image's documents; None before they are requested.
    """

    tags: tuple[str, ...]
    descriptor: Descriptor | None
    host: str | None = None
    details: ImageDetails | None = None

    @property
    def created(self) -> datetime | None:
        """When the image was built, or None."""
        return None if self.details is None else self.details.created


def find_images(
    lookup: Lookup, repository: ImageReference, tags: Sequence[str], each: Callable[[object], None] | None = None
) -> list[TaggedImage]:
    """Return the images that tags name, in the order of their first tags. A tag that is gone by now is omitted.

    Args:
        lookup: where to ask.
        repository: the repository.
        tags: its tags.
        each: called as each tag is known.

    Raises:
        RegistryError: the registry refuses or fails.
    """
    tasks = [partial(_look_up, lookup, repository.with_tag(tag)) for tag in tags]
    images: dict[str, TaggedImage] = {}
    for found in run_all(_JOBS, tasks, threading.Event(), each):
        if found is not None:
            key = found.tags[0] if found.descriptor is None else found.descriptor.digest
            known = images.get(key)
            images[key] = found if known is None else replace(known, tags=known.tags + found.tags)
    return list(images.values())


def describe_images(
    lookup: Lookup,
    repository: ImageReference,
    images: Iterable[TaggedImage],
    each: Callable[[object], None] | None = None,
) -> list[TaggedImage]:
    """Return images with their details.

    Args:
        lookup: where to ask.
        repository: the repository.
        images: from :func:`find_images`.
        each: called as each image is known.

    Raises:
        RegistryError: the registry refuses or fails.
    """
    tasks = [partial(_described, lookup, repository, image) for image in images]
    return list(run_all(_JOBS, tasks, threading.Event(), each))


def _look_up(lookup: Lookup, ref: ImageReference) -> TaggedImage | None:
    assert ref.tag is not None
    try:
        found = lookup.find(ref)
    except RegistryError as error:
        _pass_over(lookup, error)
        return TaggedImage((ref.tag,), None)
    if found is None:
        lookup.report(Event("warning", f"{ref}: the tag is listed, but does not exist"))
        return None
    return TaggedImage((ref.tag,), found, lookup.answered_by(ref))


def _described(lookup: Lookup, repository: ImageReference, image: TaggedImage) -> TaggedImage:
    if image.descriptor is None:
        return replace(image, details=ImageDetails())
    ref = repository.with_digest(image.descriptor.digest)
    try:
        return replace(image, details=read_details(lookup, ref))
    except RegistryError as error:
        _pass_over(lookup, error)
        return replace(image, details=ImageDetails())


def _pass_over(lookup: Lookup, error: RegistryError) -> None:
    """Report an image that is incomplete or cannot be read, as in Docker's first format; raise any other failure."""
    if type(error) not in (RegistryError, NotFound):
        raise error
    lookup.report(Event("warning", error.reason))


def read_details(lookup: Lookup, ref: ImageReference) -> ImageDetails:
    """Return the data from the documents of an image; an index has the time and the size of its image for linux/amd64.

    Args:
        lookup: where to ask.
        ref: the image.

    Raises:
        RegistryError: the image is incomplete, or the registry refuses or fails.
    """
    manifest = lookup.get_manifest(ref)
    if not manifest.is_index:
        return _of_manifest(lookup, ref, manifest)
    # Attestations are listed as for an unknown platform.
    children = [child for child in manifest.children if child.platform is None or child.platform.os != "unknown"]
    platforms = tuple(dict.fromkeys(child.platform for child in children if child.platform is not None))
    usual = best_match(_USUAL, [(child.platform, child.digest, child) for child in children])
    chosen = usual or next(iter(children), None)
    if chosen is None or chosen.is_index:
        return ImageDetails(read_time(manifest.annotations.get(_CREATED)), None, platforms)
    child = ref.with_digest(chosen.digest)
    found = _of_manifest(lookup, child, lookup.get_manifest(child))
    return replace(found, platforms=platforms or found.platforms)


def _of_manifest(lookup: Lookup, ref: ImageReference, manifest: Manifest) -> ImageDetails:
    config = ImageConfig.read(lookup.get_config(ref, manifest))
    created = config.created or read_time(manifest.annotations.get(_CREATED))
    parts = [*manifest.layers, *([manifest.config] if manifest.config else [])]
    size = sum(part.size for part in parts)
    return ImageDetails(created, size, (config.platform,) if config.platform else ())
