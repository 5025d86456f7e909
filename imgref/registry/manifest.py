"""Manifests and indexes: raw bytes first, and what imgref needs to know of them.

https://github.com/opencontainers/image-spec/blob/main/manifest.md
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from imgref._grammar import DIGEST, is_a
from imgref.errors import RegistryError, quote

__all__ = ["ACCEPTED", "INDEX_TYPES", "Descriptor", "Manifest", "Platform", "digest_of"]

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"

ACCEPTED: Final = (OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)
"""All four are asked for at once: a registry that finds its own missing answers that there is no such tag."""

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})

_ARCHITECTURES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386"}
_DEFAULT_VARIANTS: Final = {("arm64", "v8"), ("arm", "v7"), ("amd64", "v1")}


def digest_of(raw: bytes, algorithm: str = "sha256") -> str:
    """Give the digest of bytes.

    >>> digest_of(b"")[:19]
    'sha256:e3b0c44298fc'
    """
    return f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system, an architecture, and perhaps a variant of it.

    >>> str(Platform.parse("linux/arm64/v8")), Platform("linux", "arm64").matches(Platform("linux", "arm64", "v8"))
    ('linux/arm64/v8', True)
    """

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``os/architecture[/variant]``, as ``docker pull --platform`` does; an architecture alone is Linux'.

        Raises:
            ValueError: the text is no platform.
        """
        parts = text.strip().lower().split("/")
        if len(parts) == 1:
            parts.insert(0, "linux")
        if len(parts) > 3 or not all(parts):
            raise ValueError(f"{quote(text)} is no platform; write os/architecture, as in linux/amd64")
        system, architecture, *variant = parts
        return cls(system, _ARCHITECTURES.get(architecture, architecture), variant[0] if variant else "")

    def matches(self, other: Platform) -> bool:
        """Tell whether an image for ``other`` is one for this; without a variant any will do."""
        if (self.os, self.architecture) != (other.os, other.architecture):
            return False
        return not self.variant or self._variant() == other._variant()

    def _variant(self) -> str:
        return "" if (self.architecture, self.variant) in _DEFAULT_VARIANTS else self.variant

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What content is, where it is, and how large: https://github.com/opencontainers/image-spec/blob/main/descriptor.md.

    Attributes:
        media_type: what kind of content it is.
        digest: its address.
        size: in bytes.
        platform: for which platform, where an index says so.
        annotations: further words, where there are any.
        artifact_type: the kind of artifact, where one is named.
    """

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)
    artifact_type: str | None = None

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
        entry = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        digest, size = entry.get("digest"), entry.get("size")
        if not isinstance(digest, str) or not is_a(DIGEST, digest):
            raise ValueError("a descriptor without a digest")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError(f"no size for {digest}")
        artifact = entry.get("artifactType")
        return cls(
            _text(entry.get("mediaType")),
            digest,
            size,
            _platform(entry.get("platform")),
            _texts(entry.get("annotations")),
            artifact if isinstance(artifact, str) else None,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index, as its bytes; what it says is read from them.

    Attributes:
        raw: the bytes, never written anew: their digest is the image's address.
        media_type: the one that the document names, else the one that it came with.
        digest: of the bytes.

    >>> Manifest.read(b'{"schemaVersion": 2, "layers": []}', OCI_MANIFEST).layers
    ()
    """

    raw: bytes = field(repr=False)
    media_type: str
    digest: str
    data: Mapping[str, object] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: bytes, media_type: str = "", digest: str | None = None) -> Manifest:
        """Read a manifest from its bytes.

        Args:
            raw: the bytes.
            media_type: what it came as, for a document that does not say what it is.
            digest: what its digest must be.

        Raises:
            RegistryError: the bytes have another digest, or are no manifest that imgref knows.
        """
        found = digest_of(raw, digest.partition(":")[0] if digest else "sha256")
        if digest is not None and found != digest:
            raise RegistryError(f"the manifest that came is {found}, and not {digest}")
        try:
            data = json.loads(raw)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise RegistryError(f"a manifest was expected, but {_shown(raw, media_type)} came")
        said = data.get("mediaType")
        kind = said if isinstance(said, str) and said else media_type.partition(";")[0].strip()
        if kind not in ACCEPTED and not said and data.get("schemaVersion") == 2:
            kind = OCI_INDEX if isinstance(data.get("manifests"), list) else OCI_MANIFEST
        if kind not in ACCEPTED:
            old = data.get("schemaVersion") == 1
            what = "a manifest of Docker's first form, which has no safe digest" if old else f"of type {quote(kind)}"
            raise RegistryError(f"{what}: no manifest that imgref moves")
        manifest = cls(raw, kind, found, data)
        try:
            _ = manifest.children, manifest.layers, manifest.config
        except ValueError as error:
            raise RegistryError(f"the manifest {found} is damaged: {error}") from error
        return manifest

    @property
    def is_index(self) -> bool:
        """Whether this is an index, with images for several platforms."""
        return self.media_type in INDEX_TYPES

    @property
    def descriptor(self) -> Descriptor:
        """What another document would say of this one."""
        return Descriptor(self.media_type, self.digest, len(self.raw), annotations=self.annotations)

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """An index's manifests; empty for a manifest."""
        return self._descriptors("manifests") if self.is_index else ()

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """A manifest's layers, the lowest first; empty for an index."""
        return () if self.is_index else self._descriptors("layers")

    @property
    def config(self) -> Descriptor | None:
        """A manifest's configuration; None for an index."""
        found = self.data.get("config")
        return None if self.is_index or found is None else Descriptor.read(found)

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations of the whole."""
        return _texts(self.data.get("annotations"))

    def _descriptors(self, key: str) -> tuple[Descriptor, ...]:
        found = self.data.get(key)
        return tuple(Descriptor.read(value) for value in found) if isinstance(found, list) else ()


def _shown(raw: bytes, media_type: str) -> str:
    start = raw[:64].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")) or "html" in media_type.lower():
        return "an HTML page"
    return "nothing" if not raw else "something that is no JSON object"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    return {str(key): text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


def _platform(value: object) -> Platform | None:
    if not isinstance(value, dict):
        return None
    system, architecture = _text(value.get("os")), _text(value.get("architecture"))
    return Platform(system, architecture, _text(value.get("variant"))) if system and architecture else None
