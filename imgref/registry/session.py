"""Requests about one repository: sent with authorization, and refusals explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import urlsplit

from imgref.archive._json import read_json, read_value
from imgref.errors import AuthenticationError, NotFound, RateLimited, RegistryError, RegistryUnavailable, quote
from imgref.reference import ImageReference
from imgref.registry import credentials
from imgref.registry.authorization import Access, Authenticator
from imgref.registry.challenges import unsupported
from imgref.registry.credentials import Credential, Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.transport import TRIES, Body, Endpoint, Event, Request, Response, Transport, origin_of, retry_after
from imgref.registry.transport.addresses import located

__all__ = ["AnswerPlace", "RegistryRequest", "Session", "place_of"]


class AnswerPlace(TypedDict):
    """Where an answer came from, as a RegistryError keeps it."""

    method: str
    url: str
    status: int


def place_of(answer: Response) -> AnswerPlace:
    """Return an answer's method, its address without the query, and its status."""
    return {"method": answer.method, "url": answer.url.partition("?")[0], "status": answer.status}


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """A request about a repository.

    Attributes:
        method: the HTTP method.
        ref: the repository, and what messages are about.
        where: the path below the repository's, or the absolute URL that the registry gave.
        about: what messages are about, if that is not the reference.
        headers: further headers.
        body: what to send.
        push: whether the right to write is needed.
        extra: scopes that are needed besides those of the repository.
        stream: whether to return the body in chunks instead of reading it.
        again: whether to retry failures that may pass.

    >>> from imgref import parse
    >>> RegistryRequest("GET", parse("nginx"), "tags/list", push=True).scopes
    ('repository:library/nginx:pull,push',)
    """

    method: str
    ref: ImageReference
    where: str = field(repr=False)
    about: str | None = None
    headers: Mapping[str, str] | None = None
    body: Body = field(default=None, repr=False)
    push: bool = False
    extra: tuple[str, ...] = ()
    stream: bool = False
    again: bool = True

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that a token needs: https://distribution.github.io/distribution/spec/auth/scope/."""
        return (f"repository:{self.ref.path}:{'pull,push' if self.push else 'pull'}", *self.extra)


