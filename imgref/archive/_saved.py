"""What ``docker save`` writes: layers to be compressed, and the manifest that a push creates from them."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final, TypeGuard

from imgref._grammar import DIGEST, is_a
from imgref.archive._json import read_value
from imgref.archive._layout import Entry
from imgref.archive.image import Blob, Image, short_id
from imgref.archive.manifest import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    digest_of,
    read_json,
)
from imgref.archive.storage import CHUNK, Files, packing_of, section, spool_to, unpacked

__all__ = ["has_plain_layers", "saved_entries"]

_LEVEL: Final = 2
"""Twice as fast as zlib's default, for a tenth more bytes: what takes time here is a CI machine with two cores."""

_WINDOW: Final = 1 << 15
_BLOCK: Final = 1 << 18
_SAMPLE: Final = 1 << 13
_THREADS: Final = 4
_WORTH_IT: Final = 0.95


@dataclass(frozen=True, slots=True)
class _SavedImage:
    config: str
    names: tuple[str, ...]
    layers: tuple[str, ...]


def _saved_images(files: Files) -> list[_SavedImage]:
    name = "manifest.json"
    try:
        listed = read_value(files.read(name))
    except ValueError as error:
        raise files.fail(str(error), name) from error
    if not isinstance(listed, list):
        raise files.fail("is not a list of images", name)
    images = []
    for value in listed:
        config, names, layers = (
            (value.get("Config"), value.get("RepoTags") or [], value.get("Layers") or [])
            if isinstance(value, dict)
            else (None, None, None)
        )
        if not (isinstance(config, str) and _are_strings(names) and _are_strings(layers)):
            raise files.fail("describes an image without Config and Layers", name)
        images.append(_SavedImage(config, tuple(names), tuple(layers)))
    return images


def _are_strings(values: object) -> TypeGuard[list[str]]:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def saved_entries(files: Files) -> Iterator[Entry]:
    """Yield the images that manifest.json lists; one that is listed under several names counts once."""
    by_config: dict[str, list[_SavedImage]] = {}
    for image in _saved_images(files):
        by_config.setdefault(image.config, []).append(image)
    for config, same in by_config.items():
        names = dict.fromkeys(name for image in same for name in image.names)
        yield Entry(tuple(names), f"sha256:{_stem(config)}", partial(_saved_image, files, same[0]))


def has_plain_layers(files: Files) -> bool:
    """Return whether a layer that manifest.json lists is not compressed."""
    return any(not packing_of(_head(files, name)) for image in _saved_images(files) for name in image.layers)


def _head(files: Files, name: str) -> bytes:
    if files.size(name) is None:
        raise files.fail("is missing, though manifest.json names it", name)
    with files.open(name) as stream:
        return stream.read(6)


def _stem(config: str) -> str:
    return config.rpartition("/")[2].removesuffix(".json")


def _saved_image(files: Files, saved: _SavedImage) -> Image:
    raw = files.read(saved.config)
    digest = digest_of(raw)
    named = f"sha256:{_stem(saved.config)}"
    if is_a(DIGEST, named) and digest != named:
        raise files.fail(f"is damaged: its digest is {digest}, not the one that it is named for", saved.config)
    try:
        rootfs = read_json(raw).get("rootfs")
    except ValueError as error:
        raise files.fail(str(error), saved.config) from error
    ids = rootfs.get("diff_ids") or [] if isinstance(rootfs, dict) else []
    if not (_are_strings(ids) and all(is_a(DIGEST, shown) for shown in ids)):
        raise files.fail("names no layers by digest", saved.config)
    if len(ids) != len(saved.layers):
        raise files.fail(f"names {len(ids)} layers, but manifest.json {len(saved.layers)}", saved.config)
    layers = {}
    for diff_id, name in zip(ids, saved.layers, strict=True):
        if diff_id not in layers:
            layers[diff_id] = _SavedLayer(files, name, diff_id, packing_of(_head(files, name)))
    config = _SavedConfig(raw, digest)
    ordered = [layers[diff_id] for diff_id in ids]
    return Image(tuple(reversed(layers.values())), (config,), lambda: (_docker_manifest(config, ordered),))


