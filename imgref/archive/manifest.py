"""What manifests say: descriptors, media types, and how an image hangs together, on disk and on a registry alike.

Follows https://github.com/opencontainers/image-spec (``descriptor.md``, ``manifest.md``, ``image-index.md``) and the
formats of Docker that came before, https://distribution.github.io/distribution/spec/manifest-v2-2/.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from imgref._grammar import DIGEST, is_a

__all__ = [
    "DOCKER_CONFIG",
    "DOCKER_LAYER",
    "DOCKER_LIST",
    "DOCKER_MANIFEST",
    "MANIFEST_LIMIT",
    "OCI_CONFIG",
    "OCI_INDEX",
    "OCI_LAYER",
    "OCI_MANIFEST",
    "Blob",
    "Descriptor",
    "Image",
    "ImageSource",
    "Manifest",
    "SourceBlob",
    "assemble",
    "read_descriptor",
    "read_json",
    "read_manifest",
    "short_id",
]

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"

MANIFEST_LIMIT: Final = 4 << 20
"""Registries take no manifest above 4 MiB; a bigger one is refused before it fills the memory."""

_CONFIG_LIMIT: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one document says of another: its media type, digest and size in bytes.

    Attributes:
        platform: ``os/architecture`` or ``os/architecture/variant``, where the descriptor has one.
        foreign: whether the blob lies elsewhere, under URLs of its own, and is not to be distributed.
        annotations: those of the descriptor, not of what it describes.
    """

    media_type: str
    digest: str
    size: int
    platform: str | None = None
    foreign: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest or an index, as the bytes that its digest is of.

    Attributes:
        media_type: the one that the manifest states, else the one that it came with.
        children: the manifests of an index, in order; empty for an image.
        config: None for an index.
        layers: bottom first; the blobs of an artifact count as layers.
        subject: the manifest that this one refers to, where it is a signature or the like.
    """

    raw: bytes
    media_type: str
    digest: str
    children: tuple[Descriptor, ...] = ()
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.raw)

    @property
    def descriptor(self) -> Descriptor:
        """What an index would say of it."""
        return Descriptor(self.media_type, self.digest, self.size)

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, and has no layers of its own."""
        return self.media_type in (OCI_INDEX, DOCKER_LIST)


def short_id(digest: str) -> str:
    """Give the twelve characters of a digest that Docker prints.

    >>> short_id("sha256:" + "0123456789abcdef" * 4)
    '0123456789ab'
    """
    return digest.partition(":")[2][:12]


def read_json(raw: bytes) -> dict[str, object]:
    """Read a JSON object.

    Raises:
        ValueError: it is none; the text is the reason.
    """
    try:
        value = json.loads(raw)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    return value


