"""The distribution specification: manifests, tags and blobs of a registry, each digest verified.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote as percent
from urllib.parse import urlsplit

from imgref._grammar import DIGEST, TAG, is_a
from imgref.archive.manifest import ACCEPTED, OCI_INDEX, Descriptor, Manifest, digest_of, read_json
from imgref.errors import NotFound, RegistryError, RegistryUnavailable, UnreliableTagList, quote
from imgref.platforms import Platform, best_match
from imgref.reference import ImageReference
from imgref.registry.credentials import Credential, Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.links import next_target
from imgref.registry.session import Session, place_of
from imgref.registry.transport import TRIES, Body, Event, Response, origin_of

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["RegistryClient", "Upload"]

_PAGE: Final = 1000
_MOST_PAGES: Final = 1000
_PROGRESS: Final = 256 << 10
"""Bytes of a blob that a try must bring so that the failures before it do not count."""

_NESTED: Final = 3
_ACCEPT: Final = {"Accept": ", ".join(ACCEPTED)}


class _Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was begun: where its content goes. The location may hold a secret, and is not shown.

    Attributes:
        repository: the repository that it is for.
        location: the absolute URL, with its opaque query.
    """

    repository: ImageReference
    location: str = field(repr=False)


class RegistryClient:
    """Speaks to any registry that follows the distribution specification; safe to use from several threads.

    A repository is given as a reference, whose tag and digest do not matter there. Every method raises
    AuthenticationError, NotFound, RateLimited, RegistryUnavailable, or RegistryError itself where an answer is not
    what it should be; each names the reference that it is about.

    Args:
        hosts: which host is trusted how; by default what the environment and the settings say.
        credentials: where credentials are; by default those of the environment and of Docker.
        on_event: hears of retries and warnings, from whichever thread they happen in.
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
        """Give the descriptor of a manifest or index, by HEAD, which registries do not count as a pull.

        Args:
            ref: the image; a digest comes before a tag.
            platform: the manifest of an index to resolve to; needs the index itself.
        """
        if platform is not None:
            return self._for_platform(ref, platform, _NESTED)
        # A HEAD that finds nothing has no body that shows whether a registry sent it.
        return self.find(ref) or self.get_manifest(ref).descriptor

    def find(self, ref: ImageReference) -> Descriptor | None:
        """Give the descriptor of a manifest or index, as :meth:`resolve` does; None where there is none."""
        answer = self._session.send("HEAD", ref, f"manifests/{_point(ref)}", headers=_ACCEPT)
        if answer.status == 404:
            self._session.refuse_html(answer, str(ref))
            return None
        size, digest = answer.size(), answer.header("Docker-Content-Digest")
        kind = answer.header("Content-Type").partition(";")[0].strip()
        told = digest and size and kind in ACCEPTED and _is_comparable(digest, ref.digest)
        if answer.status in (400, 405, 501) or (answer.status == 200 and not told):
            # HEAD that is not supported, or says too little.
            try:
                return self.get_manifest(ref).descriptor
            except NotFound:
                return None
        self._session.expect(answer, ref, 200)
        _check_digest(str(ref), digest, ref.digest)
        return Descriptor(kind, digest, size or 0)

    def confirm_missing(self, ref: ImageReference) -> None:
        """Confirm by GET that there is no manifest, as a HEAD said.

        Raises:
            RegistryError: there is one, or the answer is not that of a registry.
        """
        answer = self._session.send("GET", ref, f"manifests/{_point(ref)}", headers=_ACCEPT)
        if answer.status == 404:
            self._session.refuse_foreign_404(answer, str(ref))
            return
        self._session.expect(answer, ref, 200)
        raise RegistryError(f"{ref}: the registry answers HEAD and GET differently; it exists for GET only")

    def get_manifest(self, ref: ImageReference) -> Manifest:
        """Give a manifest or index: its bytes, verified against the digest that is asked for, and the one told."""
        answer = self._session.send("GET", ref, f"manifests/{_point(ref)}", headers=_ACCEPT)
        if answer.status == 404:
            self._session.refuse_foreign_404(answer, str(ref))
            raise self._missing(ref)
        self._session.expect(answer, ref, 200)
        said = answer.header("Docker-Content-Digest")
        if said:
            _check_digest(str(ref), said, None)
        manifest = _manifest_in(answer, ref, ref.digest or said or None)
        if said and ref.digest and said != ref.digest:
            _manifest_in(answer, ref, said)
        return manifest

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
        try:
            manifest = Manifest.read(raw, media_type, ref.digest)
        except ValueError as error:
            raise RegistryError(f"{ref}: the manifest to put {error}") from error
        point = ref.tag or manifest.digest
        headers = {"Content-Type": manifest.media_type}
        answer = self._session.send("PUT", ref, f"manifests/{point}", headers=headers, body=raw, push=True, again=again)
        self._session.expect(answer, ref, 200, 201, 202, 204)
        target = ref.with_tag(ref.tag) if ref.tag else ref.with_digest(manifest.digest)
        if read_back:
            self._read_back(target, manifest.digest)
        return manifest.descriptor

    def _read_back(self, ref: ImageReference, digest: str) -> None:
        """Wait until a registry that takes a moment shows what was put there."""
        found = None
        for wait in (0.0, 0.3, 1.0):
            time.sleep(wait)
            try:
                answer = self._session.send("HEAD", ref, f"manifests/{_point(ref)}", headers=_ACCEPT)
                found = answer.header("Docker-Content-Digest") if answer.status == 200 else None
                if answer.status == 200 and (not found or found.partition(":")[0] != digest.partition(":")[0]):
                    found = digest_of(self.get_manifest(ref).raw, digest.partition(":")[0])
            except NotFound:
                found = None
            if found == digest:
                return
        what = "nothing" if found is None else found
        raise RegistryError(f"{ref}: put as {digest}, but {what} is read back; did someone else push at the same time?")

    def _for_platform(self, ref: ImageReference, platform: Platform, depth: int) -> Descriptor:
        manifest = self.get_manifest(ref)
        if not manifest.is_index:
            own = self._platform_of(ref, manifest)
            if own is not None and not platform.matches(own):
                raise NotFound(f"{ref}: no image for {platform}; it is for {own}")
            return manifest.descriptor
        found = best_match(platform, [(child.platform, child.digest, child) for child in manifest.children])
        if found is not None:
            nested = found.is_index and depth > 0
            return self._for_platform(ref.with_digest(found.digest), platform, depth - 1) if nested else found
        # Attestations are listed as for no platform at all.
        have = [str(child.platform) for child in manifest.children if child.platform and child.platform.os != "unknown"]
        raise NotFound(f"{ref}: no image for {platform}; there are {', '.join(have) or 'none'}")

    def _platform_of(self, ref: ImageReference, manifest: Manifest) -> Platform | None:
        config = self.get_config(ref, manifest)
        system, architecture, variant = (config.get(key) for key in ("os", "architecture", "variant"))
        if not isinstance(system, str) or not isinstance(architecture, str) or not system or not architecture:
            return None
        return Platform(system, architecture, variant if isinstance(variant, str) else "")

    def get_config(self, ref: ImageReference, manifest: Manifest) -> Mapping[str, object]:
        """Give the configuration of an image; empty for an index, and for what is no image."""
        config = manifest.config
        if config is None or config.size > 16 << 20:
            return {}
        raw = b"".join(self.open_blob(ref, config.digest, size=config.size))
        try:
            return read_json(raw)
        except ValueError:
            return {}

    def list_referrers(self, ref: ImageReference) -> tuple[Descriptor, ...] | None:
        """Give what refers to a manifest, such as its signatures; None where the registry keeps no such lists.

        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers

        Args:
            ref: the manifest, by digest.
        """
        endpoint = self._session.endpoint(ref.registry, str(ref))
        url = f"{endpoint.origin}/v2/{ref.path}/referrers/{ref.digest}"
        found: dict[str, Descriptor] = {}
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) >= _MOST_PAGES:
                raise RegistryError(f"{ref}: the registry's list of referrers does not end", url=_bare(url))
            seen.add(url)
            answer = self._session.send("GET", ref, url, headers={"Accept": OCI_INDEX})
            if answer.status in (400, 404, 405) and len(seen) == 1:
                return None
            self._session.expect(answer, ref, 200)
            page = _manifest_in(answer, ref, None)
            found |= {child.digest: child for child in page.children}
            url = self._next_page(answer, ref)
        return tuple(found.values())

    # Tags

    def list_tags(self, repository: ImageReference) -> list[str]:
        """Return every tag of a repository, in the registry's order, each once.

        imgref follows pages on the same host only. Whatever leaves open whether more tags exist is an error.

        Raises:
            NotFound: the registry has no such repository, or no tag in it.
            UnreliableTagList: an answer is not a list of tags, or does not say where the list goes on.
        """
        about = _name(repository)
        endpoint = self._session.endpoint(repository.registry, about)
        url = start = f"{endpoint.origin}/v2/{repository.path}/tags/list?n={_PAGE}"
        tags: dict[str, None] = {}
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) > _MOST_PAGES:
                raise UnreliableTagList(f"{about}: the registry's pages of tags never end", url=_bare(url))
            seen.add(url)
            answer = self._session.send("GET", repository, url, about=about)
            page = self._page_of_tags(answer, repository)
            url = self._next_page(answer, repository, UnreliableTagList)
            if not url and len(page) == _PAGE and not tags.keys() >= set(page):
                # A full page without a link: some registries cut the list without saying so.
                url = f"{start}&last={percent(page[-1], safe='')}"
            tags.update(dict.fromkeys(page))
        return [tag for tag in tags if self._is_tag(tag, about)]

    def _page_of_tags(self, answer: Response, repository: ImageReference) -> list[str]:
        about = _name(repository)
        try:
            if answer.status == 404:
                self._session.refuse_foreign_404(answer, about)
                raise NotFound(f"{about}: no such repository", **place_of(answer))
            self._session.expect(answer, repository, 200, about=about)
            data = self._session.json(answer, about)
        except NotFound:
            raise
        except RegistryError as error:
            if type(error) is not RegistryError or error.status not in (200, 404):
                raise
            raise UnreliableTagList(error.reason, **place_of(answer)) from error
        found = data.get("tags", ...)
        # Registries list a repository without tags as null.
        found = [] if found is None else found
        if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
            host = urlsplit(answer.url).netloc
            reason = f"{about}: {host} answered with JSON that is not a list of tags; is {host} a registry?"
            raise UnreliableTagList(reason, **place_of(answer))
        return found

    def _is_tag(self, tag: str, about: str) -> bool:
        if is_a(TAG, tag):
            return True
        message = f"{about}: ignored {quote(tag)} in the registry's list of tags, which is not a valid tag"
        self._session.tell(Event("warning", message))
        return False

    def _next_page(
        self, answer: Response, repository: ImageReference, problem: type[RegistryError] = RegistryError
    ) -> str:
        try:
            target = next_target(answer.all("Link"))
        except ValueError as error:
            reason = f"{_name(repository)}: the registry's Link header has {error}, so the list may go on"
            raise problem(reason, **place_of(answer)) from error
        if target is None:
            return ""
        url = self._session.located(answer.url, target)
        if origin_of(url) != origin_of(answer.url):
            reason = f"{_name(repository)}: the registry's next page is on another host, {urlsplit(url).netloc}"
            raise problem(f"{reason}; imgref does not follow it", **place_of(answer))
        return url

    # Blobs

    def blob_exists(self, repository: ImageReference, digest: str) -> int | None:
        """Give the size of a blob in bytes, or None where the repository does not have it."""
        about = f"{_name(repository)}@{digest}"
        answer = self._session.send("HEAD", repository, f"blobs/{digest}", about=about)
        if answer.status == 404:
            return None
        self._session.expect(answer, repository, 200, about=about)
        return answer.size() or 0

    def open_blob(
        self,
        repository: ImageReference,
        digest: str,
        offset: int = 0,
        *,
        size: int | None = None,
        hasher: _Hasher | None = None,
    ) -> Iterator[bytes]:
        """Stream a blob, and verify it: what is wrong raises before the last chunk is given.

        A connection that breaks is taken up again where it broke.

        Args:
            repository: where it is.
            digest: what it must be.
            offset: bytes that the caller has already.
            size: how many bytes the whole blob must have, where that is known.
            hasher: has seen the bytes before ``offset``, which count for the digest.

        Raises:
            ValueError: an offset without what was hashed before it.
        """
        if offset and hasher is None:
            raise ValueError("an offset needs the hasher that has seen what is before it")
        return self._stream(repository, digest, offset, size, hasher or hashlib.new(digest.partition(":")[0]))

    def _stream(
        self, repository: ImageReference, digest: str, place: int, size: int | None, hasher: _Hasher
    ) -> Iterator[bytes]:
        about = f"{_name(repository)}@{digest}"
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
        answer = self._session.send("GET", repository, f"blobs/{digest}", headers=headers, stream=True, about=about)
        if answer.status == 404:
            raise NotFound(f"{about}: no such blob", **place_of(answer))
        if not (answer.status == 416 and place):
            self._session.expect(answer, repository, 200, 206, about=about)
        return answer

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
        if mount is not None and source is not None and source.registry == repository.registry:
            query = f"?mount={percent(mount, safe=':')}&from={percent(source.path, safe='/')}"
            extra = (f"repository:{source.path}:pull",)
            answer = self._session.send("POST", repository, f"blobs/uploads/{query}", push=True, extra=extra, body=b"")
            if answer.status == 201:
                return None
            if answer.status == 202:
                return self._upload(repository, answer)
            # Some refuse a mount that they cannot make, instead of beginning an upload.
        answer = self._session.send("POST", repository, "blobs/uploads/", push=True, body=b"")
        self._session.expect(answer, repository, 202, about=_name(repository))
        return self._upload(repository, answer)

    def put_blob(self, upload: Upload, content: Callable[[], Iterable[bytes]], size: int, digest: str) -> None:
        """Send a blob in one piece, streamed. A failed upload cannot be taken up: begin another one.

        Args:
            upload: from :meth:`start_upload`.
            content: gives the chunks from the start, each time that it is called (again after a 401).
            size: in bytes.
            digest: what the registry must find.
        """
        about = f"{_name(upload.repository)}@{digest}"
        url = f"{upload.location}{'&' if '?' in upload.location else '?'}digest={percent(digest, safe=':')}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        body: Body = content if size else b""
        answer = self._session.send(
            "PUT", upload.repository, url, about=about, headers=headers, body=body, push=True, again=False
        )
        self._session.expect(answer, upload.repository, 201, 204, about=about)
        _check_digest(about, answer.header("Docker-Content-Digest") or digest, digest)

    def pause(self, about: str, reason: str, number: int, asked: float | None = None) -> None:
        """Wait before another try of what failed, and say so.

        Args:
            about: the reference.
            reason: what happened.
            number: of the try that failed, from 1.
            asked: seconds that the registry asked to wait, where it did.

        Raises:
            RegistryUnavailable: the client was closed.
        """
        self._session.pause(about, reason, number, asked=asked)

    def cancel_upload(self, upload: Upload) -> None:
        """Tell the registry to forget an upload; whether it does is not our concern."""
        try:
            self._session.send(
                "DELETE", upload.repository, upload.location, about=_name(upload.repository), push=True, again=False
            )
        except RegistryError:
            return

    def _upload(self, repository: ImageReference, answer: Response) -> Upload:
        location = answer.header("Location")
        if not location:
            raise RegistryError(f"{_name(repository)}: the registry begins an upload, but does not say where")
        return Upload(repository, self._session.located(answer.url, location))

    # Credentials

    def check_credential(self, registry: str, credential: Credential) -> bool:
        """Show a credential to a registry; False where it asks for none, and so says nothing about it."""
        return self._session.check(registry, credential)

    def _missing(self, ref: ImageReference) -> NotFound:
        """Say what is missing: a HEAD that finds nothing does not tell the repository from the tag."""
        what = f"no such {'digest' if ref.digest else 'tag'}"
        try:
            answer = self._session.send("GET", ref, "tags/list?n=1")
        except RegistryError:
            what += ", or no such repository"
        else:
            self._session.refuse_html(answer, str(ref))
            if answer.status == 404:
                self._session.refuse_foreign_404(answer, str(ref))
                what = "no such repository"
        return NotFound(f"{ref}: {what}", method="GET", status=404)


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


def _point(ref: ImageReference) -> str:
    return ref.digest or ref.tag or "latest"


def _name(repository: ImageReference) -> str:
    return repository.repository


def _bare(url: str) -> str:
    return url.partition("?")[0]


def _manifest_in(answer: Response, ref: ImageReference, digest: str | None) -> Manifest:
    """Read the manifest that came.

    Raises:
        RegistryError: it is none, or another one than was asked for.
    """
    kind = answer.header("Content-Type")
    try:
        return Manifest.read(answer.body, kind, digest)
    except ValueError as error:
        reason = f"the manifest that came {error}"
        if "html" in kind.lower() or answer.body[:64].lstrip().lower().startswith((b"<!doctype", b"<html")):
            reason = "a manifest was expected, but an HTML page came"
        raise RegistryError(f"{ref}: {reason}", **place_of(answer)) from error


def _is_comparable(found: str, wanted: str | None) -> bool:
    """Tell whether two digests are by the same algorithm; a registry may well know a manifest by another one."""
    return wanted is None or not is_a(DIGEST, found) or found.partition(":")[0] == wanted.partition(":")[0]


def _check_digest(about: str, found: str, wanted: str | None) -> None:
    if not is_a(DIGEST, found):
        raise RegistryError(f"{about}: the registry gives {quote(found)} as the digest, which is none")
    if wanted is not None and found != wanted:
        raise RegistryError(f"{about}: the registry says that the digest is {found}, and not {wanted}")
