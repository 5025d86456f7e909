"""Manifests and indexes, on disk and on a registry: their raw bytes, and what imgref reads from them.

https://github.com/opencontainers/image-spec/blob/main/manifest.md, and the formats of Docker that came before,
https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from imgref._grammar import DIGEST, is_a
from imgref.archive._json import read_json
from imgref.errors import quote
from imgref.platforms import Platform

__all__ = [
    "ACCEPTED",
    "DOCKER_CONFIG",
    "DOCKER_INDEX",
    "DOCKER_LAYER",
    "DOCKER_MANIFEST",
    "INDEX_TYPES",
    "LARGEST_SIZE",
    "MANIFEST_LIMIT",
    "OCI_CONFIG",
    "OCI_INDEX",
    "OCI_LAYER",
    "OCI_MANIFEST",
    "Descriptor",
    "Manifest",
    "digest_of",
    "read_json",
]

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"

ACCEPTED: Final = (OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)
"""Each request accepts all four: otherwise a registry may report that the tag does not exist."""

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})

MANIFEST_LIMIT: Final = 4 << 20
"""Registries take no manifest above 4 MiB; on disk a bigger one is refused before it fills the memory."""

LARGEST_SIZE: Final = (1 << 63) - 1
"""The largest size that file systems, tars and HTTP libraries can handle."""

_FOREIGN: Final = (".foreign.", ".nondistributable.")


def digest_of(raw: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of bytes.

    >>> digest_of(b"")[:19]
    'sha256:e3b0c44298fc'
    """
    return f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What content is, where it is, and how large: https://github.com/opencontainers/image-spec/blob/main/descriptor.md.

    Attributes:
        media_type: the kind of content; empty if that is missing.
        digest: its address.
        size: in bytes.
        platform: the platform, if an index has it.
        annotations: further words, where there are any.
        artifact_type: the kind of artifact, where one is named.
        foreign: whether it is stored elsewhere, under its own URLs, and must not be distributed.
    """

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)
    artifact_type: str | None = None
    foreign: bool = False

    @property
    def is_index(self) -> bool:
        """Whether this is of an index, with images for several platforms."""
        return self.media_type in INDEX_TYPES

    @classmethod
    def read(cls, value: object) -> Descriptor:
        """Read a descriptor of a manifest or an index.

        Raises:
            ValueError: it has no digest or no size.
        """
        if not isinstance(value, dict):
            raise ValueError("has a descriptor without a digest")
        digest, size = value.get("digest"), value.get("size")
        # The digest becomes a path, and a part of an address: nothing but a digest may pass.
        if not isinstance(digest, str) or not is_a(DIGEST, digest):
            shown = f": {quote(digest)} is none" if isinstance(digest, str) else ""
            raise ValueError(f"has a descriptor without a digest{shown}")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError(f"has no valid size for {digest}")
        if size > LARGEST_SIZE:
            raise ValueError(f"has a size for {digest} that no file can have")
        media_type = _text(value.get("mediaType"))
        return cls(
            media_type,
            digest,
            size,
            _platform(value.get("platform")),
            _texts(value.get("annotations")),
            _text(value.get("artifactType")) or None,
            bool(value.get("urls")) and any(word in media_type for word in _FOREIGN),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index: its bytes and its content.

    Attributes:
        raw: the bytes, which are never rewritten: their digest is the image's address.
        media_type: the one that the document names, else the one that it came with.
        digest: of the bytes.
        children: an index's manifests; empty for a manifest.
        layers: a manifest's layers, the lowest first; empty for an index.
        config: a manifest's configuration; None for an index.
        subject: the manifest that this one refers to, where it is a signature or the like.
        annotations: the annotations of the whole.
        artifact_type: the kind of artifact, or of the configuration.

    >>> Manifest.read(b'{"schemaVersion": 2, "layers": []}', OCI_MANIFEST).layers
    ()
    """

    raw: bytes = field(repr=False)
    media_type: str
    digest: str
    children: tuple[Descriptor, ...] = ()
    layers: tuple[Descriptor, ...] = ()
    config: Descriptor | None = None
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)
    artifact_type: str | None = None

    @classmethod
    def read(cls, raw: bytes, media_type: str = "", digest: str | None = None) -> Manifest:
        """Read a manifest from its bytes.

        Args:
            raw: the bytes.
            media_type: the media type that it was sent with, for a document without one.
            digest: what its digest must be.

        Raises:
            ValueError: the bytes have another digest, or are not a supported manifest; the message is the reason.
        """
        found = digest_of(raw, digest.partition(":")[0] if digest else "sha256")
        if digest is not None and found != digest:
            raise ValueError(f"is {found}, and not {digest}")
        data = read_json(raw)
        kind = _kind(data, media_type.partition(";")[0].strip())
        is_index = kind in INDEX_TYPES
        # One document must not be an index to one reader and an image to another (CVE-2021-41190).
        if any(key in data for key in (("layers", "config") if is_index else ("manifests",))):
            raise ValueError(
                f"has the parts of an {'image' if is_index else 'index'}, but its media type is {quote(kind)}"
            )
        config = None if is_index else _descriptor(data.get("config"))
        return cls(
            raw,
            kind,
            found,
            _descriptors(data, "manifests") if is_index else (),
            () if is_index else _descriptors(data, "layers"),
            config,
            _descriptor(data.get("subject")),
            _texts(data.get("annotations")),
            _text(data.get("artifactType")) or (config.media_type if config else None),
        )

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.raw)

    @property
    def is_index(self) -> bool:
        """Whether this is an index, with images for several platforms."""
        return self.media_type in INDEX_TYPES

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of this document, for use in another one."""
        return Descriptor(self.media_type, self.digest, self.size, annotations=self.annotations)


def _kind(data: dict[str, object], came_as: str) -> str:
    """Return the media type: the one that the document names, else the one that it came as, else what it looks like."""
    said = _text(data.get("mediaType"))
    kind = said or came_as
    if kind in ACCEPTED:
        return kind
    if data.get("schemaVersion") == 1:
        raise ValueError("is a Docker schema 1 manifest, which has no reliable digest")
    if not said and (data.get("schemaVersion") == 2 or {"manifests", "layers", "config"} & data.keys()):
        return OCI_INDEX if "manifests" in data else OCI_MANIFEST
    raise ValueError(f"is of type {quote(kind)}, which is not a manifest that imgref supports")


def _descriptor(value: object) -> Descriptor | None:
    return None if value is None else Descriptor.read(value)


def _descriptors(data: dict[str, object], key: str) -> tuple[Descriptor, ...]:
    values = data.get(key) or []
    if not isinstance(values, list):
        raise ValueError(f"has {key}, which must be a list")
    return tuple(map(Descriptor.read, values))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    return {str(key): text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


def _platform(value: object) -> Platform | None:
    if not isinstance(value, dict):
        return None
    system, architecture = _text(value.get("os")), _text(value.get("architecture"))
    if not system or not architecture:
        return None
    features = value.get("os.features")
    return Platform(
        system,
        architecture,
        _text(value.get("variant")),
        _text(value.get("os.version")),
        tuple(map(_text, features)) if isinstance(features, list) else (),
    )