def read_descriptor(value: object) -> Descriptor:
    """Read a descriptor.

    Raises:
        ValueError: it is none; the text is the reason.
    """
    if not isinstance(value, dict):
        raise ValueError("holds a descriptor that is no object")
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType", "")
    # The digest becomes a path and a part of an address: nothing but a digest may pass.
    if not isinstance(digest, str) or not is_a(DIGEST, digest):
        raise ValueError(f"holds {digest!r:.80}, which is no digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"gives {digest} the size {size!r:.20}")
    if not isinstance(media_type, str):
        raise ValueError(f"gives {digest} a media type that is no string")
    return Descriptor(
        media_type,
        digest,
        size,
        _platform(value.get("platform")),
        bool(value.get("urls")) and (".foreign." in media_type or ".nondistributable." in media_type),
        _strings(value.get("annotations")),
    )


def read_manifest(raw: bytes, media_type: str = "", algorithm: str = "sha256") -> Manifest:
    """Read an image manifest or an index.

    Args:
        raw: its bytes.
        media_type: the one that it came with; what the manifest itself states comes first.
        algorithm: the hash of the digest that it gets.

    Raises:
        ValueError: it is none, or of a kind that cannot be moved; the text is the reason.
    """
    value = read_json(raw)
    stated = value.get("mediaType")
    if isinstance(stated, str) and stated:
        media_type = stated
    if value.get("schemaVersion") == 1:
        raise ValueError("is a manifest of schema 1, which no registry takes any more; push the image again")
    digest = f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"
    # One document must not be an index to one reader and an image to another (CVE-2021-41190).
    if "manifests" in value and not ("layers" in value or "config" in value):
        media_type = media_type or OCI_INDEX
        if media_type not in (OCI_INDEX, DOCKER_LIST):
            raise ValueError(f"is an index, but says that it is {media_type!r:.80}")
        return Manifest(
            raw,
            media_type,
            digest,
            children=_descriptors(value.get("manifests") or []),
            subject=_subject(value),
            artifact_type=_artifact_type(value),
            annotations=_strings(value.get("annotations")),
        )
    if "manifests" in value or not ("layers" in value or "config" in value or "blobs" in value):
        raise ValueError("is neither an image manifest nor an index")
    media_type = media_type or OCI_MANIFEST
    if media_type in (OCI_INDEX, DOCKER_LIST):
        raise ValueError(f"is an image manifest, but says that it is {media_type!r:.80}")
    config = None if value.get("config") is None else read_descriptor(value["config"])
    return Manifest(
        raw,
        media_type,
        digest,
        config=config,
        layers=_descriptors(value.get("layers") or value.get("blobs") or []),
        subject=_subject(value),
        artifact_type=_artifact_type(value) or (config.media_type if config else None),
        annotations=_strings(value.get("annotations")),
    )


def _subject(value: dict[str, object]) -> Descriptor | None:
    return None if value.get("subject") is None else read_descriptor(value["subject"])


def _artifact_type(value: dict[str, object]) -> str | None:
    stated = value.get("artifactType")
    return stated if isinstance(stated, str) and stated else None


def _descriptors(values: object) -> tuple[Descriptor, ...]:
    if not isinstance(values, list):
        raise ValueError("holds no list where one must be")
    return tuple(map(read_descriptor, values))


def _strings(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _platform(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    parts = [value.get(key) for key in ("os", "architecture", "variant")]
    return "/".join(part for part in parts if isinstance(part, str) and part) or None


class Blob(ABC):
    """A config or a layer that can be read as often as it is needed, and from several threads.

    Attributes:
        label: the short id that Docker prints for a layer.
    """

    label: str

    @abstractmethod
    def descriptor(self) -> Descriptor:
        """Give media type, digest and size; the first call may take long where a layer must be compressed."""

    @abstractmethod
    def chunks(self) -> Iterator[bytes]:
        """Give its bytes from the first one; the last ones only once the digest is known to be right."""


class ImageSource(Protocol):
    """Where manifests and blobs lie: in a layout on disk, or in a repository."""

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Give a manifest, its digest verified."""

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Give a blob's bytes from the first one; the last ones only once its digest is known to be right."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image, or an index with all its images, wherever it comes from.

    Attributes:
        layers: each once, the top layer first, as Docker pushes them.
        configs: each once.
        manifests: gives the manifests, an index after its children, so that the last one is the image. Where
            layers must be compressed first, it waits for that.
    """

    layers: tuple[Blob, ...]
    configs: tuple[Blob, ...]
    manifests: Callable[[], tuple[Manifest, ...]]


@dataclass(frozen=True, slots=True)
class SourceBlob(Blob):
    """A blob that its source holds ready, byte for byte."""

    _descriptor: Descriptor
    _source: ImageSource
    label: str

    def descriptor(self) -> Descriptor:
        """Give media type, digest and size."""
        return self._descriptor

    def chunks(self) -> Iterator[bytes]:
        """Give its bytes from the first one."""
        return self._source.chunks(self._descriptor)


def assemble(root: Descriptor, source: ImageSource, *, diff_ids: bool = True) -> Image:
    """Read an image's manifests, down to its blobs.

    What the source raises for a manifest that is missing or wrong goes through.

    Args:
        root: the image, or an index.
        source: where everything lies.
        diff_ids: whether to read the configs, for the ids by which Docker shows layers.
    """
    manifests = _manifests(root, source)
    layers: dict[str, Blob] = {}
    configs: dict[str, Blob] = {}
    for manifest in manifests:
        ids = (diff_ids and _diff_ids(manifest, source)) or [layer.digest for layer in manifest.layers]
        for layer, shown in reversed(list(zip(manifest.layers, ids, strict=True))):
            layers.setdefault(layer.digest, SourceBlob(layer, source, short_id(shown)))
    for manifest in manifests:
        if manifest.config is not None and manifest.config.digest not in layers:
            config = manifest.config
            configs.setdefault(config.digest, SourceBlob(config, source, short_id(config.digest)))
    return Image(tuple(layers.values()), tuple(configs.values()), lambda: manifests)


def _manifests(root: Descriptor, source: ImageSource) -> tuple[Manifest, ...]:
    """Read them all, each once, an index after its children; without recursion, since depth is anyone's choice."""
    done: dict[str, Manifest] = {}
    read: dict[str, Manifest] = {}
    waiting = [root]
    while waiting:
        descriptor = waiting[-1]
        if descriptor.digest in done:
            waiting.pop()
        elif descriptor.digest in read:
            done[descriptor.digest] = read[descriptor.digest]
            waiting.pop()
        else:
            manifest = read[descriptor.digest] = source.manifest(descriptor)
            waiting.extend(reversed(manifest.children))
    return tuple(done.values())


def _diff_ids(manifest: Manifest, source: ImageSource) -> Iterable[str] | None:
    """Give the digest of each layer as it is unpacked, which is the name that Docker knows it by."""
    config = manifest.config
    if config is None or config.media_type not in (OCI_CONFIG, DOCKER_CONFIG) or config.size > _CONFIG_LIMIT:
        return None
    try:
        rootfs = read_json(b"".join(source.chunks(config))).get("rootfs")
    except ValueError:
        return None
    ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(ids, list) or len(ids) != len(manifest.layers):
        return None
    return ids if all(isinstance(shown, str) and is_a(DIGEST, shown) for shown in ids) else None
