"""Blobs of a repository: read in a stream that survives broken connections, and uploaded in one piece."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import quote as percent

from imgref.errors import NotFound, RegistryError, RegistryUnavailable
from imgref.reference import ImageReference
from imgref.registry.answers import check_digest
from imgref.registry.session import RegistryRequest, Session, place_of
from imgref.registry.transport import TRIES, Body, Response

__all__ = ["Blobs", "Hasher", "Upload"]

_PROGRESS: Final = 256 << 10
"""Bytes of a blob that a try must bring so that the failures before it do not count."""


class Hasher(Protocol):
    """The hash objects of :mod:`hashlib`."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""

    def hexdigest(self) -> str:
        """Return the digest so far, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that has begun: the location for its content. It may contain a secret, and is not printed.

    Attributes:
        repository: the repository that it is for.
        location: the absolute URL, with its opaque query.
    """

    repository: ImageReference
    location: str = field(repr=False)


class Blobs:
    """Requests about blobs, which :class:`~imgref.registry.client.RegistryClient` sends."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def exists(self, repository: ImageReference, digest: str) -> int | None:
        """Return the size of a blob, or None if the repository does not have it."""
        about = f"{repository.repository}@{digest}"
        answer = self._session.send(RegistryRequest("HEAD", repository, f"blobs/{digest}", about=about))
        if answer.status == 404:
            return None
        self._session.expect(answer, repository, 200, about=about)
        return answer.size() or 0

    def open(
        self,
        repository: ImageReference,
        digest: str,
        offset: int = 0,
        *,
        size: int | None = None,
        hasher: Hasher | None = None,
    ) -> Iterator[bytes]:
        """Stream a blob, and verify it before the last chunk."""
        if offset and hasher is None:
            raise ValueError("an offset needs the hasher that has seen what is before it")
        return self._stream(repository, digest, offset, size, hasher or hashlib.new(digest.partition(":")[0]))

    def _stream(
        self, repository: ImageReference, digest: str, place: int, size: int | None, hasher: Hasher
    ) -> Iterator[bytes]:
        about = f"{repository.repository}@{digest}"
        held = b""
        failures = 0
        while True:
            start = place
            answer = self._rest_of(repository, digest, place, about)
            try:
                for chunk in _chunks_from(answer, place, about):
                    hasher.update(chunk)
                    place += len(chunk)
                    if size is not None and place > size:
                        raise RegistryError(f"{about}: more than the {size} bytes that it should have")
                    if held:
                        yield held
                    held = chunk
                break
            except RegistryUnavailable as error:
                # A try that brought much was not in vain; one that brings a byte each time would never end.
                failures = 1 if place - start >= _PROGRESS else failures + 1
                if failures >= TRIES or error.permanent:
                    error.reason = f"{about}: {error.reason}"
                    raise
                self._session.pause(about, error.reason, failures)
            finally:
                answer.close()
        found = f"{digest.partition(':')[0]}:{hasher.hexdigest()}"
        if found != digest:
            raise RegistryError(f"{about}: the content that came is {found}")
        if held:
            yield held

    def _rest_of(self, repository: ImageReference, digest: str, place: int, about: str) -> Response:
        headers = {"Range": f"bytes={place}-"} if place else {}
        answer = self._session.send(
            RegistryRequest("GET", repository, f"blobs/{digest}", headers=headers, stream=True, about=about)
        )
        if answer.status == 404:
            raise NotFound(f"{about}: no such blob", **place_of(answer))
        if not (answer.status == 416 and place):
            self._session.expect(answer, repository, 200, 206, about=about)
        return answer

    def start_upload(
        self, repository: ImageReference, mount: str | None = None, source: ImageReference | None = None
    ) -> Upload | None:
        """Begin an upload, or mount a blob and return None."""
        if mount is not None and source is not None and source.registry == repository.registry:
            query = f"?mount={percent(mount, safe=':')}&from={percent(source.path, safe='/')}"
            extra = (f"repository:{source.path}:pull",)
            answer = self._session.send(
                RegistryRequest("POST", repository, f"blobs/uploads/{query}", push=True, extra=extra, body=b"")
            )
            if answer.status == 201:
                return None
            if answer.status == 202:
                return self._upload(repository, answer)
            # Some refuse a mount that is not possible, instead of beginning an upload.
        answer = self._session.send(RegistryRequest("POST", repository, "blobs/uploads/", push=True, body=b""))
        self._session.expect(answer, repository, 202, about=repository.repository)
        return self._upload(repository, answer)

    def put(self, upload: Upload, content: Callable[[], Iterable[bytes]], size: int, digest: str) -> None:
        """Send a blob in one piece."""
        about = f"{upload.repository.repository}@{digest}"
        url = f"{upload.location}{'&' if '?' in upload.location else '?'}digest={percent(digest, safe=':')}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        body: Body = content if size else b""
        answer = self._session.send(
            RegistryRequest(
                "PUT", upload.repository, url, about=about, headers=headers, body=body, push=True, again=False
            )
        )
        self._session.expect(answer, upload.repository, 201, 204, about=about)
        check_digest(about, answer.header("Docker-Content-Digest") or digest, digest)

    def cancel_upload(self, upload: Upload) -> None:
        """Cancel an upload, if the registry supports it."""
        try:
            self._session.send(
                RegistryRequest(
                    "DELETE",
                    upload.repository,
                    upload.location,
                    about=upload.repository.repository,
                    push=True,
                    again=False,
                )
            )
        except RegistryError:
            return

    def _upload(self, repository: ImageReference, answer: Response) -> Upload:
        location = answer.header("Location")
        if not location:
            raise RegistryError(
                f"{repository.repository}: the registry accepts an upload, but does not return its location"
            )
        return Upload(repository, self._session.located(answer.url, location))


def _chunks_from(answer: Response, place: int, about: str) -> Iterator[bytes]:
    """Yield a blob's bytes from a position on, whether the registry sent the rest of it or all of it again."""
    if answer.status == 416:
        return
    skip = place - answer.start(place)
    if skip < 0:
        raise RegistryError(f"{about}: the registry sends a different part of the blob than requested")
    for chunk in answer.chunks():
        if skip < len(chunk):
            yield chunk[skip:]
        skip = max(0, skip - len(chunk))
