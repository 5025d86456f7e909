"""Moving images: from disk to a registry, from a registry to disk, and from one repository to another.

Whatever way an image goes, its blobs go first, several at a time, and its manifest last, so that no name ever stands
for an image that is not whole. Nothing is held in memory but the chunk that is on its way.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeVar

from imgref.archive.image import Blob, Image, assemble
from imgref.archive.manifest import Descriptor, Manifest, Platform
from imgref.archive.writer import layout_writer
from imgref.errors import AuthenticationError, NotFound, RateLimited, RegistryError
from imgref.reference import ImageReference, parse
from imgref.registry.client import RegistryClient, Upload
from imgref.registry.referrers import add_referrer, referrers_of
from imgref.registry.transport import TRIES

if TYPE_CHECKING:
    from imgref.registry.pushed import PushedBlobs

__all__ = ["JOBS", "LayerOutcome", "Transferred", "Watcher", "copy", "pull", "push", "remote_image"]

JOBS: Final = 4
"""How many blobs are on their way at once."""

_PASSING: Final = frozenset({None, 404, 408, 409, 416, 429, 500, 502, 503, 504})
"""What may be better in a new upload: also a 404, where the registry has forgotten it. None is a connection that
broke."""

_DAMAGED: Final = 400
_DAMAGED_TRIES: Final = 3
"""A 400 may mean that bytes were lost on the way, but also that the registry will never have it."""

_PATIENCE: Final = 2.0
"""Seconds for uploads to be cancelled in, once something has gone wrong or the user has had enough."""

_SMALL: Final = 1 << 16

_T = TypeVar("_T")
Status = Literal["pushed", "mounted", "exists", "skipped", "pulled"]


@dataclass(frozen=True, slots=True)
class LayerOutcome:
    """What became of a layer.

    Attributes:
        id: the short id by which Docker shows it.
        digest: of the blob, as the registry has it.
        size: bytes of the blob.
        status: ``exists`` where it was there already; ``skipped`` where it is not to be distributed.
        source: the repository that it was mounted from.
    """

    id: str
    digest: str
    size: int
    status: Status
    source: ImageReference | None = None


@dataclass(frozen=True, slots=True)
class Transferred:
    """An image that has arrived.

    Attributes:
        reference: the name that it has now.
        digest: of its manifest or index.
        size: bytes of its manifest or index.
        layers: what became of each.
        referrers: digests of what refers to it and was copied as well.
    """

    reference: ImageReference
    digest: str
    size: int
    layers: tuple[LayerOutcome, ...]
    referrers: tuple[str, ...] = ()


class Watcher(Protocol):
    """Hears how a transfer goes on."""

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None:
        """Layers are about to move to, or from, a repository."""

    def advances(self, blob: Blob, done: int, size: int) -> None:
        """So many of its bytes have moved; less than before after a failure. Called from several threads."""

    def ends(self, layer: LayerOutcome) -> None:
        """A layer is done."""

    def arrives(self, image: Transferred) -> None:
        """An image is whole, and has its name."""


class _Nobody:
    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None: ...
    def advances(self, blob: Blob, done: int, size: int) -> None: ...
    def ends(self, layer: LayerOutcome) -> None: ...
    def arrives(self, image: Transferred) -> None: ...


def push(
    client: RegistryClient,
    image: Image,
    targets: Sequence[ImageReference],
    *,
    mount_from: Sequence[ImageReference] = (),
    pushed: PushedBlobs | None = None,
    jobs: int = JOBS,
    watcher: Watcher | None = None,
) -> tuple[Transferred, ...]:
    """Push an image under one or several names; one without tag gets its digest only.

    Args:
        client: speaks to the registries.
        image: from an archive.
        targets: where to; several repositories of a registry share their blobs.
        mount_from: repositories that may have blobs of it already.
        pushed: where earlier pushes are remembered.
        jobs: how many blobs move at once.
        watcher: hears how it goes on.

    Raises:
        ArchiveError: a blob is damaged; no manifest was pushed.
        RegistryError: a registry refuses, or fails again and again.
    """
    watcher = watcher or _Nobody()
    by_repository: dict[str, list[ImageReference]] = {}
    for target in targets:
        by_repository.setdefault(target.repository, []).append(target)
    done: list[Transferred] = []
    sources = [*mount_from, *targets]
    for names in by_repository.values():
        sender = _Sender(client, _bare(names[0]), sources, pushed, jobs, watcher)
        layers = sender.send_blobs(image)
        for name, manifest in sender.put_manifests(image, names):
            arrived = Transferred(name, manifest.digest, manifest.size, layers)
            watcher.arrives(arrived)
            done.append(arrived)
    return tuple(done)


def copy(
    client: RegistryClient,
    source: ImageReference,
    targets: Sequence[ImageReference],
    *,
    platform: Platform | None = None,
    referrers: bool = False,
    diff_ids: bool = True,
    mount_from: Sequence[ImageReference] = (),
    jobs: int = JOBS,
    watcher: Watcher | None = None,
) -> tuple[Transferred, ...]:
    """Copy an image, with all its platforms, to other repositories; on the same registry its blobs are mounted.

    Args:
        client: speaks to the registries.
        source: the image.
        targets: where to.
        platform: copy the image for this platform only, and not the index.
        referrers: whether to copy what refers to the image, such as its signatures.
        diff_ids: whether to read the configs for the ids by which Docker shows layers; they are the only bytes of
            blobs that are read where everything is mounted.
        mount_from: repositories besides the source that may have blobs of it already.
        jobs: how many blobs move at once.
        watcher: hears how it goes on.

    Raises:
        NotFound: no such image, or none for the platform.
        RegistryError: a registry refuses, or fails again and again.
    """
    image = remote_image(client, source, platform, diff_ids=diff_ids)
    known = [_bare(source), *mount_from]
    done = push(client, image, targets, mount_from=known, jobs=jobs, watcher=watcher)
    if not referrers:
        return done
    copied: dict[str, tuple[str, ...]] = {}
    for arrived in done:
        repository = arrived.reference.repository
        if repository not in copied:
            copied[repository] = _copy_referrers(client, source, _bare(arrived.reference), image, jobs)
    return tuple(Transferred(a.reference, a.digest, a.size, a.layers, copied[a.reference.repository]) for a in done)


def pull(
    client: RegistryClient,
    reference: ImageReference,
    path: str,
    *,
    platform: Platform | None = None,
    jobs: int = JOBS,
    watcher: Watcher | None = None,
) -> Transferred:
    """Pull an image into an OCI layout, a directory or a tar; blobs that are there already are kept.

    Raises:
        ArchiveError: it cannot be written there.
        NotFound: no such image, or none for the platform.
        RegistryError: the registry refuses, or fails again and again.
    """
    watcher = watcher or _Nobody()
    image = remote_image(client, reference, platform)
    stop = threading.Event()

    with layout_writer(path, image, reference) as writer:

        def fetch(blob: Blob) -> LayerOutcome:
            descriptor = blob.descriptor()
            if descriptor.foreign:
                return _outcome(blob, "skipped")
            if descriptor.digest not in writer.missing:
                return _outcome(blob, "exists")
            writer.write(descriptor, _watched(blob, watcher, stop))
            return _outcome(blob, "pulled")

        watcher.begins(reference, image.layers)
        layers = _run_all(jobs, [partial(fetch, blob) for blob in image.layers], stop, watcher.ends)
        _run_all(jobs, [partial(fetch, blob) for blob in image.configs], stop)
        writer.finish()
    root = image.manifests()[-1]
    arrived = Transferred(reference, root.digest, root.size, layers)
    watcher.arrives(arrived)
    return arrived


def remote_image(
    client: RegistryClient,
    reference: ImageReference,
    platform: Platform | None = None,
    *,
    diff_ids: bool = True,
) -> Image:
    """Read the manifests of an image on a registry, and its configs for the ids of layers.

    Raises:
        NotFound: no such image, or none for the platform.
        RegistryError: the registry refuses, or a manifest is damaged.
    """
    if platform is not None:
        reference = reference.with_digest(client.resolve(reference, platform).digest)
    found = client.get_manifest(reference)
    return assemble(found.descriptor, _RemoteSource(client, _bare(reference), found), diff_ids=diff_ids)


class _RemoteSource:
    """A repository, as a source of images."""

    def __init__(self, client: RegistryClient, repository: ImageReference, root: Manifest) -> None:
        self._client = client
        self._repository = repository
        self._root = root
        self._small: dict[str, bytes] = {}

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Give a manifest, its digest verified."""
        if descriptor.digest == self._root.digest:
            return self._root
        return self._client.get_manifest(self._repository.with_digest(descriptor.digest))

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Give a blob's bytes from the first one; the last ones only once its digest is known to be right."""
        if descriptor.size > _SMALL:
            yield from self._client.open_blob(self._repository, descriptor.digest, size=descriptor.size)
            return
        # Configs are read twice: for the ids of the layers, and then to be moved.
        if descriptor.digest not in self._small:
            chunks = self._client.open_blob(self._repository, descriptor.digest, size=descriptor.size)
            self._small[descriptor.digest] = b"".join(chunks)
        yield self._small[descriptor.digest]


