"""More tags for an image that is on a registry, in its repository or in another one there; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.transfer import copy

__all__ = ["Retagged", "retag"]


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
            if target.path == source.path:
                client.put_manifest(target, manifest.raw, manifest.media_type)
            else:
                copy(client, source.with_digest(manifest.digest), [target], diff_ids=False)
        yield Retagged(target, manifest.digest, before)
