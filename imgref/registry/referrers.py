"""What refers to an image: signatures, attestations and the like; in a tag, where a registry keeps no lists of them.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
"""

from __future__ import annotations

import json

from imgref.archive.manifest import OCI_INDEX, Descriptor, Manifest, read_json
from imgref.errors import NotFound
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient

__all__ = ["add_referrer", "referrers_of"]


def referrers_of(client: RegistryClient, image: ImageReference) -> tuple[Descriptor, ...]:
    """Return the manifests that refer to one.

    Args:
        client: speaks to the registry.
        image: by digest.

    Raises:
        RegistryError: the registry refuses, or fails repeatedly.
    """
    listed = client.list_referrers(image)
    if listed is not None:
        return listed
    try:
        return client.get_manifest(_fallback(image, str(image.digest))).children
    except NotFound:
        return ()


def add_referrer(client: RegistryClient, repository: ImageReference, manifest: Manifest) -> None:
    """Add a pushed manifest to the list of referrers of its subject, unless the registry has done so.

    Raises:
        RegistryError: the registry refuses, or fails repeatedly.
    """
    subject = manifest.subject
    if subject is None or client.list_referrers(repository.with_digest(subject.digest)) is not None:
        return
    tag = _fallback(repository, subject.digest)
    try:
        entries = read_json(client.get_manifest(tag).raw).get("manifests")
    except NotFound:
        entries = None
    listed = entries if isinstance(entries, list) else []
    if any(isinstance(entry, dict) and entry.get("digest") == manifest.digest for entry in listed):
        return
    entry: dict[str, object] = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size}
    if manifest.artifact_type:
        entry["artifactType"] = manifest.artifact_type
    if manifest.annotations:
        entry["annotations"] = dict(manifest.annotations)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*listed, entry]}
    client.put_manifest(tag, json.dumps(index).encode(), OCI_INDEX)


def _fallback(repository: ImageReference, digest: str) -> ImageReference:
    return repository.with_tag(digest.replace(":", "-")[:128])
