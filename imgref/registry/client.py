"""The distribution specification: manifests, tags and blobs of a registry, each digest verified.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imgref.archive.manifest import Descriptor, Manifest
from imgref.platforms import Platform
from imgref.reference import ImageReference
from imgref.registry.blobs import Blobs, Hasher, Upload
from imgref.registry.credentials import Credential, Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.manifests import Manifests
from imgref.registry.pages import PagedLists
from imgref.registry.session import Session
from imgref.registry.transport import TRIES, Event
from imgref.repository import Repository

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["RegistryClient", "Upload"]


class RegistryClient:
    """Speaks to any registry that follows the distribution specification; safe to use from several threads.

    A repository is a reference, whose tag and digest do not matter there. Every method raises
    AuthenticationError, NotFound, RateLimited, RegistryUnavailable, or RegistryError itself where an answer is not
    what it should be; each names the reference that it is about.

    Args:
        hosts: how hosts are trusted; by default according to the environment and the settings.
        credentials: where credentials are; by default those of the environment and of Docker.
        on_event: called with retries and warnings, from any thread.
        timeout: seconds within which something must have arrived.
        tries: how often to send a request that fails in a way that may pass.

    >>> with RegistryClient(Hosts(), Credentials({})) as client:
    ...     client
    <RegistryClient>
    """

    def __init__(
        self,
        hosts: Hosts | None = None,
        credentials: Credentials | None = None,
        on_event: Callable[[Event], None] | None = None,
        *,
        timeout: float = 60.0,
        tries: int = TRIES,
    ) -> None:
        self.hosts = Hosts.load() if hosts is None else hosts
        self.credentials = Credentials() if credentials is None else credentials
        self._session = Session(self.hosts, self.credentials, on_event, timeout, tries)
        self._blobs = Blobs(self._session)
        self._manifests = Manifests(self._session, self._blobs)
        self._lists = PagedLists(self._session)

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        insecure: Iterable[str] = (),
        cacert: str | os.PathLike[str] | None = None,
        on_event: Callable[[Event], None] | None = None,
        timeout: float = 60.0,
    ) -> RegistryClient:
        """Return a client with the credentials, trust and proxies that the user has configured.

        Args:
            environ: the environment, also of credential helpers; by default that of this process.
            insecure: further hosts to allow http or unverified https for.
            cacert: a file with further CA certificates in PEM format.
            on_event: receives retries and warnings, from any thread.
            timeout: seconds to wait for an answer.

        Raises:
            ConfigError: a settings file is not valid, or ``insecure`` is not a host.

        >>> with RegistryClient.from_environment({"HOME": "/nowhere"}) as client:
        ...     client
        <RegistryClient>
        """
        load = partial(Hosts.load, insecure=insecure, cacert=None if cacert is None else Path(cacert))
        if environ is None:
            return cls(load(), Credentials(), on_event, timeout=timeout)
        return cls(load(environ=environ), Credentials(environ), on_event, timeout=timeout)

    def __repr__(self) -> str:
        return "<RegistryClient>"

    def __enter__(self) -> RegistryClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; a thread that waits for another try gives up."""
        self._session.close()

    def report(self, event: Event) -> None:
        """Pass an event to ``on_event``; the same warning only once."""
        self._session.tell(event)

    # Manifests

    def resolve(self, ref: ImageReference, platform: Platform | None = None) -> Descriptor:
        """Return the descriptor of a manifest or index, by HEAD, which registries do not count as a pull.

        Args:
            ref: the image; a digest comes before a tag.
            platform: the manifest of an index to resolve to; needs the index itself.
        """
        if platform is not None:
            return self._manifests.for_platform(ref, platform)
        # A HEAD that finds nothing has no body that shows whether a registry sent it.
        return self.find(ref) or self.get_manifest(ref).descriptor

    def find(self, ref: ImageReference) -> Descriptor | None:
        """Return the descriptor of a manifest or index, as :meth:`resolve` does; None if it does not exist."""
        return self._manifests.find(ref)

    def confirm_missing(self, ref: ImageReference) -> None:
        """Confirm by GET that a manifest does not exist, as a HEAD request reported.

        Raises:
            RegistryError: there is one, or the answer is not that of a registry.
        """
        self._manifests.confirm_missing(ref)

    def get_manifest(self, ref: ImageReference) -> Manifest:
        """Return a manifest or index: its bytes, verified against the requested digest, and the reported one."""
        return self._manifests.get(ref)

    def put_manifest(
        self, ref: ImageReference, raw: bytes, media_type: str, *, read_back: bool = True, again: bool = True
    ) -> Descriptor:
        """Put a manifest under a tag or its digest, and read it back.

        Args:
            ref: where to; with a tag and a digest, the tag is what moves, and the digest must be that of ``raw``.
            raw: the bytes, sent as they are.
            media_type: its media type, for a document that does not name one.
            read_back: whether to; a caller who expects others to move the tag at the same time looks itself.
            again: whether to retry failures that may pass; someone else may move the tag between two attempts.

        Raises:
            RegistryError: what is read back is something else: another push came between, or the registry is wrong.
        """
        return self._manifests.put(ref, raw, media_type, read_back=read_back, again=again)

    def delete_manifest(self, ref: ImageReference, *, again: bool = True) -> None:
        """Delete a manifest or index, and with it every tag that points to it.

        Nothing checks whether anything needs it: an index whose child is deleted cannot be pulled any more.

        Args:
            ref: the manifest, by digest.
            again: whether to retry failures that may pass; a tag may move to the manifest between two attempts.

        Raises:
            NotFound: the manifest does not exist.
            RegistryError: the registry refuses, or does not support deleting; the status is 405 then.
            ValueError: ``ref`` has no digest.
        """
        self._manifests.delete(ref, again=again)

    def get_config(self, ref: ImageReference, manifest: Manifest) -> Mapping[str, object]:
        """Return the configuration of an image; empty for an index, and for artifacts that are not images."""
        return self._manifests.config(ref, manifest)

    # Lists

    def list_tags(self, repository: ImageReference | Repository) -> list[str]:
        """Return every tag of a repository, in the registry's order, each once.

        imgref follows pages on the same host only. Whatever leaves open whether more tags exist is an error.

        Raises:
            NotFound: the repository does not exist, or has no tag.
            UnreliableTagList: a response is not a list of tags, or has an invalid link to the next page.
        """
        return self._lists.tags(Repository.of(repository).reference)

    def list_referrers(self, ref: ImageReference) -> tuple[Descriptor, ...] | None:
        """Return what refers to a manifest, such as its signatures; None if the registry does not list referrers.

        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers

        Args:
            ref: the manifest, by digest.
        """
        return self._lists.referrers(ref)

    # Blobs

    def blob_exists(self, repository: ImageReference, digest: str) -> int | None:
        """Return the size of a blob in bytes, or None where the repository does not have it."""
        return self._blobs.exists(repository, digest)

    def open_blob(
        self,
        repository: ImageReference,
        digest: str,
        offset: int = 0,
        *,
        size: int | None = None,
        hasher: Hasher | None = None,
    ) -> Iterator[bytes]:
        """Stream a blob, and verify it: an error is raised before the last chunk is yielded.

        After a broken connection, the download continues where it stopped.

        Args:
            repository: where it is.
            digest: what it must be.
            offset: bytes that the caller has already.
            size: how many bytes the whole blob must have, where that is known.
            hasher: has seen the bytes before ``offset``, which count for the digest.

        Raises:
            ValueError: an offset without what was hashed before it.
        """
        return self._blobs.open(repository, digest, offset, size=size, hasher=hasher)

    def start_upload(
        self, repository: ImageReference, mount: str | None = None, source: ImageReference | None = None
    ) -> Upload | None:
        """Begin an upload, or mount a blob that another repository of the same registry has.

        Args:
            repository: where to.
            mount: the digest of the blob, where it may be mounted.
            source: the repository that has it.

        Returns:
            the upload; None where the blob was mounted, and nothing is to be sent.
        """
        return self._blobs.start_upload(repository, mount, source)

    def put_blob(self, upload: Upload, content: Callable[[], Iterable[bytes]], size: int, digest: str) -> None:
        """Send a blob in one piece, streamed. A failed upload cannot be continued: begin another one.

        Args:
            upload: from :meth:`start_upload`.
            content: returns the chunks from the start, each time that it is called (again after a 401).
            size: in bytes.
            digest: what the registry must find.
        """
        self._blobs.put(upload, content, size, digest)

    def cancel_upload(self, upload: Upload) -> None:
        """Ask the registry to forget an upload, and ignore whether it does."""
        self._blobs.cancel_upload(upload)

    # Credentials, and waiting

    def check_credential(self, registry: str, credential: Credential) -> bool:
        """Try a credential with a registry; False if it asks for none, so that nothing is known about it."""
        return self._session.check(registry, credential)

    def pause(self, about: str, reason: str, number: int, asked: float | None = None) -> None:
        """Wait before another try, and report that.

        Args:
            about: the reference.
            reason: what happened.
            number: of the try that failed, from 1.
            asked: seconds that the registry asked to wait, where it did.

        Raises:
            RegistryUnavailable: the client was closed.
        """
        self._session.pause(about, reason, number, asked=asked)