def _docker_manifest(config: Blob, layers: list[_SavedLayer]) -> Manifest:
    """Write the manifest that ``docker push`` would; Docker's own media types have none for zstd."""
    oci = any(layer.packing == "zstd" for layer in layers)

    def described(blob: Blob) -> dict[str, object]:
        descriptor = blob.descriptor()
        kind = OCI_CONFIG if oci and blob is config else descriptor.media_type
        if oci and blob is not config and kind.startswith(DOCKER_LAYER):
            kind = f"{OCI_LAYER}+gzip"
        return {"mediaType": kind, "size": descriptor.size, "digest": descriptor.digest}

    media_type = OCI_MANIFEST if oci else DOCKER_MANIFEST
    value = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": described(config),
        "layers": [described(layer) for layer in layers],
    }
    return Manifest.read(json.dumps(value, indent=3).encode(), media_type)


class _SavedConfig(Blob):
    def __init__(self, raw: bytes, digest: str) -> None:
        self._raw = raw
        self.label = short_id(digest)
        self._descriptor = Descriptor(DOCKER_CONFIG, digest, len(raw))

    def descriptor(self) -> Descriptor:
        return self._descriptor

    def chunks(self) -> Iterator[bytes]:
        yield self._raw


class _SavedLayer(Blob):
    """A layer as Docker saved it, compressed on first use, and checked against the configuration."""

    def __init__(self, files: Files, name: str, diff_id: str, packing: str | None) -> None:
        self.label = short_id(diff_id)
        self.packing = packing
        self._files, self._name, self._diff_id = files, name, diff_id
        self._lock = threading.Lock()
        self._ready: tuple[Descriptor, BinaryIO | None] | None = None

    def descriptor(self) -> Descriptor:
        return self._prepared()[0]

    def chunks(self) -> Iterator[bytes]:
        descriptor, spool = self._prepared()
        with self._files.open(self._name) if spool is None else section(spool, 0, descriptor.size) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def _prepared(self) -> tuple[Descriptor, BinaryIO | None]:
        with self._lock:
            if self._ready is None:
                ready = self._as_it_is() if self.packing in ("gzip", "zstd") else self._compressed()
                self._ready = ready
            return self._ready

    def _as_it_is(self) -> tuple[Descriptor, None]:
        found = hashlib.sha256()
        size = 0
        with self._files.open(self._name) as stream:
            while chunk := stream.read(CHUNK):
                found.update(chunk)
                size += len(chunk)
        for _ in self._plain():
            """Read to the end, where the layer is checked."""
        media_type = f"{DOCKER_LAYER}.gzip" if self.packing == "gzip" else f"{OCI_LAYER}+zstd"
        return Descriptor(media_type, f"sha256:{found.hexdigest()}", size), None

    def _compressed(self) -> tuple[Descriptor, BinaryIO]:
        spool = self._files.spool()
        digest, size = spool_to(self._files, _gzipped(self._plain()), spool)
        return Descriptor(f"{DOCKER_LAYER}.gzip", digest, size), spool

    def _plain(self) -> Iterator[bytes]:
        """Yield the uncompressed layer; raise at the end if its digest is not that of the configuration."""
        algorithm = self._diff_id.partition(":")[0]
        found = hashlib.new(algorithm)
        with self._files.open(self._name) as stream:
            size = self._files.size(self._name) or 0
            for chunk in unpacked(self._files, stream, self.packing, self._name, size):
                found.update(chunk)
                yield chunk
        digest = f"{algorithm}:{found.hexdigest()}"
        if digest != self._diff_id:
            raise self._files.fail(
                f"is damaged: its digest is {digest}, but the config has {self._diff_id}", self._name
            )


def _gzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Compress as gzip without a time or a name; https://www.rfc-editor.org/rfc/rfc1952.

    Each block is compressed separately, with the data before it as the dictionary, so that several
    are compressed at once. The bytes depend on the layer alone, and not on how many threads there are.
    """
    import zlib
    from concurrent.futures import ThreadPoolExecutor

    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    checksum = size = 0
    before = b""
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        for chunk in chunks:
            blocks = [chunk[start : start + _BLOCK] for start in range(0, len(chunk), _BLOCK)]
            packed = pool.map(_deflated, blocks, [before, *blocks])
            checksum = zlib.crc32(chunk, checksum)
            size += len(chunk)
            before = blocks[-1]
            yield from packed
    # An empty block that is marked as the last one ends the stream.
    yield b"\x03\x00" + checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


def _deflated(block: bytes, before: bytes) -> bytes:
    """Compress a block; one that does not compress (a JPEG, a jar, another archive) passes as it is."""
    import zlib

    sample = block[len(block) // 2 :][:_SAMPLE]
    level = _LEVEL if len(zlib.compress(sample, 1)) < len(sample) * _WORTH_IT else 0
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, before[-_WINDOW:])
    return packer.compress(block) + packer.flush(zlib.Z_SYNC_FLUSH)