class _Stopped(Exception):
    """Something else went wrong: what is on its way is given up."""


class _Sender:
    """Sends an image to one repository."""

    def __init__(
        self,
        client: RegistryClient,
        repository: ImageReference,
        sources: Sequence[ImageReference],
        pushed: PushedBlobs | None,
        jobs: int,
        watcher: Watcher,
    ) -> None:
        self._client = client
        self._repository = repository
        self._pushed = pushed
        self._jobs = jobs
        self._watcher = watcher
        self._stop = threading.Event()
        self._uploads: set[Upload] = set()
        near = dict.fromkeys(_bare(source) for source in sources if source.registry == repository.registry)
        self._sources = [source for source in near if source != repository]

    def send_blobs(self, image: Image) -> tuple[LayerOutcome, ...]:
        """Send the layers, then the configs; give what became of the layers."""
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

    def put_manifests(self, image: Image, names: Sequence[ImageReference]) -> Iterator[tuple[ImageReference, Manifest]]:
        """Put the manifests, an index after its children, and the last one under each name."""
        *children, root = image.manifests()
        for child in children:
            self._put(self._repository.with_digest(child.digest), child)
        for name in names:
            self._put(name if name.tag else self._repository.with_digest(name.digest or root.digest), root)
            yield name, root

    def _put(self, name: ImageReference, manifest: Manifest) -> None:
        self._client.put_manifest(name, manifest.raw, manifest.media_type)
        if manifest.subject is not None:
            add_referrer(self._client, self._repository, manifest)

    def _run(
        self, tasks: Sequence[Callable[[], LayerOutcome]], each: Callable[[LayerOutcome], None] | None = None
    ) -> tuple[LayerOutcome, ...]:
        return _run_all(self._jobs, tasks, self._stop, each)

    def _send(self, blob: Blob) -> LayerOutcome:
        descriptor = blob.descriptor()
        if descriptor.foreign:
            return _outcome(blob, "skipped")
        about = f"{self._repository.repository}@{descriptor.digest}"
        for number in range(1, TRIES + 1):
            if self._client.blob_exists(self._repository, descriptor.digest) is not None:
                # After a failure: only the answer was lost.
                return _outcome(blob, "exists" if number == 1 else "pushed")
            upload, source = self._begin(descriptor.digest)
            if upload is None:
                return _outcome(blob, "mounted", source)
            try:
                self._upload(upload, blob, descriptor)
            except RegistryError as error:
                again = error.status in _PASSING or (error.status == _DAMAGED and number < _DAMAGED_TRIES)
                if number == TRIES or self._stop.is_set() or not again:
                    raise
                asked = error.retry_after if isinstance(error, RateLimited) else None
                self._client.pause(about, error.reason.removeprefix(f"{about}: "), number, asked)
            else:
                return _outcome(blob, "pushed")
        raise AssertionError("the last try returns or raises")

    def _upload(self, upload: Upload, blob: Blob, descriptor: Descriptor) -> None:
        """Send a blob in one piece; an upload that fails is given up, and never taken up again."""
        self._uploads.add(upload)
        try:
            chunks = partial(_watched, blob, self._watcher, self._stop)
            self._client.put_blob(upload, chunks, descriptor.size, descriptor.digest)
        except BaseException:
            self._client.cancel_upload(upload)
            raise
        finally:
            self._uploads.discard(upload)

    def _begin(self, digest: str) -> tuple[Upload | None, ImageReference | None]:
        """Begin an upload, or mount the blob; then there is no upload, but the repository that it came from."""
        sources = self._sources_of(digest)
        try:
            for number, source in enumerate(sources, 1):
                # A mount that fails begins an upload. So where there is a choice, it is looked who has the blob.
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
        known = [self._repository.with_name(place) for place in places if place != self._repository.path]
        return list(dict.fromkeys([*self._sources, *known]))

    def _has(self, source: ImageReference, digest: str) -> bool:
        try:
            return self._client.blob_exists(source, digest) is not None
        except (AuthenticationError, NotFound):
            return False

    def _cancel_uploads(self) -> None:
        """Cancel what its own thread could not cancel in time, as it waits for a registry that says nothing."""
        threads = [
            threading.Thread(target=self._client.cancel_upload, args=(upload,), daemon=True)
            for upload in tuple(self._uploads)
        ]
        for thread in threads:
            thread.start()
        _join(threads)


