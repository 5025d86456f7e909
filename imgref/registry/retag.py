"""More tags for an image that is on a registry, in its repository or in another one there; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.manifest import Descriptor, Manifest

__all__ = ["Retagged", "retag"]

_FOREIGN = ("foreign", "nondistributable")


@dataclass(frozen=True, slots=True)
class Retagged:
    """A tag that was given.

    Attributes:
        reference: the tag.
        digest: what it names now.
        before: what it named before, or None.
    """

    reference: ImageReference
    digest: str
    before: str | None


def retag(client: RegistryClient, source: ImageReference, targets: Iterable[ImageReference]) -> Iterator[Retagged]:
    """Put the manifest of ``source`` under other tags on the same registry, byte for byte.

    Where a target is another repository, its blobs are mounted there and an index's manifests put, before the tag. A
    blob that the registry does not mount is streamed through.

    Raises:
        RegistryError: as any method of the client does.
    """
    manifest = client.get_manifest(source)
    for target in targets:
        found = client.find(target)
        before = None if found is None else found.digest
        if before != manifest.digest:
            if target.path != source.path:
                _bring(client, source, manifest, target)
            client.put_manifest(target, manifest.raw, manifest.media_type)
        yield Retagged(target, manifest.digest, before)


def _bring(client: RegistryClient, source: ImageReference, manifest: Manifest, target: ImageReference) -> None:
    """Give another repository all that a manifest names."""
    for child in manifest.children:
        place = _at(target, child.digest)
        found = client.get_manifest(_at(source, child.digest))
        _bring(client, source, found, target)
        client.put_manifest(place, found.raw, found.media_type)
    blobs = manifest.layers if manifest.config is None else (manifest.config, *manifest.layers)
    for blob in dict.fromkeys((blob.digest, blob.size, blob.media_type) for blob in blobs):
        digest, size, kind = blob
        if not any(word in kind for word in _FOREIGN):
            _bring_blob(client, source, Descriptor(kind, digest, size), target)


def _bring_blob(client: RegistryClient, source: ImageReference, blob: Descriptor, target: ImageReference) -> None:
    if client.blob_exists(target, blob.digest) is not None:
        return
    upload = client.start_upload(target, mount=blob.digest, source=source)
    if upload is None:
        return
    try:
        client.put_blob(upload, lambda: client.open_blob(source, blob.digest, size=blob.size), blob.size, blob.digest)
    except BaseException:
        client.cancel_upload(upload)
        raise


def _at(ref: ImageReference, digest: str) -> ImageReference:
    return ImageReference(registry=ref.registry, account=ref.account, name=ref.name, digest=digest)
