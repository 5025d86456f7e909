"""An image as it moves: its manifests, and its blobs, wherever they lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from imgref._grammar import DIGEST, is_a
from imgref.archive.manifest import DOCKER_CONFIG, OCI_CONFIG, Descriptor, Manifest, read_json

__all__ = ["Blob", "Image", "ImageSource", "SourceBlob", "assemble", "short_id"]

_CONFIG_LIMIT: Final = 16 << 20
_MOST_MANIFESTS: Final = 1000
"""An index lists a few dozen platforms. One that refers to indexes, and so on, could name any number."""


def short_id(digest: str) -> str:
    """Return the twelve characters of a digest that Docker prints.

    >>> short_id("sha256:" + "0123456789abcdef" * 4)
    '0123456789ab'
    """
    return digest.partition(":")[2][:12]


class Blob(ABC):
    """A config or a layer that can be read as often as it is needed, and from several threads.

    Attributes:
        label: the short id that Docker prints for a layer.
    """

    label: str

    @abstractmethod
    def descriptor(self) -> Descriptor:
        """Return media type, digest and size; the first call may take long where a layer must be compressed."""

    @abstractmethod
    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes from the first one; the last ones only once the digest is known to be right."""


class ImageSource(Protocol):
    """Where manifests and blobs lie: in a layout on disk, or in a repository."""

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest, its digest verified."""

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield a blob's bytes from the first one; the last ones only once its digest is known to be right."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image, or an index with all its images, wherever it comes from.

    Attributes:
        layers: each once, the top layer first, as Docker pushes them.
        configs: each once.
        manifests: returns the manifests, an index after its children, so that the last one is the image. If
            layers must be compressed first, it waits for that.
    """

    layers: tuple[Blob, ...]
    configs: tuple[Blob, ...]
    manifests: Callable[[], tuple[Manifest, ...]]


@dataclass(frozen=True, slots=True)
class SourceBlob(Blob):
    """A blob that its source has, byte for byte."""

    _descriptor: Descriptor
    _source: ImageSource
    label: str

    def descriptor(self) -> Descriptor:
        """Return media type, digest and size."""
        return self._descriptor

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes from the first one."""
        return self._source.chunks(self._descriptor)


def assemble(root: Descriptor, source: ImageSource, *, diff_ids: bool = True) -> Image:
    """Read an image's manifests, down to its blobs.

    What the source raises for a manifest that is missing or wrong goes through.

    Args:
        root: the image, or an index.
        source: where everything lies.
        diff_ids: whether to read the configs, for the ids by which Docker shows layers.

    Raises:
        ValueError: it has too many manifests; the message is the reason.
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
    """Read them all, each once, an index after its children; without recursion, since depth is anyone's choice.

    Raises:
        ValueError: there are too many.
    """
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
            if len(read) >= _MOST_MANIFESTS:
                raise ValueError(f"has more than {_MOST_MANIFESTS} manifests")
            manifest = read[descriptor.digest] = source.manifest(descriptor)
            waiting.extend(reversed(manifest.children))
    return tuple(done.values())


def _diff_ids(manifest: Manifest, source: ImageSource) -> Iterable[str] | None:
    """Return the digest of each uncompressed layer, which is Docker's name for it."""
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