def _copy_referrers(
    client: RegistryClient, source: ImageReference, target: ImageReference, image: Image, jobs: int
) -> tuple[str, ...]:
    """Copy what refers to an image, what refers to that, and so on."""
    waiting = deque(manifest.digest for manifest in image.manifests())
    seen = set(waiting)
    copied = []
    while waiting:
        digest = waiting.popleft()
        for found in referrers_of(client, _bare(source).with_digest(digest)):
            if found.digest in seen:
                continue
            seen.add(found.digest)
            waiting.append(found.digest)
            referrer = remote_image(client, _bare(source).with_digest(found.digest))
            push(client, referrer, [target.with_digest(found.digest)], mount_from=[source], jobs=jobs)
            copied.append(found.digest)
    return tuple(copied)


def _bare(reference: ImageReference) -> ImageReference:
    return parse(reference.repository, default_tag=None)


def _outcome(blob: Blob, status: Status, source: ImageReference | None = None) -> LayerOutcome:
    descriptor = blob.descriptor()
    return LayerOutcome(blob.label, descriptor.digest, descriptor.size, status, source)


def _watched(blob: Blob, watcher: Watcher, stop: threading.Event) -> Iterator[bytes]:
    """Give a blob's bytes, tell of each chunk, and end where everything ends."""
    done, size = 0, blob.descriptor().size
    watcher.advances(blob, 0, size)
    for chunk in blob.chunks():
        if stop.is_set():
            raise _Stopped
        yield chunk
        done += len(chunk)
        watcher.advances(blob, done, size)


