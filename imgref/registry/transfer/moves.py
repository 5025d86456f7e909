"""Moving images: from disk to a registry, from a registry to disk, and from one repository to another.

In every direction, the blobs of an image are transferred first, several at a time, its manifest last, so that no tag
ever points to an incomplete image. Only the current chunk is kept in memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from imgref.archive.image import Blob, Image, assemble
from imgref.archive.manifest import Descriptor, Manifest
from imgref.archive.writer import layout_writer
from imgref.errors import RegistryError
from imgref.platforms import Platform
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.overwrite import Overwrite, plan_changes
from imgref.registry.referrers import referrers_of
from imgref.registry.threads import run_all
from imgref.registry.transfer.progress import LayerOutcome, Nobody, Transferred, Watcher, outcome_of, watched
from imgref.registry.transfer.uploads import UploadContext, Uploader
from imgref.repository import Repository

if TYPE_CHECKING:
    from imgref.registry.transfer.mount_cache import PushedBlobs

__all__ = ["JOBS", "LayerOutcome", "Transferred", "Watcher", "copy", "pull", "push", "remote_image"]

JOBS: Final = 4
"""How many blobs are on their way at once."""

_SMALL: Final = 1 << 16


def push(
    client: RegistryClient,
    image: Image,
    targets: Sequence[ImageReference],
    *,
    mount_from: Sequence[ImageReference] = (),
    pushed: PushedBlobs | None = None,
    jobs: int = JOBS,
    watcher: Watcher | None = None,
    overwrite: Overwrite = "unless-released",
) -> tuple[Transferred, ...]:
    """Push an image under one or several names; one without tag gets its digest only.

    Args:
        client: speaks to the registries.
        image: from an archive.
        targets: where to; several repositories of a registry share their blobs.
        mount_from: repositories that may have blobs of it already.
        pushed: where earlier pushes are remembered.
        jobs: how many blobs move at once.
        watcher: receives the progress.
        overwrite: which tags may move from another image.

    Returns:
        the names that were set; one that ``overwrite`` skips is not among them.

    Raises:
        ArchiveError: a blob is damaged; no manifest was pushed.
        TagConflict: a released version would move.
        RegistryError: a registry refuses, or fails repeatedly.
    """
    watcher = watcher or Nobody()
    changes = plan_changes(client, targets, image.manifests()[-1].digest, overwrite)
    skipped = {change.reference for change in changes if change.action == "skipped"}
    wanted = [target for target in targets if target.tag is None or target.with_tag(target.tag) not in skipped]
    done: list[Transferred] = []
    context = UploadContext([*mount_from, *targets], pushed, jobs, watcher)
    for repository in dict.fromkeys(map(Repository.of, wanted)):
        names = [target for target in wanted if Repository.of(target) == repository]
        uploader = Uploader(client, repository.reference, context)
        layers = uploader.send_blobs(image)
        for name, manifest in uploader.put_manifests(image, names, overwrite):
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
    overwrite: Overwrite = "unless-released",
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
        watcher: receives the progress.
        overwrite: which tags may move from another image.

    Raises:
        NotFound: the image does not exist, or not for the platform.
        TagConflict: a released version would move.
        RegistryError: a registry refuses, or fails repeatedly.
    """
    image = remote_image(client, source, platform, diff_ids=diff_ids)
    known = [Repository.of(source).reference, *mount_from]
    done = push(client, image, targets, mount_from=known, jobs=jobs, watcher=watcher, overwrite=overwrite)
    if not referrers:
        return done
    copied: dict[str, tuple[str, ...]] = {}
    for arrived in done:
        repository = arrived.reference.repository
        if repository not in copied:
            copied[repository] = _copy_referrers(
                client, source, Repository.of(arrived.reference).reference, image, jobs
            )
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
        NotFound: the image does not exist, or not for the platform.
        RegistryError: the registry refuses, or fails repeatedly.
    """
    watcher = watcher or Nobody()
    image = remote_image(client, reference, platform)
    stop = threading.Event()

    with layout_writer(path, image, reference) as writer:

        def fetch(blob: Blob) -> LayerOutcome:
            descriptor = blob.descriptor()
            if descriptor.foreign:
                return outcome_of(blob, "skipped")
            if descriptor.digest not in writer.missing:
                return outcome_of(blob, "exists")
            writer.write(descriptor, watched(blob, watcher, stop), verified=True)
            return outcome_of(blob, "pulled")

        watcher.begins(reference, image.layers)
        layers = run_all(jobs, [partial(fetch, blob) for blob in image.layers], stop, watcher.ends)
        run_all(jobs, [partial(fetch, blob) for blob in image.configs], stop)
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
        NotFound: the image does not exist, or not for the platform.
        RegistryError: the registry refuses, or a manifest is damaged.
    """
    if platform is not None:
        reference = reference.with_digest(client.resolve(reference, platform).digest)
    found = client.get_manifest(reference)
    try:
        return assemble(
            found.descriptor, _RemoteSource(client, Repository.of(reference).reference, found), diff_ids=diff_ids
        )
    except ValueError as error:
        raise RegistryError(f"{reference}: the image {error}") from error


class _RemoteSource:
    """A repository, as a source of images."""

    def __init__(self, client: RegistryClient, repository: ImageReference, root: Manifest) -> None:
        self._client = client
        self._repository = repository
        self._root = root
        self._small: dict[str, bytes] = {}

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest, its digest verified."""
        if descriptor.digest == self._root.digest:
            return self._root
        return self._client.get_manifest(self._repository.with_digest(descriptor.digest))

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield a blob's bytes from the first one; the last ones only once its digest is known to be right."""
        if descriptor.size > _SMALL:
            yield from self._client.open_blob(self._repository, descriptor.digest, size=descriptor.size)
            return
        # Configs are read twice: for the ids of the layers, and then to be moved.
        if descriptor.digest not in self._small:
            chunks = self._client.open_blob(self._repository, descriptor.digest, size=descriptor.size)
            self._small[descriptor.digest] = b"".join(chunks)
        yield self._small[descriptor.digest]


def _copy_referrers(
    client: RegistryClient, source: ImageReference, target: ImageReference, image: Image, jobs: int
) -> tuple[str, ...]:
    """Copy what refers to an image, what refers to that, and so on."""
    waiting = deque(manifest.digest for manifest in image.manifests())
    seen = set(waiting)
    copied = []
    while waiting:
        digest = waiting.popleft()
        for found in referrers_of(client, Repository.of(source).reference.with_digest(digest)):
            if found.digest in seen:
                continue
            seen.add(found.digest)
            waiting.append(found.digest)
            referrer = remote_image(client, Repository.of(source).reference.with_digest(found.digest))
            push(client, referrer, [target.with_digest(found.digest)], mount_from=[source], jobs=jobs)
            copied.append(found.digest)
    return tuple(copied)
