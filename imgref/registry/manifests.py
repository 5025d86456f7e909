"""Manifests of a repository: found, read, put, and chosen by platform, each digest verified."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from imgref._grammar import DIGEST, is_a
from imgref.archive.manifest import ACCEPTED, Descriptor, Manifest, digest_of, read_json
from imgref.errors import NotFound, RegistryError
from imgref.platforms import Platform, best_match
from imgref.reference import ImageReference
from imgref.registry.answers import check_digest, manifest_in
from imgref.registry.blobs import Blobs
from imgref.registry.session import RegistryRequest, Session, place_of

__all__ = ["Manifests"]

_NESTED: Final = 3
_ACCEPT: Final = {"Accept": ", ".join(ACCEPTED)}


class Manifests:
    """Requests about manifests, which :class:`~imgref.registry.client.RegistryClient` sends."""

    def __init__(self, session: Session, blobs: Blobs) -> None:
        self._session = session
        self._blobs = blobs

    def find(self, ref: ImageReference) -> Descriptor | None:
        """Return the descriptor of a manifest by HEAD, or None if there is none."""
        answer = self._session.send(RegistryRequest("HEAD", ref, f"manifests/{ref.identifier}", headers=_ACCEPT))
        if answer.status == 404:
            self._session.refuse_html(answer, str(ref))
            return None
        size, digest = answer.size(), answer.header("Docker-Content-Digest")
        kind = answer.header("Content-Type").partition(";")[0].strip()
        told = digest and size and kind in ACCEPTED and _is_comparable(digest, ref.digest)
        if answer.status in (400, 405, 501) or (answer.status == 200 and not told):
            # HEAD is not supported, or its response lacks headers.
            try:
                return self.get(ref).descriptor
            except NotFound:
                return None
        self._session.expect(answer, ref, 200)
        check_digest(str(ref), digest, ref.digest)
        return Descriptor(kind, digest, size or 0)

    def confirm_missing(self, ref: ImageReference) -> None:
        """Confirm by GET that a manifest does not exist."""
        answer = self._session.send(RegistryRequest("GET", ref, f"manifests/{ref.identifier}", headers=_ACCEPT))
        if answer.status == 404:
            self._session.refuse_foreign_404(answer, str(ref))
            return
        self._session.expect(answer, ref, 200)
        raise RegistryError(f"{ref}: the registry answers HEAD and GET differently; it exists for GET only")

    def get(self, ref: ImageReference) -> Manifest:
        """Return a manifest, verified."""
        answer = self._session.send(RegistryRequest("GET", ref, f"manifests/{ref.identifier}", headers=_ACCEPT))
        if answer.status == 404:
            self._session.refuse_foreign_404(answer, str(ref))
            raise self._missing(ref)
        self._session.expect(answer, ref, 200)
        said = answer.header("Docker-Content-Digest")
        if said:
            check_digest(str(ref), said, None)
        manifest = manifest_in(answer, ref, ref.digest or said or None)
        if said and ref.digest and said != ref.digest:
            manifest_in(answer, ref, said)
        return manifest

    def put(
        self, ref: ImageReference, raw: bytes, media_type: str, *, read_back: bool = True, again: bool = True
    ) -> Descriptor:
        """Put a manifest under a tag or its digest, and read it back."""
        try:
            manifest = Manifest.read(raw, media_type, ref.digest)
        except ValueError as error:
            raise RegistryError(f"{ref}: the manifest to put {error}") from error
        point = ref.tag or manifest.digest
        headers = {"Content-Type": manifest.media_type}
        answer = self._session.send(
            RegistryRequest("PUT", ref, f"manifests/{point}", headers=headers, body=raw, push=True, again=again)
        )
        self._session.expect(answer, ref, 200, 201, 202, 204)
        target = ref.with_tag(ref.tag) if ref.tag else ref.with_digest(manifest.digest)
        if read_back:
            self._read_back(target, manifest.digest)
        return manifest.descriptor

    def delete(self, ref: ImageReference, *, again: bool = True) -> None:
        """Delete a manifest, and with it all tags that point to it."""
        if ref.digest is None:
            raise ValueError(f"{ref}: a manifest is deleted by its digest")
        scope = f"repository:{ref.path}:delete"
        ref = ref.without_tag()
        answer = self._session.send(
            RegistryRequest("DELETE", ref, f"manifests/{ref.digest}", extra=(scope,), again=again)
        )
        if answer.status == 404:
            self._session.refuse_foreign_404(answer, str(ref))
        if answer.status == 405:
            reason = f"{ref}: {ref.registry} does not support deleting manifests, or it is disabled there"
            raise RegistryError(reason, **place_of(answer))
        self._session.expect(answer, ref, 200, 202, 204)

    def _read_back(self, ref: ImageReference, digest: str) -> None:
        """Wait until a registry that takes a moment shows what was put there."""
        found = None
        for wait in (0.0, 0.3, 1.0):
            time.sleep(wait)
            try:
                answer = self._session.send(
                    RegistryRequest("HEAD", ref, f"manifests/{ref.identifier}", headers=_ACCEPT)
                )
                found = answer.header("Docker-Content-Digest") if answer.status == 200 else None
                if answer.status == 200 and (not found or found.partition(":")[0] != digest.partition(":")[0]):
                    found = digest_of(self.get(ref).raw, digest.partition(":")[0])
            except NotFound:
                found = None
            if found == digest:
                return
        what = "nothing" if found is None else found
        raise RegistryError(f"{ref}: put as {digest}, but {what} is read back; did someone else push at the same time?")

    def for_platform(self, ref: ImageReference, platform: Platform, depth: int = _NESTED) -> Descriptor:
        """Return the descriptor of the manifest for a platform; ``depth`` is how far indexes may be nested."""
        manifest = self.get(ref)
        if not manifest.is_index:
            own = self._platform_of(ref, manifest)
            if own is not None and not platform.matches(own):
                raise NotFound(f"{ref}: no image for {platform}; it is for {own}")
            return manifest.descriptor
        found = best_match(platform, [(child.platform, child.digest, child) for child in manifest.children])
        if found is not None:
            nested = found.is_index and depth > 0
            return self.for_platform(ref.with_digest(found.digest), platform, depth - 1) if nested else found
        # Attestations are listed as for no platform at all.
        have = [str(child.platform) for child in manifest.children if child.platform and child.platform.os != "unknown"]
        raise NotFound(f"{ref}: no image for {platform}; there are {', '.join(have) or 'none'}")

    def _platform_of(self, ref: ImageReference, manifest: Manifest) -> Platform | None:
        config = self.config(ref, manifest)
        system, architecture, variant = (config.get(key) for key in ("os", "architecture", "variant"))
        if not isinstance(system, str) or not isinstance(architecture, str) or not system or not architecture:
            return None
        return Platform(system, architecture, variant if isinstance(variant, str) else "")

    def config(self, ref: ImageReference, manifest: Manifest) -> Mapping[str, object]:
        """Return the configuration of an image; empty if there is none."""
        config = manifest.config
        if config is None or config.size > 16 << 20:
            return {}
        raw = b"".join(self._blobs.open(ref, config.digest, size=config.size))
        try:
            return read_json(raw)
        except ValueError:
            return {}

    def _missing(self, ref: ImageReference) -> NotFound:
        """Return what is missing: the response to HEAD does not distinguish between repository and tag."""
        what = f"no such {'digest' if ref.digest else 'tag'}"
        try:
            answer = self._session.send(RegistryRequest("GET", ref, "tags/list?n=1"))
        except RegistryError:
            what += ", or no such repository"
        else:
            self._session.refuse_html(answer, str(ref))
            if answer.status == 404:
                self._session.refuse_foreign_404(answer, str(ref))
                what = "no such repository"
        return NotFound(f"{ref}: {what}", method="GET", status=404)


def _is_comparable(found: str, wanted: str | None) -> bool:
    """Return whether two digests have the same algorithm; a registry may use another one for a manifest."""
    return wanted is None or not is_a(DIGEST, found) or found.partition(":")[0] == wanted.partition(":")[0]