def _run_all(
    jobs: int,
    tasks: Sequence[Callable[[], _T]],
    stop: threading.Event,
    each: Callable[[_T], None] | None = None,
) -> tuple[_T, ...]:
    """Run tasks, some at a time, and hear of each as it ends; the first error stops them all, and is raised.

    The threads are daemons: after Ctrl-C none that waits for a silent registry keeps the process alive, as those of
    :mod:`concurrent.futures` would.
    """
    waiting = deque(enumerate(tasks))
    ended: SimpleQueue[tuple[int, _T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        while not stop.is_set():
            try:
                index, task = waiting.popleft()
            except IndexError:
                return
            try:
                ended.put((index, task(), None))
            except BaseException as error:  # noqa: BLE001 - raised by the one who waits
                ended.put((index, None, error))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(jobs, len(tasks)))]
    results: dict[int, _T] = {}
    try:
        for thread in threads:
            thread.start()
        for _ in tasks:
            index, result, error = ended.get()
            if error is not None:
                raise error
            results[index] = result  # type: ignore[assignment]
            if each is not None:
                each(result)  # type: ignore[arg-type]
    except BaseException:
        stop.set()
        _join(threads)
        raise
    return tuple(results[index] for index in range(len(tasks)))


def _join(threads: Sequence[threading.Thread]) -> None:
    deadline = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
