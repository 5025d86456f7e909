"""An image to one repository: blobs that are there, mounted or sent, then the manifests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from imgref.archive.image import Blob, Image
from imgref.archive.manifest import Descriptor, Manifest
from imgref.errors import AuthenticationError, NotFound, RateLimited, RegistryError, RegistryUnavailable
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient, Upload
from imgref.registry.overwrite import Overwrite, change_tag
from imgref.registry.referrers import add_referrer
from imgref.registry.threads import join_soon, run_all
from imgref.registry.transfer.progress import LayerOutcome, Watcher, outcome_of, watched
from imgref.registry.transport import TRIES
from imgref.repository import Repository

if TYPE_CHECKING:
    from imgref.registry.transfer.mount_cache import PushedBlobs

__all__ = ["UploadContext", "Uploader"]

_PASSING: Final = frozenset({404, 408, 409, 416, 429, 500, 502, 503, 504})
"""What may be better in a new upload: also a 404, where the registry has forgotten it."""

_DAMAGED: Final = 400
_DAMAGED_TRIES: Final = 3
"""A 400 may mean that bytes were lost on the way, but also that the registry will never have it."""


class _SourceFailed(Exception):
    """The registry that a blob comes from failed: another upload to the target would not help."""

    def __init__(self, error: RegistryError) -> None:
        super().__init__(error.reason)
        self.error = error


def _may_pass(error: RegistryError, number: int) -> bool:
    """Return whether another upload may succeed, after so many that failed."""
    if isinstance(error, RegistryUnavailable) and error.status is None:
        return not error.permanent
    return error.status in _PASSING or (error.status == _DAMAGED and number < _DAMAGED_TRIES)


@dataclass(frozen=True, slots=True)
class UploadContext:
    """What the uploads of one image share.

    Attributes:
        sources: repositories that may have blobs of it already.
        pushed: the memory of earlier pushes, or None.
        jobs: how many blobs move at once.
        watcher: receives the progress.
    """

    sources: Sequence[ImageReference]
    pushed: PushedBlobs | None
    jobs: int
    watcher: Watcher


class Uploader:
    """Sends an image to one repository."""

    def __init__(self, client: RegistryClient, repository: ImageReference, context: UploadContext) -> None:
        self._client = client
        self._repository = repository
        self._pushed = context.pushed
        self._jobs = context.jobs
        self._watcher = context.watcher
        self._stop = threading.Event()
        self._uploads: set[Upload] = set()
        near = dict.fromkeys(
            Repository.of(source).reference for source in context.sources if source.registry == repository.registry
        )
        self._sources = [source for source in near if source != repository]

    def send_blobs(self, image: Image) -> tuple[LayerOutcome, ...]:
        """Send the layers, then the configurations; return the outcome of the layers."""
        self._watcher.begins(self._repository, image.layers)
        try:
            layers = self._run([partial(self._send, blob) for blob in image.layers], self._watcher.ends)
            configs = self._run([partial(self._send, blob) for blob in image.configs])
        except BaseException:
            self._cancel_uploads()
            raise
        if self._pushed is not None:
            blobs = [outcome.digest for outcome in (*layers, *configs) if outcome.status != "skipped"]
            self._pushed.remember(self._repository, blobs)
        return layers

    def put_manifests(
        self, image: Image, names: Sequence[ImageReference], overwrite: Overwrite
    ) -> Iterator[tuple[ImageReference, Manifest]]:
        """Put the manifests, an index after its children, and the last one under each name that may be set."""
        *children, root = image.manifests()
        for child in children:
            self._put(self._repository.with_digest(child.digest), child)
        for name in names:
            if self._name(name, root, overwrite):
                yield name, root

    def _name(self, name: ImageReference, root: Manifest, overwrite: Overwrite) -> bool:
        if not name.tag:
            self._put(self._repository.with_digest(name.digest or root.digest), root)
            return True
        # Sending the layers may have taken long enough for someone else to release the version.
        change = change_tag(self._client, name.with_tag(name.tag), root, overwrite)
        is_set = change.action != "skipped"
        if is_set and root.subject is not None:
            add_referrer(self._client, self._repository, root)
        return is_set

    def _put(self, name: ImageReference, manifest: Manifest) -> None:
        self._client.put_manifest(name, manifest.raw, manifest.media_type)
        if manifest.subject is not None:
            add_referrer(self._client, self._repository, manifest)

    def _run(
        self, tasks: Sequence[Callable[[], LayerOutcome]], each: Callable[[LayerOutcome], None] | None = None
    ) -> tuple[LayerOutcome, ...]:
        return run_all(self._jobs, tasks, self._stop, each)

    def _send(self, blob: Blob) -> LayerOutcome:
        descriptor = blob.descriptor()
        if descriptor.foreign:
            return outcome_of(blob, "skipped")
        about = f"{self._repository.repository}@{descriptor.digest}"
        for number in range(1, TRIES + 1):
            if self._client.blob_exists(self._repository, descriptor.digest) is not None:
                # After a failure: only the answer was lost.
                return outcome_of(blob, "exists" if number == 1 else "pushed")
            upload, source = self._begin(descriptor.digest)
            if upload is None:
                return outcome_of(blob, "mounted", source)
            try:
                self._upload(upload, blob, descriptor)
            except _SourceFailed as failed:
                raise failed.error from None
            except RegistryError as error:
                if number == TRIES or self._stop.is_set() or not _may_pass(error, number):
                    raise
                asked = error.retry_after if isinstance(error, RateLimited) else None
                self._client.pause(about, error.reason.removeprefix(f"{about}: "), number, asked)
            else:
                return outcome_of(blob, "pushed")
        raise AssertionError("the last try returns or raises")

    def _upload(self, upload: Upload, blob: Blob, descriptor: Descriptor) -> None:
        """Send a blob in one piece; a failed upload is cancelled, and never continued."""
        self._uploads.add(upload)
        try:
            chunks = partial(self._chunks, blob)
            self._client.put_blob(upload, chunks, descriptor.size, descriptor.digest)
        except BaseException:
            self._client.cancel_upload(upload)
            raise
        finally:
            self._uploads.discard(upload)

    def _chunks(self, blob: Blob) -> Iterator[bytes]:
        try:
            yield from watched(blob, self._watcher, self._stop)
        except RegistryError as error:
            raise _SourceFailed(error) from error

    def _begin(self, digest: str) -> tuple[Upload | None, ImageReference | None]:
        """Begin an upload, or mount the blob; then return its repository instead of an upload."""
        sources = self._sources_of(digest)
        try:
            for number, source in enumerate(sources, 1):
                # A mount that fails begins an upload. So with several candidates, check first which one has the blob.
                if len(sources) > 1 and number < len(sources) and not self._has(source, digest):
                    continue
                try:
                    return self._client.start_upload(self._repository, digest, source), source
                except AuthenticationError:
                    continue
            return self._client.start_upload(self._repository), None
        except RegistryError as error:
            if error.status != 405:
                raise
            reason = f"{self._repository.repository}: {self._repository.registry} is read-only; it takes no push"
            raise RegistryError(reason, method=error.method, url=error.url, status=405) from error

    def _sources_of(self, digest: str) -> list[ImageReference]:
        places = self._pushed.places(self._repository.registry, digest) if self._pushed else []
        known = [self._repository.with_path(place) for place in places if place != self._repository.path]
        return list(dict.fromkeys([*self._sources, *known]))

    def _has(self, source: ImageReference, digest: str) -> bool:
        try:
            return self._client.blob_exists(source, digest) is not None
        except (AuthenticationError, NotFound):
            return False

    def _cancel_uploads(self) -> None:
        """Cancel the uploads whose threads could not do so in time, because a registry does not answer."""
        threads = [
            threading.Thread(target=self._client.cancel_upload, args=(upload,), daemon=True)
            for upload in tuple(self._uploads)
        ]
        for thread in threads:
            thread.start()
        join_soon(threads)