class Session:
    """Puts credentials and HTTP together; safe to use from several threads.

    Args:
        hosts: which host is trusted how.
        credentials: where credentials are.
        on_event: called with retries and warnings.
        timeout: seconds within which something must have arrived.
        tries: how often to send a request that fails in a way that may pass.
    """

    def __init__(
        self,
        hosts: Hosts,
        credentials: Credentials,
        on_event: Callable[[Event], None] | None,
        timeout: float,
        tries: int = TRIES,
    ) -> None:
        self._credentials = credentials
        connect = min(timeout, 10.0)
        self._transport = Transport(hosts, on_event, connect_timeout=connect, read_timeout=timeout, tries=tries)
        self._authenticator = Authenticator(self._transport, credentials)
        self.tell = self._transport.tell
        self.pause = self._transport.pause
        self.close = self._transport.close

    def endpoint(self, registry: str, about: str) -> Endpoint:
        """Find out how a registry is reached, once."""
        return self._transport.endpoint(registry, about)

    def check(self, registry: str, credential: Credential) -> bool:
        """Try a credential with a registry; False if it asks for none, so that nothing is known about it."""
        return self._authenticator.check(self.endpoint(registry, registry), credential)

    def send(self, request: RegistryRequest) -> Response:
        """Send a request, and again after a 401, until a token that only this request has is refused."""
        about = request.about or str(request.ref)
        endpoint = self.endpoint(request.ref.registry, about)
        url = request.where if "://" in request.where else f"{endpoint.origin}/v2/{request.ref.path}/{request.where}"
        # Credentials are not sent to a location on another host.
        own = origin_of(url) == origin_of(endpoint.origin)
        access = Access(endpoint, request.ref.path, request.scopes, about)
        shown = self._authenticator.authorization(access) if own else None
        answer = self._send(request, url, about, shown)
        refused: list[str | None] = []
        while answer.status == 401 and own:
            if refused and "insufficient_scope" in answer.header("WWW-Authenticate"):
                break
            refused.append(shown)
            renewal = self._authenticator.renew(access, answer, refused)
            if renewal is None:
                break
            answer.close()
            shown = renewal.header
            answer = self._send(request, url, about, shown)
            if answer.status != 401:
                self._authenticator.keep(renewal)
            own = not renewal.own and len(refused) < 2
        return answer

    def _send(self, request: RegistryRequest, url: str, about: str, authorization: str | None) -> Response:
        return self._transport.send(
            Request(
                request.method,
                url,
                about,
                request.headers or {},
                request.body,
                authorization,
                stream=request.stream,
                again=request.again,
            )
        )

    def located(self, base: str, location: str) -> str:
        """Make a location absolute, with its query as it is.

        A registry behind a proxy that ends TLS often names itself with http: on its own host it means https.

        Raises:
            RegistryError: it is not a valid URL.
        """
        url = located(base, location)
        old = urlsplit(base)
        if url is None:
            reason = f"{old.netloc} sends a location that is not a valid URL"
            raise RegistryError(reason, url=base.partition("?")[0])
        new = urlsplit(url)
        if old.scheme == "https" and new.scheme == "http" and new.netloc == old.netloc:
            return "https" + url.removeprefix("http")
        return url

    def json(self, answer: Response, about: str) -> Mapping[str, object]:
        """Read an answer that must be a JSON object.

        Raises:
            RegistryError: it is something else.
        """
        with suppress(ValueError):
            return read_json(answer.body)
        self.refuse_html(answer, about)
        reason = f"{about}: something else came instead of JSON; is {urlsplit(answer.url).netloc} a registry?"
        raise RegistryError(reason, **place_of(answer))

    def refuse_html(self, answer: Response, about: str) -> None:
        """Raise RegistryError for an HTML page, which comes from a website, a portal or a proxy."""
        if "html" in answer.header("Content-Type").lower() or answer.body.lstrip()[:1] == b"<":
            reason = f"{about}: an HTML page came instead of JSON; is {urlsplit(answer.url).netloc} a registry?"
            raise RegistryError(reason, **place_of(answer))

    def refuse_foreign_404(self, answer: Response, about: str) -> None:
        """Raise RegistryError for a 404 that no registry sends: it does not prove that something is missing.

        A registry may send any body, but JSON must be an object with ``errors``.
        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
        """
        self.refuse_html(answer, about)
        try:
            data = read_value(answer.body)
        except ValueError:
            if answer.body.lstrip()[:1] not in (b"{", b"["):
                return
            data = None
        if not isinstance(data, dict) or not isinstance(data.get("errors"), list):
            host = urlsplit(answer.url).netloc
            reason = f"{about}: {host} answered 404, but not as a registry does; is {host} a registry?"
            raise RegistryError(reason, **place_of(answer))

    def expect(self, answer: Response, ref: ImageReference, *statuses: int, about: str | None = None) -> None:
        """Raise what a status means that is none of these."""
        status = answer.status
        if status in statuses:
            return
        about, words, place = about or str(ref), self._words(answer), place_of(answer)
        if status in (401, 403):
            raise AuthenticationError(self._refusal(answer, ref, about, words), **place)
        if status == 404:
            raise NotFound(f"{about}: not found{words}", **place)
        if status == 429:
            asked = retry_after(answer.header("Retry-After"))
            when = "later" if asked is None else f"after {asked:.0f} s"
            reason = f"{about}: {ref.registry} limits requests; try again {when}{words}"
            raise RateLimited(reason, retry_after=asked, **place)
        if status >= 500 or status == 408:
            raise RegistryUnavailable(f"{about}: {ref.registry} returns HTTP status {status}{words}", **place)
        raise RegistryError(f"{about}: {ref.registry} answers {status} to {answer.method}{words}", **place)

    def _refusal(self, answer: Response, ref: ImageReference, about: str, words: str) -> str:
        """Return wrong credentials from ones that are not enough."""
        credential = self._credentials.find(ref.registry, ref.path)
        insufficient = "insufficient_scope" in answer.header("WWW-Authenticate")
        how = unsupported(answer) if answer.status == 401 else ""
        if how and (credential is not None or answer.header("WWW-Authenticate")):
            return f"{about}: {ref.registry} {how}{words}"
        if answer.status == 401 and credential is None:
            # Docker Hub, for one, answers the same for private and for missing repositories.
            wants = f"no such repository, or {ref.registry} requires authentication"
            return f"{about}: {wants}; imgref login {ref.registry} stores them"
        if answer.status == 401 and credential is not None and not insufficient:
            return credentials.refused(credential, ref.registry, about).reason
        doing = "read" if answer.method in ("GET", "HEAD") else "write"
        who = "without credentials" if credential is None else f"as {credential.username!r}"
        return f"{about}: no permission to {doing} it {who}, or no such repository{words}"

    def _words(self, answer: Response) -> str:
        """Return a registry's reason for a refusal, escaped and shortened; empty without one.

        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
        """
        try:
            errors = read_json(answer.body).get("errors")
        except ValueError:
            return ""
        listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        said = [error.get("message") or error.get("code") for error in listed]
        text = "; ".join(word for word in said if isinstance(word, str) and word)
        return f" ({quote(self._authenticator.masked(text))})" if text else ""
