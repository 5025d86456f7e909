"""Joins images for single platforms, such as those of several builders, into one index.

The manifests stay as they are, byte for byte, so that signatures and attestations, which name the digest of a manifest,
stay right. Only the index is new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imgref.archive.config import ImageConfig
from imgref.archive.image import Blob, Image
from imgref.archive.manifest import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    MANIFEST_LIMIT,
    OCI_INDEX,
    Descriptor,
    Manifest,
    read_json,
)
from imgref.errors import ArchiveError
from imgref.platforms import Platform

__all__ = ["ImagePart", "join_images"]


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image that is to be joined with others.

    Attributes:
        name: what the user calls it.
        image: the image, for one platform or several.
    """

    name: str
    image: Image


def join_images(parts: Sequence[ImagePart], annotations: Mapping[str, str] | None = None) -> Image:
    """Return an index of some images, and all that it needs.

    A single image for several platforms stays as it is, with its digest, unless there are annotations to add.

    Args:
        parts: the images; of an index among them, the entries are used unchanged, attestations included.
        annotations: the annotations of the index.

    Raises:
        ArchiveError: two images are for one platform, or the platform of one is not known.
    """
    roots = [part.image.manifests()[-1] for part in parts]
    if len(parts) == 1 and roots[0].is_index and not annotations:
        return parts[0].image
    entries = _Entries()
    for part, root in zip(parts, roots, strict=True):
        for entry in _entries_of(part, root):
            entries.add(part.name, entry)
    children = {
        manifest.digest: manifest
        for part, root in zip(parts, roots, strict=True)
        for manifest in part.image.manifests()
        if not (root.is_index and manifest is root)
    }
    raw = _index(entries.listed, annotations or {})
    if len(raw) > MANIFEST_LIMIT:
        raise ArchiveError(f"the index would have {len(raw)} bytes, more than registries accept", parts[0].name)
    manifests = (*children.values(), Manifest.read(raw))
    return Image(
        _united(part.image.layers for part in parts), _united(part.image.configs for part in parts), lambda: manifests
    )


def _united(blobs: Iterable[Sequence[Blob]]) -> tuple[Blob, ...]:
    return tuple({blob.descriptor().digest: blob for each in blobs for blob in each}.values())


class _Entries:
    """The entries of an index, at most one for each platform."""

    def __init__(self) -> None:
        self.listed: list[Mapping[str, object]] = []
        self._names: dict[Platform, tuple[str, str]] = {}
        self._digests: set[str] = set()

    def add(self, name: str, entry: Mapping[str, object]) -> None:
        """Add an entry of an image.

        Raises:
            ArchiveError: there is another one for its platform.
        """
        descriptor = Descriptor.read(entry)
        platform = descriptor.platform
        # Attestations are listed as for an unknown platform.
        if platform is not None and platform.os != "unknown":
            known, digest = self._names.setdefault(platform.normalized, (name, descriptor.digest))
            if digest != descriptor.digest:
                where = f"{known} and {name}" if known != name else name
                raise ArchiveError(f"two images for {platform}, {digest} and {descriptor.digest}", where)
        if descriptor.digest not in self._digests:
            self._digests.add(descriptor.digest)
            self.listed.append(entry)


def _entries_of(part: ImagePart, root: Manifest) -> list[Mapping[str, object]]:
    if root.is_index:
        listed = read_json(root.raw).get("manifests")
        return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    platform = _platform(part, root)
    return [{"mediaType": root.media_type, "digest": root.digest, "size": root.size, "platform": platform}]


def _platform(part: ImagePart, root: Manifest) -> dict[str, object]:
    """Return the platform of an image as an index lists it, from its configuration."""
    config = root.config
    blob = next((b for b in part.image.configs if config is not None and b.descriptor().digest == config.digest), None)
    try:
        data = {} if blob is None else read_json(b"".join(blob.chunks()))
    except ValueError:
        data = {}
    if ImageConfig.read(data).platform is None:
        raise ArchiveError("the configuration does not name the platform of the image", part.name)
    keys = ("architecture", "os", "os.version", "os.features", "variant")
    return {key: data[key] for key in keys if data.get(key)}


def _index(entries: Sequence[Mapping[str, object]], annotations: Mapping[str, str]) -> bytes:
    only_docker = all(entry.get("mediaType") == DOCKER_MANIFEST for entry in entries) and not annotations
    document: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": DOCKER_INDEX if only_docker else OCI_INDEX,
        "manifests": entries,
    }
    if annotations:
        document["annotations"] = dict(sorted(annotations.items()))
    return json.dumps(document, indent=2, ensure_ascii=False).encode()
