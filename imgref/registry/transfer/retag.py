"""More tags for an image that is on a registry, in its repository or in another one there; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.overwrite import Overwrite, TagChange, change_tag, plan_changes
from imgref.registry.transfer.moves import copy

__all__ = ["retag"]


def retag(
    client: RegistryClient,
    source: ImageReference,
    targets: Iterable[ImageReference],
    *,
    overwrite: Overwrite = "unless-released",
) -> Iterator[TagChange]:
    """Put the manifest of ``source`` under other tags on the same registry, byte for byte.

    If a target is in another repository, its blobs are mounted there and the manifests of an index put before the tag.
    A blob that the registry does not mount is streamed through. Yields each change once it is made.

    Raises:
        TagConflict: a released version would move; no tag was set.
        RegistryError: as any method of the client does.
    """
    manifest = client.get_manifest(source)
    for change in plan_changes(client, targets, manifest.digest, overwrite):
        target = change.reference
        if change.action in ("created", "moved"):
            if target.path == source.path:
                change = change_tag(client, target, manifest, overwrite)
            else:
                pinned = source.with_digest(manifest.digest)
                copy(client, pinned, [target], diff_ids=False, overwrite=overwrite)
        yield change
